"""Host names, addresses, agents and lifecycle: T42 to T79."""

from __future__ import annotations

import json
from typing import Any

import pytest
from resolution_kit import devices, seen


def test_t42_reused_name_is_two_laptops() -> None:
    out = devices(
        seen(
            "cmdb:p:1",
            serial_number="5CG0AAA",
            hostnames=["LT-0417"],
            fqdns=["lt-0417.corp.example"],
            last_seen="2025-11-02T00:00:00Z",
            observed_at="2025-11-02T00:00:00Z",
        ),
        seen(
            "edr:p:2",
            serial_number="5CD9BBB",
            hostnames=["LT-0417"],
            fqdns=["lt-0417.corp.example"],
            first_seen="2026-01-05T00:00:00Z",
        ),
    )
    assert out.apart("cmdb:p:1", "edr:p:2")


def test_t42_reused_name_without_serial_is_a_question_of_time() -> None:
    old = seen(
        "cmdb:p:1",
        fqdns=["lt-0417.corp.example"],
        first_seen="2024-01-01T00:00:00Z",
        observed_at="2025-11-02T00:00:00Z",
    )
    new = seen("edr:p:2", fqdns=["lt-0417.corp.example"], first_seen="2026-01-05T00:00:00Z")
    out = devices(old, new)
    assert out.apart("cmdb:p:1", "edr:p:2")
    assert out.review("edr:p:2") == {"cmdb:p:1"}
    assert devices({**old, "observed_at": new["observed_at"]}, new).together("cmdb:p:1", "edr:p:2")


@pytest.mark.parametrize(
    "name", ["localhost", "ubuntu", "iPhone", "MacBook-Pro", "raspberrypi", "android-5f2a", "iPad"]
)
def test_t44_generic_names_confirm_nothing(name: str) -> None:
    mac = "3c:7c:3f:00:00:01"
    out = devices(
        seen("edr:p:1", hostnames=[name], mac_addresses=[mac], agent_ids={"aid": "a1"}),
        seen("nac:p:2", hostnames=[name], mac_addresses=[mac]),
        seen("nac:p:3", hostnames=[name]),
    )
    assert out.apart("edr:p:1", "nac:p:2", "nac:p:3")
    assert name.lower() in out.suppressed("nac:p:3")


def test_t45_short_name_in_two_domains_is_for_review_and_bridges_nothing() -> None:
    out = devices(
        seen("tenable:p:s", hostnames=["web01"]),
        seen("edr:p:1", fqdns=["web01.eu.corp"]),
        seen("edr:p:2", fqdns=["web01.us.corp"]),
    )
    assert out.apart("tenable:p:s", "edr:p:1", "edr:p:2")
    assert out.review("tenable:p:s") == {"edr:p:1", "edr:p:2"}
    assert out.held("tenable:p:s")


def test_t46_names_cut_at_15_characters_agree_only_where_it_is_clear() -> None:
    cut = seen("ad:p:0", hostnames=["CORP\\PRODUCTION-WEB-"], netbios_name="PRODUCTION-WEB-")
    one = seen("edr:p:1", fqdns=["production-web-01.corp.example"])
    two = seen("edr:p:2", fqdns=["production-web-02.corp.example"])
    assert devices(cut, one).together("ad:p:0", "edr:p:1")
    out = devices(cut, one, two)
    assert out.apart("ad:p:0", "edr:p:1", "edr:p:2")
    assert out.review("ad:p:0") == {"edr:p:1", "edr:p:2"}


@pytest.mark.parametrize("field", ["hostnames", "fqdns"])
def test_t47_one_name_in_three_spellings(field: str) -> None:
    out = devices(
        seen("ad:p:1", hostnames=["CORP\\WEB01$"]),
        seen("dns:p:2", **{field: ["web01.corp.local."]}),
        seen("edr:p:3", hostnames=["WEB01"], domain="corp"),
        seen("wsus:p:4", netbios_name="WEB01", domain="corp.local"),
    )
    assert out.together("ad:p:1", "dns:p:2", "edr:p:3", "wsus:p:4")


def test_t47_netbios_domain_that_fits_two_dns_domains_is_ambiguous() -> None:
    out = devices(
        seen("ad:p:1", hostnames=["CORP\\WEB01$"]),
        seen("edr:p:2", fqdns=["web01.corp.local"]),
        seen("edr:p:3", fqdns=["web01.corp.com"]),
    )
    assert out.apart("ad:p:1", "edr:p:2", "edr:p:3")
    assert out.review("ad:p:1") == {"edr:p:2", "edr:p:3"}


