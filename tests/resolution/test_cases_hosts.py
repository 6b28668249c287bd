"""More of T42 to T54: names."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable

A, B = "3c:7c:3f:~:00:0a", "3c:7c:3f:~:00:0b"
G = "~b4a1c9-12f4-4e74-af7c-3b54377d15~"
OLD = {"first_seen": "2025-01-01T00:00:00Z", "last_seen": "2026-03-01T00:00:00Z", "observed_at": "2026-03-01T00:00:00Z"}
NEW = {"first_seen": "2026-05-03T00:00:00Z", "last_seen": "2026-11-20T09:00:00Z"}

CASES = {
    "long names that agree in fifteen characters, one windows domain": Case(
        {"edr.a": {"hostnames": ["production~-web-01"], "domain": "CORP"}, "cmdb.b": {"hostnames": ["production~-web-02"], "domain": "CORP"}}, "a b"
    ),
    "long name, its cut form and a second long name in another domain": Case(
        {"edr.a": {"fqdns": ["production~-web-01.eu.example"]}, "ad.b": {"netbios_name": "PRODUCTION~-WE", "domain": "EU"}, "edr.c": {"fqdns": ["production~-web-02.us.example"]}}, "ab c"
    ),
    "name cut at fifteen characters inside its domain": Case(
        {"edr.a": {"fqdns": ["accounting~-server-7.corp.example"]}, "ad.b": {"hostnames": ["CORP\\ACCOUNTING~-SERVER-7$".replace("~-SERVER-7", "~-SE")], "domain": "corp.example"}}, "ab"
    ),
    "all spellings of one name": Case(
        {"ad.a": {"hostnames": ["CORP\\SRV~$"]}, "dns.b": {"fqdns": ["SRV~.Corp.Example."]}, "krb.c": {"hostnames": ["host/srv~.corp.example"]}, "edr.d": {"hostnames": ["srv~"], "domain": "corp.example"}, "wsus.e": {"netbios_name": "SRV~", "domain": "CORP"}, "krb2.f": {"hostnames": ["SRV~$@CORP.EXAMPLE"]}},
        "abcdef",
    ),
    "names of words with a dot, on one docking station": Case(
        {f"{product}.{x}": {"hostnames": [f"Dr. {who}~'s MacBook"], "mac_addresses": [A]} for product, x, who in (("mdm", "a", "Smith"), ("nac", "b", "Jones"), ("edr", "c", "Jones"))}, "a bc"
    ),
    "rooms that differ behind a dot": Case(
        {f"{product}.{x}": {"hostnames": [f"Room ~ No. {x}"], "mac_addresses": [A]} for product, x in (("mdm", "a"), ("nac", "b"))}, "a b"
    ),
    "words before a domain are the same words without it": Case(
        {"nac.a": {"hostnames": ["Label Press ~.corp.example"], "mac_addresses": [A]}, "dhcp.b": {"hostnames": ["Label Press ~"], "mac_addresses": [A]}}, "ab"
    ),
    "one short name in two dns domains": Case({"edr.a": {"fqdns": ["w~.eu.example"]}, "edr2.b": {"fqdns": ["w~.us.example"]}}, "a b"),
    "workgroup machines of one name": Case(
        {"edr.a": {"hostnames": ["WG~"], "domain": "WORKGROUP"}, "nac.b": {"hostnames": ["WG~"], "domain": "WORKGROUP"}}, "a b", review="ab"
    ),
    "every tenant is called azuread": Case(
        {"mde.a": {"hostnames": ["AzureAD\\LT~"], "domain": "AzureAD"}, "nac.b": {"hostnames": ["LT~"], "domain": "AZUREAD"}}, "a b", review="ab"
    ),
    "home domains are no domains": Case(
        {"edr.a": {"fqdns": ["nb~.fritz.box"]}, "nac.b": {"fqdns": ["nb~.fritz.box"]}, "edr.c": {"fqdns": ["mb~.local"]}, "jamf.d": {"fqdns": ["mb~.local"], "serial_number": "C02~"}}, "a b c d", held="c"
    ),
    "a scanner sees the machine at work, not the retired one of its name": Case(
        {
            "cmdb.a": {"fqdns": ["rw~.corp.example"], "state": "retired", "serial_number": "5CG~RA"},
            "cmdb.b": {"fqdns": ["rw~.corp.example"], "state": "retired", "serial_number": "5CG~RB"},
            "edr.c": {"fqdns": ["rw~.corp.example"], "serial_number": "5CG~RC"},
            "scan.d": {"fqdns": ["rw~.corp.example"]},
        },
        "a b cd",
        words={"d": "retired"},
    ),
    "two machines at work leave the scanner's row open": Case(
        {
            "cmdb.a": {"fqdns": ["rx~.corp.example"], "serial_number": "5CG~RD"},
            "edr.b": {"fqdns": ["rx~.corp.example"], "serial_number": "5CG~RE"},
            "scan.c": {"fqdns": ["rx~.corp.example"]},
        },
        "a b c",
        held="c",
        review="ac bc",
    ),
    "a retired row is of the retired one of two machines": Case(
        {
            "cmdb.d": {"fqdns": ["ry~.corp.example"], "serial_number": "5CG~RF", "state": "retired"},
            "edr.e": {"fqdns": ["ry~.corp.example"], "serial_number": "5CG~RG"},
            "scan.f": {"fqdns": ["ry~.corp.example"], "state": "retired"},
        },
        "df e",
    ),
    "name used again after the machine was retired": Case(
        {"cmdb.a": {"fqdns": ["re~.corp.example"], "state": "retired", "serial_number": "5CG~O", **OLD}, "edr.b": {"fqdns": ["re~.corp.example"], **NEW}, "intune.c": {"fqdns": ["re~.corp.example"], "serial_number": "5CG~N", **NEW}},
        "a bc",
    ),
    "laptop set up anew under another name, an old entry tells the name that a new laptop took": Case(
        {"cmdb.a": {"serial_number": "5CG~HA", "fqdns": ["anna~.corp.example"], **OLD}, "mdm.b": {"serial_number": "5CG~HA", "hostnames": ["BOB~"], **NEW}, "scan.c": {"fqdns": ["anna~.corp.example"], **NEW}, "mdm.d": {"serial_number": "5CG~HB", "hostnames": ["ANNA~"], **NEW}},
        "ab c d", held="c", review="ac cd", words={"c": "used again"},
    ),
    "laptop set up anew under another name, the scan is of the new laptop that took its name": Case(
        {"cmdb.a": {"serial_number": "5CG~HA", "fqdns": ["anna~.corp.example"], **OLD}, "mdm.b": {"serial_number": "5CG~HA", "hostnames": ["BOB~"], **NEW}, "scan.c": {"fqdns": ["anna~.corp.example"], **NEW}, "mdm.d": {"serial_number": "5CG~HB", "fqdns": ["anna~.corp.example"], **NEW}},
        "ab cd",
    ),
    "old entry with the full name of a machine at work that its agent tells short": Case(
        {"cmdb.a": {"serial_number": "5CG~HC", "fqdns": ["ana~.corp.example"], **OLD}, "mdm.b": {"serial_number": "5CG~HC", "hostnames": ["ANA~"], **NEW}, "scan.c": {"fqdns": ["ana~.corp.example"], **NEW}},
        "abc",
    ),
    "retired entry tells the name that a laptop gave up, a new laptop goes by it": Case(
        {"cmdb.a": {"serial_number": "5CG~HD", "fqdns": ["anne~.corp.example"], "state": "retired"}, "mdm.b": {"serial_number": "5CG~HD", "hostnames": ["BOC~"]}, "scan.c": {"fqdns": ["anne~.corp.example"]}, "mdm.d": {"serial_number": "5CG~HE", "fqdns": ["anne~.corp.example"]}},
        "ab cd",
    ),
    "retired entry tells the name that a laptop gave up, a scan alone goes by it": Case(
        {"cmdb.a": {"serial_number": "5CG~HF", "fqdns": ["anni~.corp.example"], "state": "retired"}, "mdm.b": {"serial_number": "5CG~HF", "hostnames": ["BOD~"]}, "scan.c": {"fqdns": ["anni~.corp.example"]}},
        "ab c", review="ac",
    ),
    "retired entry and retired scan of the old name of a laptop at work": Case(
        {"cmdb.a": {"serial_number": "5CG~HG", "fqdns": ["anja~.corp.example"], "state": "retired"}, "mdm.b": {"serial_number": "5CG~HG", "hostnames": ["BOE~"]}, "scan.c": {"fqdns": ["anja~.corp.example"], "state": "retired"}},
        "abc",
    ),
    "retired entry of a machine that is at work under its name": Case(
        {"cmdb.a": {"serial_number": "5CG~HH", "fqdns": ["anka~.corp.example"], "state": "retired"}, "mdm.b": {"serial_number": "5CG~HH", "hostnames": ["ANKA~"]}, "scan.c": {"fqdns": ["anka~.corp.example"]}},
        "abc",
    ),
    "name used again, the old record without serial is a question": Case(
        {"cmdb.a": {"fqdns": ["rq~.corp.example"], **OLD}, "edr.b": {"fqdns": ["rq~.corp.example"], "serial_number": "5CG~N", **NEW}}, "a b", held="a", review="ab", words={"b": "used again"}
    ),
    "same full name, two mac addresses, two sources": Case(
        {"edr.a": {"fqdns": ["m~.corp.example"], "mac_addresses": [A]}, "nac.b": {"fqdns": ["m~.corp.example"], "mac_addresses": [B]}}, "a b", review="ab"
    ),
    "load balancer name on two servers": Case(
        {"edr.a": {"fqdns": ["lb~a.corp.example"], "serial_number": "CZ~A"}, "edr.b": {"fqdns": ["lb~b.corp.example"], "serial_number": "CZ~B"}, "tenable.c": {"fqdns": ["www~.corp.example", "lb~a.corp.example"]}, "tenable.d": {"fqdns": ["www~.corp.example", "lb~b.corp.example"]}},
        "ac bd",
    ),
    "one duplicate in the scanner leaves the agent's machine whole": Case(
        {"edr.a": {"fqdns": ["dup~.corp.example"], "serial_number": "CZ~D"}, "cmdb.b": {"fqdns": ["dup~.corp.example"], "serial_number": "CZ~D"}, "tenable.c": {"fqdns": ["dup~.corp.example"]}, "tenable.d": {"fqdns": ["dup~.corp.example"]}},
        "ab c d", held="cd", review="ca da",
    ),
    "mobile names of the maker": Case(
        {"nac.a": {"hostnames": ["Galaxy-S21"], "serial_number": "R5~A"}, "nac.b": {"hostnames": ["Galaxy-S21"]}, "nac.c": {"hostnames": ["iPhone-13"]}, "wlan.d": {"hostnames": ["iPhone-13"], "mac_addresses": [A]}}, "a b c d", held="bc"
    ),
    "names of templates": Case(
        {"edr.a": {"hostnames": ["W2019-TEMPLATE"], "mac_addresses": [A], "scope": "t~"}, "scan.b": {"hostnames": ["w2019-template"], "mac_addresses": [A], "scope": "t~"}}, "a b"
    ),
    "reverse names of leases": Case(
        {"edr.a": {"fqdns": ["dhcp-10-1-2-~.corp.example".replace("~", "7")], "serial_number": "5CG~1"}, "qualys.b": {"fqdns": ["dhcp-10-1-2-7.corp.example"]}, "qualys.c": {"fqdns": ["dhcp-117.corp.example"]}, "edr.d": {"fqdns": ["dhcp-117.corp.example"], "serial_number": "5CG~2"}},
        "a b c d", held="bc",
    ),
    "cluster name and both nodes": Case(
        {"ad.c": {"hostnames": ["SQL~CLUSTER"], "ad_object_guid": G, "ip_addresses": ["10.¤.0.5"]}, "edr.a": {"hostnames": ["SQL~N1"], "ip_addresses": ["10.¤.0.11", "10.¤.0.5"], "serial_number": "CZ~1"}, "edr.b": {"hostnames": ["SQL~N2"], "ip_addresses": ["10.¤.0.12"], "serial_number": "CZ~2"}},
        "c a b", links=("c runs on a",),
    ),
    "cluster name and what answers on its address without a name": Case(
        {"ad.c": {"hostnames": ["SQM~CLUSTER"], "ad_object_guid": G, "ip_addresses": ["10.¤.0.7"]}, "edr.a": {"serial_number": "CZ~M", "ip_addresses": ["10.¤.0.7"]}}, "c a", unlinked=("c runs on a",)
    ),
    "availability group listener": Case(
        {"dns.c": {"fqdns": ["ag~-listener.corp.example"], "ip_addresses": ["10.¤.0.6"]}, "edr.a": {"fqdns": ["ag~n1.corp.example"], "ip_addresses": ["10.¤.0.11", "10.¤.0.6"], "serial_number": "CZ~1"}},
        "c a", links=("c runs on a",),
    ),
    "management controller by name, model and suffix": Case(
        {"edr.a": {"serial_number": "USE~1", "hostnames": ["app~"]}, "oneview.b": {"serial_number": "USE~1", "hostnames": ["ILOUSE~1"], "mac_addresses": [B]}, "scan.d": {"serial_number": "USE~1", "hostnames": ["app~-r"], "attributes": {"model": "Integrated Lights-Out 5"}, "mac_addresses": [A]}},
        "a bd", links=("b part of a", "d part of a"),
    ),
    "management controller without serial shares nothing but the look of its name": Case(
        {"edr.a": {"serial_number": "USE~2", "hostnames": ["ap2~"], "fqdns": ["ap2~.corp.example"]}, "nac.b": {"hostnames": ["ap2~-ilo"], "fqdns": ["ap2~-ilo.corp.example"], "mac_addresses": [B]}}, "a b"
    ),
    "domains that are different words for one name stay for review": Case(
        {"ad.a": {"hostnames": ["ACME\\DB~$"]}, "edr.b": {"fqdns": ["db~.ad.example.com"]}}, "a b", review="ab"
    ),
    "unicode name and its ascii form are two names": Case(
        {"edr.a": {"fqdns": ["bücher~.corp.example"]}, "nac.b": {"fqdns": ["BÜCHER~.corp.example"]}, "dns.c": {"fqdns": ["xn--bcher~-kva.corp.example"]}}, "ab c"
    ),
    "descriptions of printers and phones are no names in a domain": Case(
        {f"{product}.{x}": {"hostnames": [name], "domain": "corp~.example", "serial_number": f"PRN~{x}"} for name, pair in (("Kyocera TASKalfa 3252ci", "ab"), ("Conference Room Printer", "cd"), ("Cisco IP Phone 7841", "ef")) for product, x in zip(("cherwell", "cmdb"), pair, strict=True)},
        "a b c d e f",
    ),
    "descriptions in one domain and no serial": Case(
        {"cherwell.a": {"hostnames": ["RICOH MP C3004"], "domain": "corp~.example", "mac_addresses": [A]}, "nac.b": {"hostnames": ["RICOH MP C3004"], "domain": "corp~.example", "mac_addresses": [B]}}, "a b"
    ),
    "a mac's name in words and as the network has it": Case(
        {"jamf.a": {"hostnames": ["Anna’s MacBook ~ Pro"], "mac_addresses": [A], "serial_number": "C02~"}, "nac.b": {"hostnames": ["Annas-MacBook-~-Pro.local"], "mac_addresses": [A]}, "dhcp.c": {"hostnames": ["Annas-MacBook-~-Air"], "mac_addresses": [A]}}, "ab c"
    ),
    "a name with blanks still confirms a card": Case(
        {"jamf.a": {"hostnames": ["Annas MacBook ~ Pro"], "mac_addresses": [A]}, "nac.b": {"hostnames": ["Annas MacBook ~ Pro"], "mac_addresses": [A]}}, "ab"
    ),
    "clusters by more words": Case(
        {x: row for i, name in enumerate(("WINCLUS¤", "CLUS-FILE¤", "SQLFCI¤", "SQLAG¤", "RAC¤-SCAN")) for x, row in ((f"ad.{'abcde'[i]}", {"hostnames": [name], "ip_addresses": [f"10.¤.2.{i}"]}), (f"edr.{'ABCDE'[i]}", {"hostnames": [f"nd~-{i}"], "ip_addresses": [f"10.¤.2.{i}"], "serial_number": f"CZ~K{i}"}))},
        "a b c d e A B C D E", links=("a runs on A", "b runs on B", "c runs on C", "d runs on D", "e runs on E"),
    ),
    "windows cluster by other words": Case(
        {"ad.c": {"hostnames": ["SQLCLUST¤"], "ip_addresses": ["10.¤.0.5"], "ad_object_guid": G}, "edr.a": {"hostnames": ["SQC~N1"], "ip_addresses": ["10.¤.0.5"], "serial_number": "CZ~1"}, "ad.d": {"hostnames": ["WSFC¤"], "ip_addresses": ["10.¤.1.5"]}, "edr.b": {"hostnames": ["WS~N1"], "ip_addresses": ["10.¤.1.5"], "serial_number": "CZ~2"}},
        "c a d b", links=("c runs on a", "d runs on b"),
    ),
    "active node that lists the name of its cluster": Case(
        {"ad.c": {"fqdns": ["sqlclu¤.corp.example"], "ad_object_guid": G, "ip_addresses": ["10.¤.0.5"]}, "edr.n": {"fqdns": ["cn~1.corp.example", "sqlclu¤.corp.example"], "ip_addresses": ["10.¤.0.5", "10.¤.0.11"], "serial_number": "CZ~N1"}, "cmdb.m": {"fqdns": ["cn~1.corp.example"]},
         "tenable.s": {"fqdns": ["sqlclu¤.corp.example"], "netbios_name": "CN~1", "domain": "corp.example", "ip_addresses": ["10.¤.0.5"]}},
        "c nms", links=("c runs on n",),
    ),
    "machines that are called like a cluster and nothing else": Case(
        {"edr.a": {"fqdns": ["pavip¤.corp.example"], "hostnames": ["PAVIP¤"], "serial_number": "CZ~V1"}, "cmdb.b": {"fqdns": ["pavip¤.corp.example"]}}, "ab"
    ),
    "management controller out of band": Case(
        {"edr.a": {"serial_number": "USE~7", "hostnames": ["ob~"]}, "scan.b": {"serial_number": "USE~7", "hostnames": ["ob~-oob"], "mac_addresses": [B]}}, "a b", links=("b part of a",)
    ),
    "machine renamed: serial, directory id or agent stay": Case(
        {"edr.a": {"hostnames": ["DESKTOP-A~"], "serial_number": "5CG~R1"}, "cmdb.b": {"hostnames": ["LT-A~"], "serial_number": "5CG~R1"}, "entra.c": {"hostnames": ["DESKTOP-C~"], "entra_device_id": G}, "mde.d": {"fqdns": ["lt-c~.corp.example"], "entra_device_id": G}, "edr.e": {"hostnames": ["DESKTOP-E~"], "agent_ids": {"aid": "~" * 16}}, "siem.f": {"hostnames": ["LT-E~"], "agent_ids": {"aid": "~" * 16}}},
        "ab cd ef",
    ),
    "names swapped between two machines": Case(
        {"edr.a": {"serial_number": "5CG~R6", "fqdns": ["x1~.corp.example"], **OLD}, "edr.b": {"serial_number": "5CG~R7", "fqdns": ["x2~.corp.example"], **OLD}, "mdm.c": {"serial_number": "5CG~R6", "fqdns": ["x2~.corp.example"], **NEW}, "mdm.d": {"serial_number": "5CG~R7", "fqdns": ["x1~.corp.example"], **NEW}}, "ac bd"
    ),
    "alias that two servers list, the old one and the new one": Case(
        {"edr.a": {"fqdns": ["s1~.corp.example", "app~.corp.example"], "serial_number": "CZ~A1"}, "edr.b": {"fqdns": ["s2~.corp.example", "app~.corp.example"], "serial_number": "CZ~A2"}, "tenable.c": {"fqdns": ["app~.corp.example"]}}, "a b c", held="c", review="ca cb"
    ),
    "connection suffix of the vpn beside the domain": Case(
        {"edr.a": {"fqdns": ["sf~.corp.example", "sf~.vpn.corp.example"], "serial_number": "5CG~SF"}, "vpn.b": {"fqdns": ["sf~.vpn.corp.example"]}, "ad.c": {"fqdns": ["sf~.corp.example"], "ad_object_guid": G}}, "abc"
    ),
    "stale object of the directory under the name of a new machine": Case(
        {"ad.a": {"ad_object_guid": G, "fqdns": ["st~.corp.example"], **OLD}, "ad.b": {"ad_object_guid": G.replace("b4a1c9", "b4a1d0"), "fqdns": ["st~.corp.example"], **NEW}, "edr.c": {"fqdns": ["st~.corp.example"], "serial_number": "5CG~ZC", **NEW}}, "a bc"
    ),
    "machine renamed, one card is not enough": Case(
        {"edr.a": {"hostnames": ["DESKTOP-G~"], "mac_addresses": [A]}, "nac.b": {"hostnames": ["LT-G~"], "mac_addresses": [A]}}, "a b", review="ab"
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
