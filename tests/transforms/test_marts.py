from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .estate import DAY, Estate, as_json, connection, observation, sync

SERVER = observation("tenable:prod:1", serial_number="S1", device_category="Server", hostnames=["web01"])


def finding(record: str, **values: Any) -> dict[str, Any]:
    product, instance, record_id = record.split(":")
    base = {
        "record": record,
        "product": product,
        "instance": instance,
        "stream": "vulns",
        "record_id": record_id,
        "sync": "s1",
        "page": 3,
        "row_number": 42,
        "asset_kind": "device",
        "asset_record": "tenable:prod:1",
        "status": "open",
    }
    return {**base, **values}


def edge(source: str, target: str, label: str = "owns", **values: Any) -> dict[str, Any]:
    product, instance, _ = source.split(":")
    base = {"product": product, "instance": instance, "stream": "x", "relationship": label, "is_active": True}
    return {
        **base,
        "source_kind": "device",
        "source_record": source,
        "target_kind": "device",
        "target_record": target,
        **values,
    }


def test_every_model_runs_and_holds_its_tests_when_nothing_was_ever_landed(estate: Estate) -> None:
    results = estate.build(syncs=[], connections=[])
    failed = [(result.name, check.name) for result in results.values() for check in result.checks if not check.passed]
    assert failed == []
    assert sum(result.rows for result in results.values() if result.layer == "marts") == 0


def test_no_contract_test_fails_on_an_ordinary_day(estate: Estate) -> None:
    results = estate.build(
        devices=[SERVER, observation("defender_endpoint:prod:1", serial_number="S1")],
        identities=[observation("acme:prod:u1", identity_type="user")],
        applications=[observation("acme:prod:a1", application_type="software", name="Wiki")],
        cloud_resources=[observation("acme:prod:c1", native_id="/A", resource_type="X/Y", provider="Azure")],
        findings=[finding("tenable:prod:f1", cve_id="CVE-2026-0001", severity="high", evidence='{"port": 443}')],
        vulnerabilities=[
            {"product": "tenable", "instance": "prod", "cve_id": "CVE-2026-0001", "severity": "low", "epss_score": 0.5}
        ],
        relationships=[edge("acme:prod:u1", "tenable:prod:1", "frequently logged in by", source_kind="identity")],
    )
    failed = [(result.name, check.name) for result in results.values() for check in result.checks if not check.passed]
    assert failed == []
    assert all(results[mart].rows for mart in ("devices", "identities", "applications", "cloud_resources"))
    assert all(results[mart].rows for mart in ("findings", "vulnerabilities", "relationships", "billable_assets"))


def test_the_type_of_a_resource_does_not_change_with_the_product_that_looked_last(estate: Estate) -> None:
    told = {"native_id": "//sql/db1", "provider": "gcp"}
    morning, evening = datetime(2026, 6, 1, 6), datetime(2026, 6, 1, 18)
    estate.build(
        cloud_resources=[
            observation("acme:prod:c1", resource_type="rds/dbInstance", observed_at=morning, **told),
            observation("tenable:prod:c1", resource_type="GOOGLE_CLOUD_SQL", observed_at=evening, **told),
            observation("acme:prod:c2", resource_type="OLDER", observed_at=morning, native_id="//x", provider="gcp"),
            observation("tenable:prod:c2", resource_type="NEWER", observed_at=evening, native_id="//x", provider="gcp"),
        ],
    )
    found = estate.rows("select resource_type from cloud_resources order by 1")
    assert [row["resource_type"] for row in found] == ["newer", "rds/dbinstance"]


def test_a_cve_is_one_row_with_the_worst_that_anyone_says(estate: Estate) -> None:
    said = {"instance": "prod"}
    estate.build(
        devices=[SERVER],
        vulnerabilities=[
            {**said, "product": "tenable", "cve_id": "cve-2026-1", "severity": "medium", "cvss_score": 9.1},
            {
                **said,
                "product": "acme",
                "cve_id": "CVE-2026-1",
                "severity": "critical",
                "cvss_score": 4.0,
                "epss_score": 0.2,
            },
            {**said, "product": "servicenow", "cve_id": "CVE-2026-1", "exploit_available": True},
        ],
        findings=[finding("tenable:prod:f2", cve_id="CVE-2026-2", severity="low")],
    )
    worst, mentioned = estate.rows("from vulnerabilities order by cve_id")
    assert (worst["cve_id"], worst["severity"], worst["cvss_score"], worst["epss_score"]) == (
        "CVE-2026-1",
        "critical",
        9.1,
        0.2,
    )
    assert worst["exploit_available"] is True
    assert (mentioned["cve_id"], mentioned["severity"], mentioned["exploit_available"]) == ("CVE-2026-2", "low", False)