def test_t50_cluster_name_runs_on_its_active_node() -> None:
    out = devices(
        seen(
            "ad:p:c",
            hostnames=["SQLCLU01"],
            ip_addresses=["10.0.0.5"],
            ad_object_guid="8f2d1c34-5a6b-4c7d-9e8f-000000000001",
        ),
        seen("edr:p:n", hostnames=["SQLN1"], ip_addresses=["10.0.0.5", "10.0.0.11"], serial_number="CZ50"),
    )
    assert out.apart("ad:p:c", "edr:p:n")
    assert out.links("ad:p:c") == {("runs on", "edr:p:n")}


@pytest.mark.parametrize("name", ["ILOUSE123", "idrac-8XK21Z3", "web01-ilo"])
def test_t51_management_controller_is_part_of_the_server(name: str) -> None:
    out = devices(
        seen("edr:p:1", serial_number="USE123", hostnames=["web01"], mac_addresses=["3c:7c:3f:00:00:01"]),
        seen("cmdb:p:2", serial_number="USE123"),
        seen("scan:p:b", serial_number="USE123", hostnames=[name], mac_addresses=["3c:7c:3f:00:00:0b"]),
    )
    assert out.together("edr:p:1", "cmdb:p:2")
    assert out.apart("edr:p:1", "scan:p:b")
    assert any(relationship == "part of" for relationship, _ in out.links("scan:p:b"))


def test_t52_printers_with_one_name() -> None:
    out = devices(
        *(
            seen(f"cherwell:p:{i}", hostnames=["HP LaserJet"], mac_addresses=[f"3c:7c:3f:00:52:{i:02x}"])
            for i in range(30)
        )
    )
    assert len(out.groups()) == 30
    assert "hp laserjet" in out.suppressed("cherwell:p:3")


def test_t54_one_duplicate_name_leaves_the_others_alone() -> None:
    count = 400
    edr = [seen(f"edr:p:{i}", fqdns=[f"h{i}.corp.example"], serial_number=f"SER{i:05}") for i in range(count)]
    scan = [seen(f"tenable:p:{i}", fqdns=[f"h{i}.corp.example"]) for i in range(count)]
    twin = seen("edr:p:twin", fqdns=["h7.corp.example"], serial_number="SERTWIN")
    out = devices(*edr, *scan, twin)
    assert all(out.together(f"edr:p:{i}", f"tenable:p:{i}") for i in range(count) if i != 7)
    assert out.apart("edr:p:7", "edr:p:twin", "tenable:p:7")


def test_t55_address_tracked_scanner_row_follows_no_laptop() -> None:
    out = devices(
        seen("edr:p:a", serial_number="AAA111", hostnames=["LT-A"], ip_addresses=["10.4.7.22"]),
        seen("edr:p:b", serial_number="BBB222", hostnames=["LT-B"], ip_addresses=["10.4.7.22"]),
        seen("qualys:p:1", ip_addresses=["10.4.7.22"]),
    )
    assert out.apart("edr:p:a", "edr:p:b", "qualys:p:1")
    assert out.held("qualys:p:1")
    assert out.review("qualys:p:1") == {"edr:p:a", "edr:p:b"}


def test_t55_one_host_id_on_two_days_bridges_no_two_laptops() -> None:
    both = {"agent_ids": {"qualys_host": "4711"}, "ip_addresses": ["10.4.7.22"]}
    out = devices(
        seen("edr:p:a", serial_number="AAA111", fqdns=["lt-a.corp.example"]),
        seen("edr:p:b", serial_number="BBB222", fqdns=["lt-b.corp.example"]),
        seen("qualys:p:mon", fqdns=["lt-a.corp.example"], observed_at="2026-11-19T10:00:00Z", **both),
        seen("qualys:p:tue", fqdns=["lt-b.corp.example"], **both),
    )
    assert out.apart("edr:p:a", "edr:p:b")


def test_t56_private_address_in_40_stores() -> None:
    out = devices(*(seen(f"scan:p:{i}", ip_addresses=["192.168.1.10"], scope=f"store-{i}") for i in range(40)))
    assert out.apart(*(f"scan:p:{i}" for i in range(40)))


def test_scope_limits_names_and_macs_and_not_serials() -> None:
    both = {"mac_addresses": ["3c:7c:3f:00:00:01"], "hostnames": ["pos1"], "fqdns": ["pos1.store.example"]}
    assert devices(seen("edr:p:1", scope="a", **both), seen("nac:p:2", scope="b", **both)).apart("edr:p:1", "nac:p:2")
    assert devices(seen("edr:p:1", scope="a", **both), seen("nac:p:2", scope="A", **both)).together(
        "edr:p:1", "nac:p:2"
    )
    assert devices(
        seen("edr:p:1", scope="a", serial_number="X56"),
        seen("nac:p:2", scope="b", serial_number="X567"),
        seen("cmdb:p:3", scope="c", serial_number="X567"),
    ).together("nac:p:2", "cmdb:p:3")


