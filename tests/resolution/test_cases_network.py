"""More of T28 to T41 and T55 to T59: network cards and addresses."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable

DOCK, A, B, C = "00:e0:4c:68:~:01", "3c:7c:3f:~:00:0a", "3c:7c:3f:~:00:0b", "3c:7c:3f:~:00:0c"
AID = "~a" * 16
U, V = "~b4a1c9-12f4-4e74-af7c-3b54377d15~", "~000000-1111-4222-8333-000000000099"

CASES = {
    "one bond, its address twice on one host": Case(
        {"edr.a": {"mac_addresses": [A, A.upper(), B], "hostnames": ["bond~"], "serial_number": "CZ~B1"}, "nac.b": {"mac_addresses": [A, A], "hostnames": ["bond~"]}},
        "ab",
    ),
    "team of cards, scanner on one of them": Case(
        {"edr.a": {"mac_addresses": [A, B], "hostnames": ["team~"]}, "tenable.b": {"mac_addresses": [B], "hostnames": ["TEAM~"]}, "nac.c": {"mac_addresses": [A], "hostnames": ["team~.corp.example"]}},
        "abc",
    ),
    "a bond's address alone is no second agreement with itself": Case(
        {"edr.a": {"mac_addresses": [A, A], "serial_number": "CZ~B2"}, "nac.b": {"mac_addresses": [A, A.replace(":", "-")]}},
        "a b", held="b", review="ab",
    ),
    "dock in two agents' lists, the scanner names one laptop": Case(
        {"edr.a": {"mac_addresses": [DOCK, A], "hostnames": ["la~"], "serial_number": "5CG~A"}, "edr.b": {"mac_addresses": [DOCK, B], "hostnames": ["lb~"], "serial_number": "5CG~B"}, "nac.c": {"mac_addresses": [DOCK], "hostnames": ["la~"]}},
        "a b c", held="c", review="ca", words={"c": "identifies nothing here"},
    ),
    "dock in two agents' lists, the full name decides": Case(
        {"edr.a": {"mac_addresses": [DOCK, A], "fqdns": ["lc~.corp.example"], "serial_number": "5CG~A"}, "edr.b": {"mac_addresses": [DOCK, B], "fqdns": ["ld~.corp.example"], "serial_number": "5CG~B"}, "tenable.c": {"mac_addresses": [DOCK], "fqdns": ["lc~.corp.example"]}},
        "ac b",
    ),
    "vrrp address of two routers and a scan of the virtual one": Case(
        {"nac.a": {"mac_addresses": ["00:00:5e:00:01:~", A], "hostnames": ["r~a"], "ip_addresses": ["10.¤.1.2", "10.¤.1.1"]}, "nac.b": {"mac_addresses": ["00:00:5E:00:01:~", B], "hostnames": ["r~b"], "ip_addresses": ["10.¤.1.3", "10.¤.1.1"]}, "tenable.c": {"mac_addresses": ["00:00:5e:00:01:~"], "ip_addresses": ["10.¤.1.1"]}},
        "a b c", held="c",
    ),
    "hyper-v pools of two hosts gave out one address": Case(
        {"edr.a": {"mac_addresses": ["00:15:5d:~:00:01"], "hostnames": ["hv~a"]}, "edr.b": {"mac_addresses": ["00:15:5d:~:00:01"], "hostnames": ["hv~b"]}, "nac.c": {"mac_addresses": ["00:15:5d:~:00:01"]}},
        "a b c", held="c",
    ),
    "hypervisor lists the cards of its guest": Case(
        {"esx.a": {"mac_addresses": [A, "00:50:56:aa:~:01", "00:50:56:aa:~:02"], "hostnames": ["esx~"], "serial_number": "CZ~H"}, "edr.b": {"mac_addresses": ["00:50:56:aa:~:01", "00:50:56:aa:~:02"], "hostnames": ["vm~"], "smbios_uuid": U}},
        "a b",
    ),
    "renamed laptop with exactly the same two cards": Case(
        {"edr.a": {"mac_addresses": [A, B], "hostnames": ["old~"]}, "nac.b": {"mac_addresses": [B, A], "hostnames": ["new~"]}}, "ab"
    ),
    "firewall pair shares both inside and outside address": Case(
        {"nac.a": {"mac_addresses": [A, B], "ip_addresses": ["10.¤.0.1"], "hostnames": ["fw~a"]}, "nac.b": {"mac_addresses": [A, B], "ip_addresses": ["10.¤.0.1"], "hostnames": ["fw~b"]}},
        "a b", links=("a member of b",),
    ),
    "firewall pair with long names that only differ at the end": Case(
        {"nac.a": {"mac_addresses": [A], "ip_addresses": ["10.¤.0.1"], "hostnames": ["datacenter~-firewall-01a"]}, "snmp.b": {"mac_addresses": [A], "ip_addresses": ["10.¤.0.1"], "hostnames": ["datacenter~-firewall-01b"]}},
        "a b",
    ),
    "lease list of one laptop: one address, one name, many rows": Case(
        {**{f"dhcp.{x}": {"mac_addresses": [A], "hostnames": ["ls~"], "ip_addresses": [f"10.¤.2.{i}"]} for i, x in enumerate("abc")}, "edr.d": {"mac_addresses": [A], "hostnames": ["ls~"], "serial_number": "5CG~L"}},
        "abcd",
    ),
    "card moved to another server": Case(
        {"edr.a": {"mac_addresses": [A, B], "hostnames": ["s~a"], "serial_number": "CZ~1"}, "edr.b": {"mac_addresses": [C, B], "hostnames": ["s~b"], "serial_number": "CZ~2"}, "tenable.c": {"mac_addresses": [C], "hostnames": ["s~b"]}},
        "a bc",
    ),
    "randomised wi-fi addresses change and a real one stays": Case(
        {"nac.a": {"mac_addresses": ["da:a1:19:~:00:01", A], "hostnames": ["ph~"]}, "mdm.b": {"mac_addresses": ["f2:00:19:~:00:02", A], "hostnames": ["PH~"], "serial_number": "F2L~"}}, "ab"
    ),
    "android and apple hide the address behind one for all": Case(
        {f"mdm.{x}": {"mac_addresses": ["02:00:00:00:00:00"], "hostnames": ["pixel~"], "serial_number": f"PX~{x}"} for x in "abc"}, "a b c"
    ),
    "inner network of macs with a security chip": Case(
        {"jamf.a": {"mac_addresses": ["ac:de:48:00:11:22"], "hostnames": ["mac~"]}, "nac.b": {"mac_addresses": ["AC:DE:48:00:11:22"], "hostnames": ["mac~"]}}, "a b"
    ),
    "kubernetes and container bridges": Case(
        {f"edr.{x}": {"mac_addresses": ["ee:ee:ee:ee:ee:ee", "02:42:0a:00:00:01", "0a:58:0a:f4:00:01"], "hostnames": ["k8s~"], "agent_ids": {"aid": f"~{x}" * 6}} for x in "ab"}, "a b"
    ),
    "addresses of eight bytes are no network card": Case(
        {"edr.a": {"mac_addresses": ["3c:7c:3f:ff:fe:~:00:01"], "hostnames": ["e~"]}, "nac.b": {"mac_addresses": ["3c:7c:3f:ff:fe:~:00:01"], "hostnames": ["e~"]}}, "a b"
    ),
    "plc seen by three passive sensors": Case(
        {"dragos.a": {"mac_addresses": ["00:1d:9c:~:00:01"], "hostnames": ["PLC~"], "ip_addresses": ["10.¤.9.9"]}, "armis.b": {"mac_addresses": ["001D9C~0001"], "hostnames": ["plc~"]}, "forescout.c": {"mac_addresses": ["001d.9c~.0001"], "hostnames": ["plc~"], "serial_number": "D~9"}},
        "abc",
    ),
    "printer known by address and the maker's name": Case(
        {"cmdb.a": {"mac_addresses": [A], "hostnames": ["HP LaserJet Pro"], "serial_number": "VNB~"}, "nac.b": {"mac_addresses": [A], "hostnames": ["HP LaserJet Pro"]}},
        "a b", held="b", review="ab",
    ),
    "address alone seen by a scanner": Case({"edr.a": {"ip_addresses": ["10.¤.3.3"], "serial_number": "5CG~I"}, "qualys.b": {"ip_addresses": ["10.¤.3.3"]}}, "a b", held="b", review="ab"),
    "private address in two sites, one name each": Case(
        {"edr.a": {"ip_addresses": ["192.168.¤.9"], "hostnames": ["pos~"], "scope": "store-1", "serial_number": "5CG~1"}, "tenable.b": {"ip_addresses": ["192.168.¤.9"], "hostnames": ["pos~"], "scope": "store-2"}},
        "a b", held="b",
    ),
    "laptop in two networks of one scanner": Case(
        {"qualys.a": {"serial_number": "5CG~TS", "hostnames": ["two~"], "mac_addresses": ["3c:7c:3f:~:02:01"], "scope": "site-1"}, "qualys.b": {"serial_number": "5CG~TS", "hostnames": ["two~"], "mac_addresses": ["3c:7c:3f:~:02:01"], "scope": "site-2"}},
        "ab",
    ),
    "agent of one laptop, told in two scopes": Case(
        {"crowdstrike.a": {"agent_ids": {"aid": AID}, "hostnames": ["two~"], "mac_addresses": ["3c:7c:3f:~:02:02"], "scope": "site-1"}, "siem.b": {"agent_ids": {"aid": AID}, "hostnames": ["two~"], "mac_addresses": ["3c:7c:3f:~:02:02"], "scope": "site-2"}},
        "ab",
    ),
    "card in another scope is no other card": Case(
        {"mdm.a": {"imei": "35672019¤0011", "mac_addresses": ["3c:7c:3f:~:02:03"], "scope": "site-1"}, "edr.b": {"imei": "35672019¤0011", "fqdns": ["two~.corp.example"], "scope": "site-2"}, "nac.c": {"fqdns": ["two~.corp.example"], "mac_addresses": ["3c:7c:3f:~:02:03"], "scope": "site-2"}},
        "abc",
    ),
    "one image in two stores, under one name and with other cards": Case(
        {"edr.a": {"serial_number": "IMAGE~POS", "agent_ids": {"aid": AID}, "hostnames": ["pos1"], "mac_addresses": ["3c:7c:3f:~:02:04"], "scope": "store-1"}, "edr.b": {"serial_number": "IMAGE~POS", "agent_ids": {"aid": AID}, "hostnames": ["pos1"], "mac_addresses": ["3c:7c:3f:~:02:05"], "scope": "store-2"}},
        "a b",
    ),
    "address and name together are still only for review": Case(
        {"edr.a": {"ip_addresses": ["10.¤.4.4"], "hostnames": ["ipn~"], "serial_number": "5CG~N"}, "qualys.b": {"ip_addresses": ["10.¤.4.4"], "hostnames": ["ipn~"]}},
        "a b", held="b", review="ab",
    ),
    "two managers count their agents from 001": Case(
        {"wazuh.eu.a": {"agent_ids": {"wazuh": "001"}, "hostnames": ["wz~a"], "ip_addresses": ["10.¤.3.1"]}, "wazuh.us.b": {"agent_ids": {"wazuh": "001"}, "hostnames": ["wz~b"], "ip_addresses": ["10.¤.3.2"]}, "wazuh.us.c": {"agent_ids": {"wazuh": "001"}, "hostnames": ["wz~b"]}},
        "a bc",
    ),
    "scanner host id of two consoles is two machines": Case(
        {"qualys.eu.a": {"agent_ids": {"qualys_host": "4711¤"}, "hostnames": ["q~a"]}, "qualys.us.b": {"agent_ids": {"qualys_host": "4711¤"}, "hostnames": ["q~b"]}}, "a b", held="ab"
    ),
    "scanner row at an address that changed hands": Case(
        {"edr.a": {"serial_number": "5CG~M", "fqdns": ["mon~.corp.example"], "ip_addresses": ["10.¤.5.5"], "last_seen": "2026-11-18T10:00:00Z", "observed_at": "2026-11-18T10:00:00Z"}, "edr.b": {"serial_number": "5CG~T", "fqdns": ["tue~.corp.example"], "ip_addresses": ["10.¤.5.5"]}, "qualys.c": {"ip_addresses": ["10.¤.5.5"], "fqdns": ["tue~.corp.example"], "agent_ids": {"qualys_host": "5¤"}}},
        "a bc",
    ),
    "ipv6 of the day and link-local": Case(
        {"edr.a": {"ip_addresses": ["fe80::1%eth0", "2001:db8:~::1"], "serial_number": "5CG~6"}, "tenable.b": {"ip_addresses": ["fe80::1"]}}, "a b", held="b"
    ),
    "scanner's host number at an address of two days": Case(
        {"edr.a": {"serial_number": "5CG~A", "hostnames": ["la~"], "ip_addresses": ["10.¤.7.22"], "observed_at": "2026-11-16T10:00:00Z"}, "edr.b": {"serial_number": "5CG~B", "hostnames": ["lb~"], "ip_addresses": ["10.¤.7.22"], "observed_at": "2026-11-17T10:00:00Z"}, "qualys.q": {"agent_ids": {"qualys_host_id": "7¤"}, "ip_addresses": ["10.¤.7.22"]}},
        "a b q", held="q", review="qa qb", words={"q": "an address alone joins nothing", "a": "an address alone joins nothing"},
    ),
    "scanner's host number, another laptop at its address the next day": Case(
        {"qualys.a": {"agent_ids": {"qualys_host_id": "9¤"}, "fqdns": ["mon~.corp.example"], "ip_addresses": ["10.¤.7.23"], "observed_at": "2026-11-16T10:00:00Z"}, "qualys.b": {"agent_ids": {"qualys_host_id": "9¤"}, "fqdns": ["tue~.corp.example"], "ip_addresses": ["10.¤.7.23"]}, "edr.c": {"serial_number": "5CG~C", "fqdns": ["mon~.corp.example"]}, "edr.d": {"serial_number": "5CG~D", "fqdns": ["tue~.corp.example"]}},
        "ac bd", review="ab", words={"a": "number of a scanner"},
    ),
    "scanner's host number of two names, and one row without any": Case(
        {f"qualys.{x}": {"agent_ids": {"qualys_host_id": "10¤"}, **more} for x, more in {"a": {"fqdns": ["na~.corp.example"]}, "b": {"fqdns": ["nb~.corp.example"]}, "c": {"mac_addresses": [A]}}.items()}, "a b c", review="ab ca cb"
    ),
    "scanner's host number and its agent's id on a renamed laptop": Case(
        {f"qualys.{x}": {"agent_ids": {"qualys_host_id": "11¤", "qualys_agent": "~d" * 16}, "fqdns": [f"n{x}~.corp.example"]} for x in "ab"}, "ab"
    ),
    "scanner's host number with the full name": Case(
        {"rapid7.a": {"agent_ids": {"rapid7_asset_id": "8¤"}, "fqdns": ["rp~.corp.example"]}, "edr.b": {"serial_number": "5CG~R", "fqdns": ["rp~.corp.example"]}}, "ab"
    ),
    "scanner's own long id is an installation": Case({"tenable.a": {"agent_ids": {"tenable_uuid": "f~" * 16}, "ip_addresses": ["10.¤.0.4"]}}, "a"),
    "address in other spellings": Case(
        {"edr.a": {"serial_number": "5CG~V", "ip_addresses": ["2001:0db8:0000:~::0001"]}, "tenable.b": {"ip_addresses": ["2001:db8:0:~::1"]}, "edr.c": {"serial_number": "5CG~W", "ip_addresses": ["10.¤.8.8/24"]}, "tenable.d": {"ip_addresses": ["::ffff:10.¤.8.8"]}},
        "a b c d", held="bd", review="ab cd",
    ),
    **{f"what only looks at addresses makes no machine: {product}": Case({f"{product}.a": {"ip_addresses": ["10.¤.6.6"], "hostnames": ["unk~"], **more}}, "a", held="a")
       for product, more in {"ip-scanner": {}, "IP Scanner": {}, "qualys_vm": {}, "tenable_io": {}, "arp": {}, "discovery_scanner": {}, "nmap": {"mac_addresses": [A]}}.items()},
    **{f"a scanner finds a machine by its name in a domain: {name}": Case({f"{product}.a": identity, f"{product}.i.b": identity}, "ab")
       for name, product, identity in (
           ("name and domain", "tenable", {"hostnames": ["nd~"], "domain": "corp.example"}), ("full name among the short ones", "qualys", {"hostnames": ["ND~.corp.example."]}),
           ("netbios name", "rapid7", {"netbios_name": "ND~", "domain": "CORP"}), ("down-level name", "tenable", {"hostnames": ["CORP\\ND~$"]}), ("resource of a cloud", "qualys", {"cloud_resource_id": "/subscriptions/s~/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"}))},
    **{f"a scanner finds no machine by a name in everybody's domain: {name}": Case({"tenable.a": identity}, "a", held="a")
       for name, identity in {"workgroup": {"hostnames": ["nd~"], "domain": "WORKGROUP"}, "of windows": {"hostnames": ["WORKGROUP\\ND~"]}, "home": {"hostnames": ["nd~.local"]}, "none": {"netbios_name": "ND~", "domain": "N/A"}, "a domain without a name": {"domain": "corp.example"}, "an address": {"hostnames": ["10.1.¤.2"]}}.items()},
    "what only looks at addresses adds to a machine": Case(
        {"nmap.a": {"ip_addresses": ["10.¤.6.7"], "fqdns": ["kn~.corp.example"]}, "edr.b": {"fqdns": ["kn~.corp.example"], "serial_number": "CZ~79"}}, "ab"
    ),
    "placeholder serial of many agents that tell no name": Case(
        {f"edr.{chr(0x100 + i)}": {"serial_number": "ACME-~", "agent_ids": {"aid": f"{i:02x}~" * 8}} for i in range(25)}, " ".join(chr(0x100 + i) for i in range(25)), words={chr(0x100): "identifies nothing here"}
    ),
    "two installations on one serial that tell no name": Case(
        {f"edr.{x}": {"serial_number": "5CG~2I", "agent_ids": {"aid": f"{x}~" * 8}} for x in "abc"}, "abc"
    ),
    "host of containers with a card of its own making for each": Case(
        {"edr.a": {"mac_addresses": [A, *(f"{i:x}6:00:00:~:00:{j:02x}" for i in range(16) for j in range(5))], "hostnames": ["kn~"], "serial_number": "CZ~K"}, "nac.b": {"mac_addresses": [A], "hostnames": ["kn~"]}}, "ab"
    ),
    "controller that lists the cards of eighty clients": Case(
        {"wlc.a": {"mac_addresses": [f"3c:7c:3f:~:{i:02x}:01" for i in range(80)], "hostnames": ["wlc~"]}, "nac.b": {"mac_addresses": ["3c:7c:3f:~:05:01"], "hostnames": ["wlc~"]}}, "a b", held="a", review="ab"
    ),
    "dock and lease of two laptops on two days are no pair": Case(
        {"nac.a": {"mac_addresses": [DOCK], "hostnames": ["la~"], "ip_addresses": ["10.¤.1.7"], "observed_at": "2026-11-16T10:00:00Z"}, "nac.b": {"mac_addresses": [DOCK], "hostnames": ["lb~"], "ip_addresses": ["10.¤.1.7"], "observed_at": "2026-11-18T10:00:00Z"}}, "a b", unlinked=("a member of b", "b member of a")
    ),
    "server that followed another on its address and card is no pair with it": Case(
        {"cmdb.a": {"serial_number": "CZ~1", "mac_addresses": [A], "hostnames": ["s~old"], "ip_addresses": ["10.¤.1.8"], "state": "retired"}, "cmdb.b": {"serial_number": "CZ~2", "mac_addresses": [A], "hostnames": ["s~new"], "ip_addresses": ["10.¤.1.8"]}}, "a b", unlinked=("a member of b", "b member of a")
    ),
    "firewalls of a pair, each seen by another product on another day": Case(
        {"pan.a": {"serial_number": "FW~1", "mac_addresses": [A], "hostnames": ["fw~a"], "ip_addresses": ["10.¤.1.9"], "observed_at": "2026-11-16T10:00:00Z"}, "cmdb.b": {"serial_number": "FW~2", "mac_addresses": [A], "hostnames": ["fw~b"], "ip_addresses": ["10.¤.1.9"]}}, "a b", links=("a member of b", "b member of a")
    ),
    "two docks between two laptops, a scan of both docks": Case(
        {"edr.a": {"mac_addresses": [A, DOCK, "00:e0:4c:68:~:02"], "serial_number": "5CG~1"}, "edr.b": {"mac_addresses": [B, DOCK, "00:e0:4c:68:~:02"], "serial_number": "5CG~2"}, "nac.c": {"mac_addresses": [DOCK, "00:e0:4c:68:~:02"]}}, "a b c", held="c", review="ca cb"
    ),
    "card on the radio, card on the cable, and an agent that lists both": Case(
        {"wlc.a": {"mac_addresses": [A], "hostnames": ["wl~"]}, "nac.b": {"mac_addresses": [B], "hostnames": ["wl~"]}, "edr.c": {"mac_addresses": [A, B], "hostnames": ["wl~"], "serial_number": "5CG~W"}, "wlc.d": {"mac_addresses": [A]}}, "abc d", held="d", review="dc"
    ),
    "router that answers for the addresses of twelve others": Case(
        {f"nac.{x}": {"mac_addresses": [A], "hostnames": [f"pa{x}~"], "ip_addresses": [f"10.¤.3.{i}"]} for i, x in enumerate("abcdefghijkl", 1)}, "a b c d e f g h i j k l"
    ),
    "telephone that lends its card to a laptop": Case(
        {"mdm.a": {"mac_addresses": ["ac:bc:32:~:00:01"], "serial_number": "F2L~P", "hostnames": ["phone~"]}, "edr.b": {"mac_addresses": [A, "ac:bc:32:~:00:01"], "serial_number": "5CG~T", "hostnames": ["lt~"]}}, "a b"
    ),
    "two cards of one server under two names of its networks": Case(
        {"edr.a": {"mac_addresses": [A, B], "fqdns": ["s~.corp.example"], "serial_number": "CZ~S"}, "tenable.b": {"mac_addresses": [A], "fqdns": ["s~.corp.example"]}, "tenable.c": {"mac_addresses": [B], "fqdns": ["s~-bkp.corp.example"]}}, "ab c", review="ac"
    ),
    "scanner's nameless row of a server is no second one beside it": Case(
        {"edr.a": {"serial_number": "CZ~1", "mac_addresses": [A, B], "hostnames": ["s~"], "ip_addresses": ["10.¤.1.11"]}, "nac.b": {"mac_addresses": [B], "ip_addresses": ["10.¤.1.11"]}}, "a b", held="b", review="ab", unlinked=("a member of b", "b member of a")
    ),
    **{
        f"two with one address and card, of which one has {what}": Case(
            {"nms.a": {"serial_number": "FWA~", "mac_addresses": ["00:1b:17:~:02:10"], "ip_addresses": ["10.¤.2.1"], **more}, "nms.b": {"serial_number": "FWB~", "mac_addresses": ["00:1b:17:~:02:10"], "ip_addresses": ["10.¤.2.1"]}}, "a b", links=() if endpoint else ("a member of b",), unlinked=("a member of b", "b member of a") if endpoint else ()
        )
        for what, more, endpoint in (
            ("nothing more", {}, False),
            ("a directory id", {"ad_object_guid": V}, True),
            ("a device id", {"entra_device_id": V}, True),
            ("a sid", {"ad_sid": "S-1-5-21-5-5-¤-1101"}, True),
            ("a cloud id", {"cloud_instance_id": "i-0abf0000000001~"}, True),
            ("an agent", {"agent_ids": {"aid": "~5" * 16}}, True),
            ("been retired", {"state": "retired"}, True),
            ("the model of a controller", {"attributes": {"model": "HPE iLO 5"}}, True),
        )
    },
    "firewall that another product still lists as retired": Case(
        {"cmdb.a": {"serial_number": "FWA~", "mac_addresses": ["00:1b:17:~:03:10"], "ip_addresses": ["10.¤.3.1"], "state": "retired"}, "nms.b": {"serial_number": "FWB~", "mac_addresses": ["00:1b:17:~:03:10"], "ip_addresses": ["10.¤.3.1"]}}, "a b", unlinked=("a member of b", "b member of a")
    ),
    "the dock that many share hides no other card": Case(
        {"edr.c": {"serial_number": "DKA~", "mac_addresses": ["00:e0:4c:69:~:01"]}, "edr.d": {"serial_number": "DKB~", "mac_addresses": ["00:e0:4c:69:~:01"]},
         "nac.a": {"fqdns": ["dk~.corp.example"], "mac_addresses": ["00:e0:4c:69:~:01", "3c:7c:3f:~:04:0a"], "agent_ids": {"nac": "~7" * 16}}, "epo.b": {"fqdns": ["dk~.corp.example"], "mac_addresses": ["00:e0:4c:69:~:01", "3c:7c:3f:~:04:0b"], "agent_ids": {"epo": "~8" * 16}}}, "a b c d"
    ),
    "number that a scanner gave to an address, then to another machine that has an agent": Case(
        {"qualys.a": {"agent_ids": {"qualys": "17¤"}, "hostnames": ["nu~a"]}, "qualys.b": {"agent_ids": {"qualys": "17¤", "aid": "~6" * 16}, "hostnames": ["nu~b"]}}, "a b", held="a"
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