def test_findings_follow_their_record_to_the_asset_and_say_where_they_were_landed(estate: Estate) -> None:
    estate.build(
        devices=[SERVER, observation("acme:prod:9", serial_number="S9", authority="update")],
        vulnerabilities=[{"product": "acme", "instance": "prod", "cve_id": "CVE-2026-1", "severity": "critical"}],
        findings=[
            finding("tenable:prod:f1", cve_id="cve-2026-1", evidence='{"port": 443}', fixed_at=datetime(2026, 1, 1)),
            finding("tenable:prod:f2", status="fixed", last_seen=datetime(2026, 5, 1)),
            finding("tenable:prod:f3", asset_record="tenable:prod:unheard"),
            finding("tenable:prod:f4", asset_record="acme:prod:9"),
        ],
    )
    first, second = estate.rows(
        "select f.*, d.display_name from findings f join devices d on d.device_id = f.asset_id order by source_record"
    )
    assert (first["display_name"], first["cve_id"], first["severity"], first["source"]) == (
        "web01",
        "CVE-2026-1",
        "critical",
        "tenable",
    )
    assert first["fixed_at"] is None
    evidence = as_json(first["evidence"])
    assert evidence["port"] == 443
    assert evidence["landed"] == {"instance": "prod", "stream": "vulns", "sync": "s1", "page": 3, "row": 42}
    assert (second["severity"], second["fixed_at"]) == ("info", datetime(2026, 5, 1))
    missing = estate.rows("select reason, records from unresolved_references order by reason")
    assert missing == [{"reason": "held", "records": 1}, {"reason": "not reported", "records": 1}]


def test_findings_of_a_device_that_a_partial_sync_missed_stay_on_it(estate: Estate) -> None:
    estate.build(devices=[SERVER], findings=[finding("tenable:prod:f1")])
    expected = estate.rows("select finding_id, asset_id from findings")
    next_day = DAY + timedelta(days=1)
    estate.build(next_day, syncs=[sync("tenable", next_day, state="partial")], findings=[finding("tenable:prod:f1")])
    assert estate.rows("select finding_id, asset_id from findings") == expected


def test_an_edge_that_several_report_is_one_edge(estate: Estate) -> None:
    estate.build(
        devices=[
            SERVER,
            observation("acme:prod:1", serial_number="S1"),
            observation("acme:prod:2", serial_number="S2"),
        ],
        relationships=[
            edge("tenable:prod:1", "acme:prod:2", properties='{"role": "a", "x": 1}', last_seen=datetime(2026, 11, 1)),
            edge("acme:prod:1", "acme:prod:2", properties='{"role": "b"}', last_seen=datetime(2026, 11, 3)),
            edge("acme:prod:1", "acme:prod:2", "manages"),
            edge("acme:prod:1", "tenable:prod:1", "manages"),
            edge("acme:prod:2", "acme:prod:1", is_active=False),
            edge("acme:prod:2", "acme:prod:3"),
        ],
    )
    manages, owns = estate.rows("from relationships order by relationship")
    assert (manages["relationship"], manages["properties"]) == ("manages", None)
    assert owns["discovery_sources"] == ["acme", "tenable"]
    assert owns["last_seen"] == datetime(2026, 11, 3)
    properties = as_json(owns["properties"])
    assert properties["x"] == 1
    assert {"role": "b"} in properties["statements"]
    assert len(properties["statements"]) == 2
    assert estate.row("select reason, records from unresolved_references") == {"reason": "not reported", "records": 1}


def test_cloud_resources_agree_on_the_providers_name_in_any_case(estate: Estate) -> None:
    old = datetime(2026, 11, 1)
    estate.build(
        cloud_resources=[
            observation(
                "acme:prod:1", native_id="/Subs/A/vm", display_name="new", criticality=2, is_internet_facing=False
            ),
            observation(
                "tenable:prod:1",
                native_id="/subs/a/VM",
                display_name="old",
                observed_at=old,
                is_internet_facing=True,
                criticality=0,
            ),
            observation("tenable:prod:2", native_id="/subs/b", authority="update"),
            observation("tenable:prod:3", native_id=" "),
        ]
    )
    found = estate.row("from cloud_resources")
    assert (found["native_id"], found["display_name"]) == ("/subs/a/vm", "new")
    assert (found["is_internet_facing"], found["criticality_level"]) == (True, 0)
    assert found["discovery_sources"] == ["acme", "tenable"]
    assert len(found["resource_id"]) == 32