def test_t57_40_hosts_behind_one_egress_address() -> None:
    out = devices(
        *(seen(f"edr:p:{i}", ip_addresses=["203.0.113.9"], agent_ids={"aid": f"{i:032x}"}) for i in range(1, 41))
    )
    assert len(out.groups()) == 40


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.7.7", "fe80::1", "0.0.0.0"])
def test_t59_addresses_of_everyone(address: str) -> None:
    out = devices(
        seen("edr:p:1", ip_addresses=[address], agent_ids={"aid": "a1"}), seen("qualys:p:2", ip_addresses=[address])
    )
    assert out.apart("edr:p:1", "qualys:p:2")
    assert not out.review("qualys:p:2")
    assert address in out.suppressed("qualys:p:2")


def test_t61_reinstalled_agent_is_the_same_machine() -> None:
    both = {"serial_number": "5CG61", "smbios_uuid": "11f6e606-84d1-4e74-af7c-3b54377d15e3"}
    assert devices(
        seen("crowdstrike:p:1", agent_ids={"aid": "a1"}, **both),
        seen("crowdstrike:p:2", agent_ids={"aid": "b2"}, **both),
    ).together("crowdstrike:p:1", "crowdstrike:p:2")


def test_t62_two_rows_of_one_source_with_one_serial() -> None:
    assert devices(seen("cmdb:p:1", serial_number="5CG62"), seen("cmdb:p:2", serial_number="5CG62")).together(
        "cmdb:p:1", "cmdb:p:2"
    )


@pytest.mark.parametrize(("last", "joined"), [("2026-11-20T08:00:00Z", False), ("2026-06-01T08:00:00Z", True)])
def test_t64_two_agents_at_work_today_are_two_machines_and_a_silent_one_was_reinstalled(
    last: str, joined: bool
) -> None:
    both = {"mac_addresses": ["3c:7c:3f:00:00:64"], "hostnames": ["pc64"]}
    out = devices(
        seen(
            "tenable:p:1",
            agent_ids={"tenable": "a" * 31 + "1"},
            first_seen="2026-01-01T00:00:00Z",
            observed_at=last,
            last_seen=last,
            **both,
        ),
        seen(
            "tenable:p:2",
            agent_ids={"tenable": "a" * 31 + "2"},
            first_seen="2026-07-01T00:00:00Z",
            last_seen="2026-11-20T09:00:00Z",
            **both,
        ),
    )
    assert out.together("tenable:p:1", "tenable:p:2") is joined
    assert out.apart("tenable:p:1", "tenable:p:2") is not joined


def test_t65_equal_name_and_nothing_else() -> None:
    out = devices(
        seen("edr:p:1", hostnames=["pc65"], mac_addresses=["3c:7c:3f:00:00:01"], ip_addresses=["10.0.0.1"]),
        seen("nac:p:2", hostnames=["pc65"], mac_addresses=["3c:7c:3f:00:00:02"], ip_addresses=["10.0.0.2"]),
    )
    assert out.apart("edr:p:1", "nac:p:2")
    assert out.review("edr:p:1") == {"nac:p:2"}
    assert not out.held("edr:p:1")


def test_t66_stale_ci_without_serial() -> None:
    out = devices(
        seen("servicenow:p:1", hostnames=["PRODAPI007"], serial_number="", observed_at="2026-03-20T00:00:00Z"),
        seen("edr:p:2", hostnames=["PRODAPI007"], serial_number="CZ66", fqdns=["prodapi007.corp.example"]),
    )
    assert out.apart("servicenow:p:1", "edr:p:2")
    assert out.review("servicenow:p:1") == {"edr:p:2"}


def test_t68_retired_in_the_cmdb_and_alive_in_the_edr_is_a_contradiction() -> None:
    both = {"serial_number": "5CG68"}
    out = devices(
        seen("mdm:p:3", **both),
        seen("edr:p:2", **both, last_seen="2026-11-18T10:00:00Z"),
        seen("servicenow:p:1", **both, state="retired"),
    )
    assert out.together("servicenow:p:1", "edr:p:2", "mdm:p:3")
    said = "servicenow:p:1 calls the asset retired, but"
    of_edr = f"{said} edr holds it as active (last seen 2026-11-18) in edr:p:2"
    of_mdm = f"{said} mdm holds it as active (last seen 2026-11-20) in mdm:p:3"
    assert out.lines["servicenow:p:1"]["contradictions"] == [of_edr, of_mdm]
    assert out.lines["edr:p:2"]["contradictions"] == [of_edr]
    assert out.lines["mdm:p:3"]["contradictions"] == [of_mdm]


