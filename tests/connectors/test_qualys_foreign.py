"""Qualys in the shapes of clients' recordings and mock servers, by its base address alone.

Every test is named after the trap it guards. The recorded records are those of test_qualys_replay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import Answer, Asked, foreign
from .test_qualys_replay import CSAM_ASSET, DETECTION, csam, estate, xml


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def bare(root: str, inner: str) -> Answer:
    """A list as clients' tests write it: no date, no document type, indented, with an empty line at its end."""
    return Answer(f"<{root}>\n  <RESPONSE>\n    {inner}\n  </RESPONSE>\n</{root}>\n\n", content_type="text/xml")


def test_an_empty_list_without_a_date_is_an_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(
        hosts=bare("HOST_LIST_OUTPUT", "<HOST_LIST></HOST_LIST>"),
        detections=bare("HOST_LIST_VM_DETECTION_OUTPUT", "<HOST_LIST />"),
        entries=bare("KNOWLEDGE_BASE_VULN_LIST_OUTPUT", ""),
    )
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        report = qualys.sync("hosts", "detections", "knowledge_base")
        assert {(m.stream, m.state, m.records) for m in report.streams} == {
            (name, "complete", 0) for name in ("hosts", "detections", "knowledge_base")
        }


def test_xml_that_is_no_list_is_no_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(hosts=Answer("<status><code>1</code></status>", content_type="text/xml"))
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        found = manifest(qualys.sync("hosts"), "hosts")
        assert (found.state, found.records) == ("failed", 0)


def test_a_platform_that_is_behind_is_asked_in_the_version_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = [
        (pattern.replace("[0-9.]+", "2[.]0") if isinstance(pattern, str) else pattern, answer)
        for pattern, answer in estate()
    ]
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        report = qualys.sync("hosts", "detections", "knowledge_base")
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1]
        paths = [path.split()[1] for path in qualys.vendor.paths()]
        assert [path for path in paths if path.endswith("/host/")] == [
            f"/api/{version}.0/fo/asset/host/" for version in (5, 4, 3, 2)
        ]


def test_a_platform_without_the_api_fails_by_the_version_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("qualys", [], tmp_path, monkeypatch, username="u") as qualys:
        found = manifest(qualys.sync("hosts"), "hosts")
        assert found.state == "failed"
        assert "/api/5.0/fo/asset/host/" in str(found.reason)


def test_a_full_page_without_an_end_mark_is_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(asked: Asked) -> Any:
        start = int(asked.query["lastSeenAssetId"])
        found = csam([{**CSAM_ASSET, "assetId": start + 1}] if start < 3 else [])
        del found["hasMore"]
        return {**found, "lastSeenAssetId": start + 1}

    with foreign("qualys", estate(csam=pages), tmp_path, monkeypatch, username="u") as qualys:
        options = {"gateway_url": qualys.vendor.base}
        found = manifest(qualys.sync("csam_assets", csam_page=1, **options), "csam_assets")
        assert (found.state, found.records) == ("complete", 3)
        found = manifest(qualys.sync("csam_assets", csam_page=100, **options), "csam_assets")
        assert (found.state, found.records) == ("complete", 1)


OLD_HOST: dict[str, Any] = {
    "ID": "2973001",
    "IP": "203.0.113.55",
    "TRACKING_METHOD": "NETBIOS",
    "OS": "Windows Server 2003 R2 64 bit Edition Service Pack 2",
    "OS_CPE": "cpe:/o:microsoft:windows_2003_server::r2:x64:",
    "DNS": "brc-old.ce.corp.example.",
    "NETBIOS": "BRC-OLD",
    "LAST_SCAN_DATETIME": "2026-06-23T23:08:00Z",
}