#: How products write operating systems -> platform, version.
SYSTEMS = {
    "Windows11": ("Windows11", None),
    "Microsoft Windows 11 Enterprise": ("Windows11", None),
    "Windows 10 Pro 22H2": ("Windows10", None),
    "windows": ("Windows", None),
    "WindowsServer2012R2": ("WindowsServer2012R2", None),
    "Microsoft Windows Server 2012 R2 Standard 6.3": ("WindowsServer2012R2", "6.3"),
    "Windows Server 2019 Datacenter": ("WindowsServer2019", None),
    "Windows 2016 Server": ("WindowsServer2016", None),
    "Windows Server": ("Windows Server", None),
    "Red Hat Enterprise Linux 9.4 (Plow)": ("RedHatEnterpriseLinux", "9.4"),
    "Linux Kernel 5.15.0 on Ubuntu 22.04": ("Ubuntu", "22.04"),
    "MacMDM": ("macOS", None),
    "Mac OS X 10.15.7": ("macOS", "10.15.7"),
    "iOS": ("iOS", None),
    "Cisco IOS 15.2": ("Cisco IOS 15.2", "15.2"),
    "VMware ESXi 8.0.2 build-1": ("VMware ESXi 8.0.2 build-1", "8.0.2"),
    "SUSE Linux Enterprise Server 15 SP5": ("SUSE", None),
    "Windows NT": ("Windows NT", None),
}


def test_operating_systems_have_one_name_whatever_each_product_calls_them(estate: Estate) -> None:
    estate.build(
        devices=[
            observation(f"acme:prod:{i:02}", serial_number=f"5CG{i:03}XYZ", os_platform=written)
            for i, written in enumerate(SYSTEMS)
        ]
    )
    found = estate.rows("select os_platform, os_version from devices order by source_records")
    assert [(row["os_platform"], row["os_version"]) for row in found] == list(SYSTEMS.values())


def test_names_that_one_inventory_tells_apart_by_case_alone_are_two_resources(estate: Estate) -> None:
    function = "arn:aws:lambda:eu-west-1:725593204249:function:"
    names = {
        "acme:prod:1": function + "resizeImage",
        "acme:prod:2": function + "ResizeImage",
        "tenable:prod:1": function + "resizeImage",
        # one product writes a bucket as the cloud does, the other in lower case; of Azure's names one writes two cases
        "acme:prod:3": "arn:aws:s3:::CorpLogs",
        "tenable:prod:3": "arn:aws:s3:::corplogs",
        "acme:prod:4": " /subscriptions/S/vm",
        "acme:prod:5": " /subscriptions/s/VM ",
    }
    estate.build(cloud_resources=[observation(record, native_id=name) for record, name in names.items()])
    found = estate.rows("select native_id, source_records from cloud_resources order by native_id")
    assert [(row["native_id"], row["source_records"]) for row in found] == [
        ("/subscriptions/s/vm", ["acme:prod:4", "acme:prod:5"]),
        (function + "ResizeImage", ["acme:prod:2"]),
        (function + "resizeImage", ["acme:prod:1", "tenable:prod:1"]),
        ("arn:aws:s3:::CorpLogs", ["acme:prod:3", "tenable:prod:3"]),
    ]


def test_a_slash_or_a_line_end_behind_its_name_makes_no_second_resource(estate: Estate) -> None:
    vault = "/subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/vaults/v"
    names = [vault, f"{vault}/", f"\t{vault}/\n", f"{vault}/secrets/a", "arn:aws:s3:::data", "arn:aws:s3:::data\n"]
    estate.build(cloud_resources=[observation(f"acme:prod:{i}", native_id=name) for i, name in enumerate(names)])
    assert estate.rows("select native_id, len(source_records) as records from cloud_resources order by native_id") == [
        {"native_id": vault, "records": 3},
        {"native_id": f"{vault}/secrets/a", "records": 1},
        {"native_id": "arn:aws:s3:::data", "records": 2},
    ]


def test_what_made_records_one_cloud_resource_is_told_as_of_every_other_kind(estate: Estate) -> None:
    bucket = "arn:aws:s3:::CorpLogs"
    names = {
        "acme:prod:1": bucket,
        "tenable:prod:1": f"{bucket}\n",
        "acme:prod:2": "arn:aws:s3:::other",
        "acme:prod:3": None,
    }
    estate.marts = ["int_cloud_resources_decisions"]
    estate.build(cloud_resources=[observation(record, native_id=name) for record, name in names.items()])
    assert estate.rows("select record, other_record, verdict, sentence from int_cloud_resources_decisions") == [
        {
            "record": "tenable:prod:1",
            "other_record": "acme:prod:1",
            "verdict": "joined",
            "sentence": "same full name at its cloud arn:aws:s3:::corplogs as acme:prod:1",
        }
    ]