def test_t68_a_record_that_its_own_source_replaced_is_no_contradiction() -> None:
    both = {"serial_number": "5CG68"}
    out = devices(
        seen("edr:p:1", **both, state="retired"),
        seen("edr:p:2", **both),
        seen("cmdb:p:3", **both, state="retired"),
        seen("edr:other:4", **both, state="retired"),
        seen("cmdb:p:5", **both, state="retired"),
    )
    assert out.together("edr:p:1", "edr:p:2", "cmdb:p:3", "edr:other:4", "cmdb:p:5")
    assert out.lines["edr:p:1"]["contradictions"] == []
    told = [len(out.lines[record]["contradictions"]) for record in ("cmdb:p:3", "cmdb:p:5", "edr:other:4", "edr:p:2")]
    assert told == [1, 1, 1, 3]


def test_t70_equal_imei_and_other_serial() -> None:
    assert devices(
        seen("intune:p:1", imei="490154203237518", serial_number="C39AAA"),
        seen("mdm:p:2", imei="490154203237518", serial_number="C39BBB"),
    ).apart("intune:p:1", "mdm:p:2")


def test_t70_both_radios_of_one_phone() -> None:
    out = devices(
        seen("intune:p:1", imei="490154203237518", serial_number="C39AAA"),
        seen("mdm:p:2", imei="490154203237526", serial_number="C39AAA"),
        seen("edr:p:3", imei="49-015420-323751-8"),
    )
    assert out.together("intune:p:1", "mdm:p:2", "edr:p:3")


def test_t76_backfill_of_one_record_changes_nothing() -> None:
    now = seen("edr:p:1", serial_number="5CG76", hostnames=["new"])
    then = seen("edr:p:1", serial_number="5CG00", hostnames=["old"], observed_at="2026-06-01T00:00:00Z")
    other = seen("cmdb:p:2", serial_number="5CG76")
    assert devices(now, other, then).together("edr:p:1", "cmdb:p:2")
    assert devices(then, now, other).together("edr:p:1", "cmdb:p:2")


def test_t79_scanner_sees_an_unknown_host() -> None:
    out = devices(
        seen("qualys:p:1", ip_addresses=["10.9.9.9"], hostnames=["unknown-box"]),
        seen("tenable:p:2", ip_addresses=["10.9.9.8"]),
    )
    assert out.held("qualys:p:1")
    assert out.held("tenable:p:2")


#: What two machines may agree on, and what forbids it; ~ is the number of the pair.
EQUAL: dict[str, dict[str, Any]] = {
    "serial_number": {"serial_number": "SAME~01"},
    "smbios_uuid": {"smbios_uuid": "11f6e606-84d1-4e74-af7c-3b54377d15~"},
    "agent": {"agent_ids": {"aid": "abc~" * 8}},
    "mac": {"mac_addresses": ["3c:7c:3f:00:00:~"], "hostnames": ["pc~"]},
    "fqdn": {"fqdns": ["pc~.corp.example"]},
    "entra_device_id": {"entra_device_id": "0b5b7a39-0000-4000-8000-0000000000~"},
}
AGAINST: dict[str, tuple[str, str]] = {
    "entra_device_id": ("0b5b7a39-0000-4000-8000-0000000001~", "0b5b7a39-0000-4000-8000-0000000002~"),
    "cloud_instance_id": ("i-0aa1~", "i-0aa2~"),
    "ad_object_guid": ("0b5b7a39-0000-4000-8000-0000000003~", "0b5b7a39-0000-4000-8000-0000000004~"),
    "serial_number": ("SER~1X", "SER~2X"),
}


def test_a_higher_disagreement_forbids_a_lower_agreement_and_is_told() -> None:
    pairs = [(equal, against) for equal in EQUAL for against in AGAINST if equal != against]
    rows = []
    for number, (equal, against) in enumerate(pairs, start=10):
        for place, record in enumerate((f"a:p:{number}", f"b:p:{number}")):
            told = json.dumps({**EQUAL[equal], against: AGAINST[against][place]})
            rows.append(seen(record, **json.loads(told.replace("~", str(number)))))
    out = devices(*rows)
    for number, pair in enumerate(pairs, start=10):
        assert out.apart(f"a:p:{number}", f"b:p:{number}"), pair
        assert out.verdicts(f"a:p:{number}") & {"vetoed", "suppressed"}, pair