def test_a_host_of_an_old_version_has_its_dates_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No asset id, no unique id of a detection, no status of one that informs, no knowledge base entry."""
    info = {"QID": "6", "TYPE": "Info", "RESULTS": "IP address\tHost name\n203.0.113.55\tbrc"}
    found = {k: v for k, v in DETECTION.items() if k not in ("UNIQUE_VULN_ID", "QDS", "QDS_FACTORS")}
    listed = {**OLD_HOST, "DETECTION_LIST": {"DETECTION": [info, found, {**found, "SSL": None, "PORT": None}]}}
    routes = estate(
        hosts=bare("HOST_LIST_OUTPUT", f"<HOST_LIST>{xml('HOST', OLD_HOST, cdata=True)}</HOST_LIST>"),
        detections=bare("HOST_LIST_VM_DETECTION_OUTPUT", f"<HOST_LIST>{xml('HOST', listed, cdata=True)}</HOST_LIST>"),
        entries=bare("KNOWLEDGE_BASE_VULN_LIST_OUTPUT", "<VULN_LIST/>"),
    )
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        report = qualys.sync("hosts", "detections", "knowledge_base")
        assert [(m.records, m.rejected) for m in report.streams] == [(1, 0), (3, 0), (0, 0)]
        with qualys.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_qualys__devices")
            assert (str(device["last_seen"]), device["netbios_name"]) == ("2026-06-23 23:08:00", "BRC-OLD")
            assert device["device_category"] == "Server"
            findings = staged.rows("select * from stg_qualys__findings order by record_id")
            assert {f["asset_record"] for f in findings} == {device["record"]}
            assert sorted(f["severity"] for f in findings) == ["high", "high", "info"]


def test_an_entry_whose_texts_are_empty_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Emptied by a sanitiser: an empty title, CVE id and product, exploits without anything in them."""
    entry = {
        "QID": "38170",
        "VULN_TYPE": "Vulnerability",
        "SEVERITY_LEVEL": "2",
        "TITLE": "",
        "BUGTRAQ_LIST": {"BUGTRAQ": {"ID": "1", "URL": ""}},
        "SOFTWARE_LIST": {"SOFTWARE": {"PRODUCT": "", "VENDOR": "cgi"}},
        "CVE_LIST": {"CVE": {"ID": ""}},
        "CORRELATION": {
            "EXPLOITS": {
                "EXPLT_SRC": [
                    {"SRC_NAME": "exploitdb", "EXPLT_LIST": {"EXPLT": ""}},
                    {"SRC_NAME": "seebug"},
                ]
            }
        },
        "THREAT_INTELLIGENCE": {"THREAT_INTEL": {"@id": "2", "#": "Exploit_Public"}},
    }
    body = f"<VULN_LIST>{xml('VULN', entry)}</VULN_LIST>"
    with foreign(
        "qualys", estate(entries=bare("KNOWLEDGE_BASE_VULN_LIST_OUTPUT", body)), tmp_path, monkeypatch, username="u"
    ) as qualys:
        report = qualys.sync("hosts", "detections", "knowledge_base")
        assert [(m.state, m.records, m.field_issues) for m in report.streams] == [("complete", 1, 0)] * 3
        with qualys.staged() as staged:
            assert staged.failing() == []
            (found,) = staged.rows("select * from stg_qualys__findings")
            assert (found["cve_id"], found["title"]) == (None, "QID 38170")
            assert staged.rows("select * from stg_qualys__vulnerabilities") == []


def test_a_recorded_amazon_host_asset_in_xml_is_amazons_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attributes of another namespace on the root, an empty list inside of a source, cards without an address."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ServiceResponse '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="https://qualysapi.qg9.apps.qualys.com/qps/xsd/2.0/am/hostasset.xsd">\n'
        "<responseCode>SUCCESS</responseCode><count>1</count><hasMoreRecords>false</hasMoreRecords><data><HostAsset>"
        "<id>84000001</id><name>i-0aa0000000000001</name><created>2026-09-25T00:50:27Z</created>"
        "<modified>2026-11-20T00:51:39Z</modified><type>HOST</type><sourceInfo><list><Ec2AssetSourceSimple>"
        "<assetId>84000001</assetId><type>EC_2</type><ec2InstanceTags><tags><list/></tags></ec2InstanceTags>"
        "<availabilityZone>us-east-1f</availabilityZone><privateDnsName>ip-10-1-2-9.ec2.internal</privateDnsName>"
        "<instanceId>i-0aa0000000000001</instanceId><instanceState>RUNNING</instanceState>"
        "<accountId>111122223333</accountId><region>us-east-1</region></Ec2AssetSourceSimple></list></sourceInfo>"
        "<qwebHostId>107000001</qwebHostId><fqdn>ec2-203-0-113-9.compute-1.amazonaws.com</fqdn><os>Linux</os>"
        "<address>10.1.2.9</address><trackingMethod>INSTANCE_ID</trackingMethod><networkInterface><list>"
        "<HostAssetInterface><hostname>ip-10-1-2-9.ec2.internal</hostname><interfaceId>eni-1</interfaceId>"
        "<type>PRIVATE</type><address>10.1.2.9</address></HostAssetInterface><HostAssetInterface><type>PUBLIC</type>"
        "<address>203.0.113.9</address></HostAssetInterface></list></networkInterface>"
        "<isDockerHost>false</isDockerHost></HostAsset></data></ServiceResponse>"
    )
    answer = Answer(body, content_type="application/xml", headers={"evaluation": "false"})
    with foreign("qualys", estate(host_assets=answer), tmp_path, monkeypatch, username="u") as qualys:
        found = manifest(qualys.sync("host_assets"), "host_assets")
        assert (found.state, found.records, found.field_issues) == ("complete", 1, 0)
        with qualys.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_qualys__devices")
            assert (device["cloud_provider"], device["cloud_account_id"]) == ("aws", "111122223333")
            assert device["cloud_instance_id"] == "i-0aa0000000000001"
            assert device["ip_addresses"] == ["10.1.2.9", "203.0.113.9"]