def test_a_word_for_nothing_is_no_name_of_a_cloud_resource(estate: Estate) -> None:
    words = ("n/a", "N/A ", "Unknown", "null", "0", "00000000-0000-0000-0000-000000000000", "-", "None-such")
    told = enumerate(name for name in words for _ in range(2))
    estate.build(cloud_resources=[observation(f"acme:prod:{i}", native_id=name) for i, name in told])
    assert estate.rows("select native_id, len(source_records) as records from cloud_resources") == [
        {"native_id": "None-such", "records": 2}
    ]


def test_a_cloud_resource_keeps_what_each_product_tells_of_it_and_of_one_thing_the_newest(estate: Estate) -> None:
    told = {
        "acme:prod:1": (1, '{"acmeAssetInfo": {"score": 1}, "publicNetworkAccess": "Enabled"}'),
        "tenable:prod:1": (2, '{"tenableAssetInfo": {"rating": 7}, "publicNetworkAccess": "Disabled"}'),
        "tenable:prod:2": (3, None),
    }
    estate.build(
        cloud_resources=[
            observation(record, native_id="/a", observed_at=datetime(2026, 11, day), properties=properties)
            for record, (day, properties) in told.items()
        ]
    )
    assert as_json(estate.row("from cloud_resources")["properties"]) == {
        "acmeAssetInfo": {"score": 1},
        "tenableAssetInfo": {"rating": 7},
        "publicNetworkAccess": "Disabled",
    }


def test_a_gap_is_raised_where_a_connected_role_does_not_really_cover(estate: Estate) -> None:
    estate.build(
        devices=[
            SERVER,
            observation("defender_endpoint:prod:1", serial_number="S1", is_managed=False),
            observation("defender_endpoint:prod:2", serial_number="S2", device_category="Server", is_managed=True),
            observation("servicenow:prod:2", serial_number="S2", state="retired"),
        ],
        connections=[connection(product) for product in ("tenable", "defender_endpoint", "servicenow")],
    )
    gaps = estate.rows(
        "select d.serial_number, missing, reason from coverage_gaps g join devices d on d.device_id = g.asset_id order by all"
    )
    assert gaps == [
        {"serial_number": "S1", "missing": "cmdb", "reason": "no record from servicenow"},
        {"serial_number": "S1", "missing": "edr", "reason": "defender_endpoint: known but not managed"},
        {"serial_number": "S2", "missing": "cmdb", "reason": "servicenow: retired"},
    ]


def test_t75_a_device_that_left_its_edr_stays_with_the_values_of_the_next_source_and_a_gap(estate: Estate) -> None:
    connections = [connection(product) for product in ("tenable", "defender_endpoint")]
    edr = observation("defender_endpoint:prod:1", serial_number="S1", model="of the edr", owner="edr", is_managed=True)
    scanned = {"serial_number": "S1", "device_category": "Server", "model": "of the scanner"}
    known = "select device_id, lifecycle_state, retired_at, model, owner, discovery_sources from devices"
    older = datetime(2026, 11, 19)
    estate.build(devices=[edr, observation("tenable:prod:1", **scanned, observed_at=older)], connections=connections)
    before = estate.row(known)
    assert (before["model"], before["owner"]) == ("of the edr", "edr")
    assert estate.rows("from coverage_gaps") == []
    day = DAY + timedelta(days=1)
    estate.build(day, devices=[observation("tenable:prod:1", day, **scanned)], connections=connections)
    after = estate.row(known)
    assert (after["device_id"], after["lifecycle_state"]) == (before["device_id"], "active")
    assert (after["retired_at"], after["model"], after["owner"]) == (None, "of the scanner", None)
    assert after["discovery_sources"] == ["tenable"]
    gap = estate.row("from coverage_gaps")
    assert (gap["missing"], gap["reason"]) == ("edr", "no record from defender_endpoint")


def test_a_role_that_nothing_connected_plays_is_no_gap(estate: Estate) -> None:
    estate.build(devices=[SERVER], connections=[connection("tenable"), connection("servicenow", enabled=False)])
    assert estate.rows("from coverage_gaps") == []


def test_every_reported_record_is_billed_once_or_excluded_for_one_reason(estate: Estate) -> None:
    estate.build(
        devices=[
            SERVER,
            observation("tenable:prod:2", serial_number="S1"),
            observation("tenable:prod:3", serial_number="S3", state="retired"),
            observation("tenable:prod:4", serial_number="S4", last_seen=datetime(2026, 1, 1)),
            observation("tenable:prod:5", serial_number="S5", authority="update"),
            observation("acme:prod:1", serial_number="S1"),
        ],
        identities=[observation("acme:prod:u1", identity_type="user")],
    )
    bill = {(row["product"], row["asset_kind"]): row for row in estate.rows("from billable_assets")}
    tenable = bill[("tenable", "device")]
    assert (tenable["billable_assets"], tenable["reported_assets"]) == (1, 5)
    assert as_json(tenable["excluded_by_reason"]) == {
        "duplicate_record": 1,
        "not_enough_identity": 1,
        "retired": 1,
        "silent_beyond_window": 1,
    }
    assert bill[("acme", "device")]["billable_assets"] == 1
    assert as_json(bill[("acme", "identity")]["excluded_by_reason"]) == {"kind_not_billable": 1}
    for row in bill.values():
        assert row["reported_assets"] == row["billable_assets"] + sum(as_json(row["excluded_by_reason"]).values())


def test_what_merely_holds_resources_is_not_billed(estate: Estate) -> None:
    estate.build(
        cloud_resources=[
            observation("acme:prod:/subscriptions/s", native_id="/subscriptions/s", is_container=True),
            observation("acme:prod:/subscriptions/s/vault", native_id="/subscriptions/s/vault", is_container=False),
        ],
        connections=[connection("acme", asset_kinds=["cloud_resource"], billable_kinds=["cloud_resource"])],
    )
    (bill,) = estate.rows("from billable_assets")
    assert (bill["billable_assets"], bill["reported_assets"]) == (1, 2)
    assert as_json(bill["excluded_by_reason"]) == {"holds_other_resources": 1}


def test_connector_status_tells_the_newest_sync_and_the_one_that_is_read(estate: Estate) -> None:
    read = datetime(2026, 11, 18)
    estate.build(syncs=[sync("tenable", DAY, state="failed", reason="HTTP 500", read_synced_at=read, stale=True)])
    found = estate.row("from connector_status")
    assert (found["state"], found["reason"], found["read_synced_at"], found["stale"]) == (
        "failed",
        "HTTP 500",
        read,
        True,
    )


def test_the_marts_hold_at_least_the_promised_columns(estate: Estate) -> None:
    promised = {
        "devices": "device_id, display_name, fqdn, device_category, os_platform, os_version, manufacturer, model, "
        "serial_number, mac_addresses, ip_addresses, cloud_provider, cloud_resource_id, entra_device_id, owner, "
        "is_internet_facing, is_managed, criticality_level, discovery_sources, source_records, first_seen, last_seen, "
        "lifecycle_state",
        "identities": "identity_id, display_name, identity_type, upn, email, employee_id, is_enabled, is_privileged, "
        "mfa_registered, criticality_level, discovery_sources, source_records, first_seen, last_seen, lifecycle_state",
        "applications": "application_id, display_name, application_type, owner, vendor, environment, criticality_level, "
        "discovery_sources, source_records, first_seen, last_seen, lifecycle_state",
        "cloud_resources": "resource_id, display_name, resource_type, provider, account_id, region, native_id, "
        "is_container, is_internet_facing, contains_sensitive_data, criticality_level, discovery_sources, first_seen, "
        "last_seen, lifecycle_state",
        "vulnerabilities": "cve_id, severity, cvss_score, epss_score, exploit_available, published_at",
        "findings": "finding_id, asset_kind, asset_id, cve_id, source, status, severity, first_seen, last_seen, "
        "fixed_at, evidence",
        "relationships": "relationship_id, relationship, source_kind, source_id, target_kind, target_id, properties, "
        "discovery_sources, first_seen, last_seen",
        "billable_assets": "snapshot_date, product, instance, asset_kind, billable_assets, reported_assets, "
        "excluded_by_reason",
        "coverage_gaps": "asset_kind, asset_id, missing, reason",
        "asset_changes": "snapshot_date, asset_kind, asset_id, change, field, before, after",
        "connector_status": "product, instance, stream, scope, state, synced_at, records, quarantined, requests, "
        "waited_seconds",
    }
    for mart, columns in promised.items():
        model = estate.project.model(mart)
        assert [column.name for column in model.columns][: len(columns.split(", "))] == columns.split(", "), mart
        assert model.description
        assert all(column.description for column in model.columns), mart
