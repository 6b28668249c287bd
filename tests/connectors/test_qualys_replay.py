"""Qualys against answers that others recorded or documented: XML in all its spellings, two inventories in JSON.

Every test is named after the trap it guards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import ODD, WIRES, Answer, Asked, Case, Route, changed, foreign, misread, mutants, suffers, varied

HOSTS = r"(GET|POST) /api/[0-9.]+/fo/asset/host/"
DETECTIONS = r"(GET|POST) /api/[0-9.]+/fo/asset/host/vm/detection/"
ENTRIES = r"(GET|POST) /api/[0-9.]+/fo/knowledge_base/vuln/"
HOST_ASSETS = r"POST /qps/rest/2.0/search/am/hostasset"
CSAM = r"POST /rest/2.0/search/am/asset"
NUMBER = "right(record_id, 5)"

# a key with @ is an attribute, # the text beside attributes, a list an element repeated
HOST: dict[str, Any] = {
    "ID": "2400001",
    "ASSET_ID": "9900001",
    "IP": "10.1.2.3",
    "IPV6": "fe80::1",
    "TRACKING_METHOD": "AGENT",
    "NETWORK_ID": "0",
    "DNS": "vm-a.corp.example",
    "DNS_DATA": {"HOSTNAME": "vm-a", "DOMAIN": "corp.example", "FQDN": "vm-a.corp.example"},
    "CLOUD_PROVIDER": "Azure",
    "CLOUD_SERVICE": "VM",
    "CLOUD_RESOURCE_ID": "8a7b6c5d-1111-4222-8333-944455556666",
    "NETBIOS": "VM-A",
    "OS": "Windows Server 2022 Datacenter",
    "QG_HOSTID": "19260abb-8547-467e-928d-73c13f13ea3c",
    "TAGS": {"TAG": {"TAG_ID": "7", "NAME": "Cloud Agent"}},
    "METADATA": {
        "AZURE": {
            "ATTRIBUTE": [
                {
                    "NAME": "subscriptionId",
                    "LAST_STATUS": "Success",
                    "VALUE": "sub-1",
                    "LAST_SUCCESS_DATE": "2026-11-20T03:00:00Z",
                    "LAST_ERROR_DATE": "",
                    "LAST_ERROR": "",
                },
                {"NAME": "vmId", "LAST_STATUS": "Success", "VALUE": "8a7b6c5d-1111-4222-8333-944455556666"},
                {"NAME": "tags", "LAST_STATUS": "Fail", "VALUE": "", "LAST_ERROR": "404 - Not Found"},
            ]
        }
    },
    "LAST_VULN_SCAN_DATETIME": "2026-11-20T03:40:00Z",
    "LAST_VM_SCANNED_DATE": "2026-11-20T03:30:00Z",
    "LAST_VM_SCANNED_DURATION": "229",
    "LAST_VM_AUTH_SCANNED_DATE": "2026-11-20T03:30:00Z",
    "FIRST_FOUND_DATE": "2025-12-01T00:00:00Z",
    "LAST_BOOT": "2026-11-01T00:00:00Z",
    "SERIAL_NUMBER": "SN-1",
    "HARDWARE_UUID": "4c4c4544-0033-5710-8054-c4c04f564432",
    "LAST_ACTIVITY": "2026-11-20T05:00:00Z",
    "ASSET_CRITICALITY_SCORE": "4",
    "TRURISK_SCORE": "437",
    "NEW_ELEMENT": {"@kind": "x", "INNER": ["1", "2"]},
}
DETECTION: dict[str, Any] = {
    "UNIQUE_VULN_ID": "5100001",
    "QID": "38170",
    "TYPE": "Confirmed",
    "SEVERITY": "4",
    "PORT": "443",
    "PROTOCOL": "tcp",
    "SSL": "1",
    "RESULTS": "Package\tInstalled <1.0>\n & more",
    "STATUS": "Active",
    "FIRST_FOUND_DATETIME": "2025-12-01T00:00:00Z",
    "LAST_FOUND_DATETIME": "2026-11-20T03:40:00Z",
    "QDS": {"@severity": "HIGH", "#": "78"},
    "QDS_FACTORS": {"QDS_FACTOR": [{"@name": "CVSS", "#": "7.7"}, {"@name": "epss", "#": "0.00232"}]},
    "VULNERABILITY_DETECTION_SOURCES": {"DETECTION_SOURCE": "AGENT"},
    "TIMES_FOUND": "9",
    "LAST_TEST_DATETIME": "2026-11-20T03:40:00Z",
    "LAST_UPDATE_DATETIME": "2026-11-20T03:50:00Z",
    "IS_IGNORED": "0",
    "IS_DISABLED": "0",
    "AFFECT_RUNNING_KERNEL": "0",
    "LAST_PROCESSED_DATETIME": "2026-11-20T03:50:00Z",
}
ENTRY: dict[str, Any] = {
    "QID": "38170",
    "VULN_TYPE": "Vulnerability",
    "SEVERITY_LEVEL": "4",
    "TITLE": "A check",
    "CVE_LIST": {"CVE": {"ID": "CVE-2024-11477", "URL": "http://cve.example/CVE-2024-11477"}},
    "CATEGORY": "General remote services",
    "PUBLISHED_DATETIME": "2024-11-25T21:34:49Z",
    "PATCHABLE": "1",
    "SOFTWARE_LIST": {"SOFTWARE": {"PRODUCT": "None", "VENDOR": "multi-vendor"}},
    "DIAGNOSIS": "<P>text",
    "SOLUTION": "Upgrade.",
    "CVSS": {"BASE": {"@source": "service", "#": "5.4"}, "TEMPORAL": "4.2"},
    "CVSS_V3": {"BASE": "7.8", "TEMPORAL": "6.8", "CVSS3_VERSION": "3.1"},
    "THREAT_INTELLIGENCE": {"THREAT_INTEL": [{"@id": "8", "#": "No_Patch"}, {"@id": "5", "#": "Easy_Exploit"}]},
    "DISCOVERY": {"REMOTE": "1", "AUTH_TYPE_LIST": {"AUTH_TYPE": "Windows"}},
}
HOST_ASSET: dict[str, Any] = {
    "id": 9900001,
    "name": "vm-a",
    "created": "2025-11-02T08:11:09Z",
    "modified": "2026-11-20T04:05:06Z",
    "type": "HOST",
    "qwebHostId": 2400001,
    "fqdn": "",
    "os": "Windows Server 2022",
    "dnsHostName": "vm-a.corp.example",
    "netbiosName": "VM-A",
    "address": "10.1.2.3",
    "trackingMethod": "QAGENT",
    "manufacturer": "Contoso Corporation",
    "model": "Virtual Machine",
    "lastLoggedOnUser": "admin",
    "isDockerHost": "false",
    "agentInfo": {
        "agentVersion": "5.0",
        "agentId": "19260abb-8547-467e-928d-73c13f13ea3c\n",
        "status": "STATUS_ACTIVE",
        "lastCheckedIn": "2026-11-20T04:00:00Z",
        "platform": "Windows",
    },
    "sourceInfo": {"list": [{"Ec2AssetSourceSimple": {"instanceId": "i-1", "accountId": "44"}}, {"AssetSource": {}}]},
    "tags": {"list": [{"TagSimple": {"id": 7, "name": "Cloud Agent"}}]},
    "openPort": {"list": [{"HostAssetOpenPort": {"port": 22, "protocol": "TCP"}}]},
    "software": {"list": [{"HostAssetSoftware": {"name": "7-Zip", "version": "23.01"}}]},
    "vuln": {"list": [{"HostAssetVuln": {"qid": 38170, "hostInstanceVulnId": {"bigDecimal": 1}}}]},
    "networkInterface": {
        "list": [
            {
                "HostAssetInterface": {
                    "hostname": "vm-a",
                    "interfaceName": "eth0",
                    "macAddress": "00:0d:3a:aa:bb:cc",
                    "address": "10.1.2.3",
                    "gatewayAddress": "10.1.2.1",
                }
            }
        ]
    },
    "account": {"list": [{"HostAssetAccount": {"username": "root"}}]},
}
CSAM_ASSET: dict[str, Any] = {
    "assetId": 9900001,
    "assetUUID": "bda51f1d-13cf-49ad-a3a0-9f83debbe5a9",
    "hostId": 2400001,
    "lastModifiedDate": "2026-11-20T04:05:06.000Z",
    "agentId": "19260abb-8547-467e-928d-73c13f13ea3c",
    "createdDate": "2025-11-02T08:11:09.000Z",
    "sensorLastUpdatedDate": "2026-11-20T04:05:06.000Z",
    "assetType": "HOST",
    "address": "10.1.2.3",
    "dnsName": "vm-a.corp.example",
    "assetName": "vm-a",
    "netbiosName": "VM-A",
    "lastLoggedOnUser": "admin",
    "hwUUID": "4c4c4544-0033-5710-8054-c4c04f564432",
    "biosSerialNumber": "SN-1",
    "biosAssetTag": "TAG-1",
    "isContainerHost": False,
    "operatingSystem": {"osName": "Windows", "fullName": "Windows Server 2022", "version": "21H2", "lifecycle": None},
    "hardware": {"manufacturer": "Contoso", "model": "VM", "category": "Computers / Server", "lifecycle": {}},
    "userAccountListData": {"userAccount": [{"name": "root"}]},
    "networkInterfaceListData": {
        "networkInterface": [
            {
                "addressIpV4": "10.1.2.3",
                "addressIpV6": "fe80::1,fe80::2",
                "macAddress": "00:0d:3a:aa:bb:cc",
                "gatewayAddress": "10.1.2.1",
                "macVendorIntroDate": 946944000000,
            }
        ]
    },
    "softwareListData": {
        "software": [
            {
                "id": 8464359598295418000,
                "fullName": "7-Zip 23.01",
                "productName": "7-Zip",
                "publisher": "Igor Pavlov",
                "version": "23.01",
                "isIgnored": False,
                "softwareInstances": None,
            }
        ]
    },
    "cloudProvider": "Amazon Web Services",
    "agent": {"version": "5.0", "activations": None, "lastActivity": 0, "lastCheckedIn": 1795147200000},
    "sensor": {"lastVMScan": 0, "activatedForModules": ["VM"]},
    "container": None,
    "tagList": {"tag": [{"tagId": 7, "tagName": "Shodan", "criticalityScore": 3}]},
    "criticality": {"score": 3, "isDefault": False, "lastUpdated": "2026-11-20T04:05:06.000Z"},
    "businessInformation": {"ownedBy": "Paul", "environment": "QA", "managedBy": None},
    "businessAppListData": {
        "businessApp": [{"id": "B-1", "name": "Quotes", "businessCriticality": "2 - Less Critical"}]
    },
    "riskScore": 0,
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def xml(tag: str, value: Any, cdata: bool = False) -> str:
    """An element as the vendor writes it: an empty one for nothing, one a list's item, CDATA in lines of its own."""
    if isinstance(value, list):
        return "".join(xml(tag, item, cdata) for item in value)
    if not isinstance(value, Mapping):
        text = "" if value is None else f"\n  <![CDATA[{value}]]>\n" if cdata and value else escape(str(value))
        return f"<{tag}>{text}</{tag}>"
    attributes = "".join(f' {name[1:]}="{text}"' for name, text in value.items() if name.startswith("@"))
    inner = "".join(xml(name, item, cdata) for name, item in value.items() if not name.startswith(("@", "#")))
    return f"<{tag}{attributes}>{inner}{escape(str(value.get('#', '')))}</{tag}>"


def answer(root: str, inner: str, *, head: str = "", tail: str = "") -> Answer:
    """A list of the XML APIs, with its document type and the vendor's comments."""
    doctype = f'<!DOCTYPE {root} SYSTEM "https://qualysapi.qg9.apps.qualys.eu/api/x/dtd/output.dtd">'
    body = (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n{head}{doctype}\n<{root}><RESPONSE>'
        f"<DATETIME>2026-11-23T04:05:06Z</DATETIME><!-- keep-alive 1770091506 -->{inner}{tail}</RESPONSE></{root}>\n"
        "<!-- CONFIDENTIAL AND PROPRIETARY INFORMATION. -->"
    )
    return Answer(body, content_type="application/xml")


def hosts(listed: Iterable[Any] = (HOST,), **more: Any) -> Answer:
    return answer("HOST_LIST_OUTPUT", f"<HOST_LIST>{xml('HOST', list(listed), cdata=True)}</HOST_LIST>", **more)


def detections(found: Iterable[Any] = (DETECTION,), host: str = "2400001") -> Answer:
    head = {"ID": host, "ASSET_ID": "9900001", "IP": "10.1.2.3", "TRACKING_METHOD": "IP"}
    listed = {**head, "DETECTION_LIST": {"DETECTION": list(found)}}
    return answer("HOST_LIST_VM_DETECTION_OUTPUT", f"<HOST_LIST>{xml('HOST', listed)}</HOST_LIST>")


def entries(listed: Iterable[Any] = (ENTRY,)) -> Answer:
    body = f"<VULN_LIST>{xml('VULN', list(listed), cdata=True)}</VULN_LIST>"
    return answer("KNOWLEDGE_BASE_VULN_LIST_OUTPUT", body)


def host_assets(listed: Iterable[Any] = (HOST_ASSET,), **more: Any) -> dict[str, Any]:
    data = [{"HostAsset": asset} for asset in listed]
    return {
        "ServiceResponse": {
            "responseCode": "SUCCESS",
            "count": len(data),
            "hasMoreRecords": "false",
            "data": data,
            **more,
        }
    }


def csam(listed: Iterable[Any] = (CSAM_ASSET,)) -> dict[str, Any]:
    assets = list(listed)
    return {
        "responseMessage": "Valid API Access",
        "count": len(assets),
        "responseCode": "SUCCESS",
        "lastSeenAssetId": 9900001,
        "hasMore": 0,
        "assetListData": {"asset": assets},
    }


def estate(**given: Any) -> list[Route]:
    answers = {
        "hosts": hosts(),
        "detections": detections(),
        "entries": entries(),
        "host_assets": host_assets(),
        "csam": csam(),
        **given,
    }
    return [
        (DETECTIONS, answers["detections"]),
        (HOSTS, answers["hosts"]),
        (ENTRIES, answers["entries"]),
        (HOST_ASSETS, answers["host_assets"]),
        (CSAM, answers["csam"]),
        ("POST /auth", Answer("aaaa.bbbb.cccc", 201, content_type="text/plain")),
    ]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("qualys", estate(), tmp_path, monkeypatch, wire=wire, username="u") as qualys:
        report = qualys.sync(gateway_url=qualys.vendor.base)
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_recorded_answers_of_all_inventories_are_one_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("qualys", estate(), tmp_path, monkeypatch, username="u") as qualys:
        qualys.sync(gateway_url=qualys.vendor.base)
        with qualys.staged(None, qualys.connection(gateway_url=qualys.vendor.base)) as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_qualys__devices")
            assert (device["serial_number"], device["smbios_uuid"]) == ("SN-1", HOST["HARDWARE_UUID"])
            assert (device["cloud_provider"], device["cloud_instance_id"]) == ("azure", HOST["CLOUD_RESOURCE_ID"])
            assert device["cloud_account_id"] == "sub-1"
            assert (device["fqdns"], device["hostnames"]) == (["vm-a.corp.example"], ["vm-a"])
            assert device["agent_ids"] == ["qualys_agent=19260abb-8547-467e-928d-73c13f13ea3c"]
            assert device["ip_addresses"] == ["10.1.2.3", "fe80::1", "fe80::2"]
            assert (device["mac_addresses"], device["owner"]) == (["00:0d:3a:aa:bb:cc"], "Paul")
            (found,) = staged.rows("select * from stg_qualys__findings")
            assert (found["cve_id"], found["asset_record"]) == ("CVE-2024-11477", device["record"])
            assert (found["severity"], found["status"], found["title"]) == ("high", "open", "A check")
            (known,) = staged.rows("select * from stg_qualys__vulnerabilities")
            assert (known["cvss_score"], known["exploit_available"]) == (7.8, True)
            (software,) = staged.rows("select * from stg_qualys__applications")
            assert (software["name"], software["vendor"]) == ("7-Zip", "Igor Pavlov")


def renamed(record: Any, number: str) -> None:
    record["ID"] = f"24{number}"
    if record.get("ASSET_ID"):
        record["ASSET_ID"] = f"99{number}"


def test_no_element_of_a_host_is_needed_but_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = mutants(HOST, renamed, keep=["ID"])
    routes = estate(hosts=hosts([m.record for m in given]))
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        report = qualys.sync("hosts")
        assert (manifest(report, "hosts").state, manifest(report, "hosts").records) == ("complete", len(given))
        with qualys.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_qualys__devices", NUMBER) == []


def test_no_element_of_a_detection_is_needed_but_its_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(record: Any, number: str) -> None:
        record["PORT"] = number
        if record.get("UNIQUE_VULN_ID"):
            record["UNIQUE_VULN_ID"] = f"51{number}"

    given = mutants(DETECTION, rename, keep=["QID", "PORT"])
    routes = estate(detections=detections([m.record for m in given]))
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        report = qualys.sync("hosts", "detections", "knowledge_base")
        assert manifest(report, "detections").records == len(given)
        with qualys.staged() as staged:
            assert staged.failing() == []
            number = "evidence ->> '$.port'"
            ids = ("record", "record_id")
            assert suffers(given, staged, "stg_qualys__findings", number, but=ids) == []


def test_no_element_of_an_entry_is_needed_but_its_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(record: Any, number: str) -> None:
        record["QID"] = number

    given = mutants(ENTRY, rename, keep=["QID"])
    found = [{**DETECTION, "QID": m.number, "UNIQUE_VULN_ID": m.number} for m in given]
    routes = estate(entries=entries([m.record for m in given]), detections=detections(found))
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        report = qualys.sync("hosts", "detections", "knowledge_base")
        assert manifest(report, "knowledge_base").records == len(given)
        with qualys.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_qualys__findings", "evidence ->> '$.qid'") == []


@pytest.mark.parametrize("inventory", ["host_assets", "csam"])
def test_no_key_of_an_inventory_is_needed_but_its_id(
    inventory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample, key, link = (
        (HOST_ASSET, "id", "qwebHostId") if inventory == "host_assets" else (CSAM_ASSET, "assetId", "hostId")
    )

    def rename(record: Any, number: str) -> None:
        record[key] = int(f"99{number}")
        if record.get(link):
            record[link] = int(f"24{number}")

    given = mutants(sample, rename, keep=[key])
    listed = [m.record for m in given]
    nothing = answer("HOST_LIST_OUTPUT", "")
    routes = estate(hosts=nothing, **{inventory: host_assets(listed) if key == "id" else csam(listed)})
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        stream = "host_assets" if key == "id" else "csam_assets"
        report = qualys.sync(stream, gateway_url=qualys.vendor.base)
        assert (manifest(report, stream).state, manifest(report, stream).records) == ("complete", len(given))
        with qualys.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_qualys__devices", NUMBER) == []


# Values in other forms -----------------------------------------------------------------------------------------------

AWS = {
    "CLOUD_PROVIDER": "AWS",
    "CLOUD_SERVICE": "EC2",
    "CLOUD_RESOURCE_ID": "i-0aa",
    "EC2_INSTANCE_ID": "i-0aa",
    "METADATA": {
        "EC2": {
            "ATTRIBUTE": [
                {
                    "NAME": "latest/dynamic/instance-identity/document/instanceId",
                    "LAST_STATUS": "Success",
                    "VALUE": "i-0aa",
                },
                {
                    "NAME": "latest/dynamic/instance-identity/document/accountId",
                    "LAST_STATUS": "Success",
                    "VALUE": "44",
                },
                {"NAME": "latest/meta-data/mac", "LAST_STATUS": "Success", "VALUE": "0a:1b:2c:3d:4e:5f"},
                {
                    "NAME": "latest/dynamic/instance-identity/document/kernelId",
                    "LAST_STATUS": "Success",
                    "VALUE": "null",
                },
            ]
        }
    },
}
COMPUTE = "/subscriptions/sub-1/resourceGroups/rg/providers/Microsoft.Compute"


def azure(**more: str) -> dict[str, Any]:
    told = {
        "subscriptionId": "sub-1",
        "resourceGroupName": "rg",
        "vmId": "8a7b6c5d-1111-4222-8333-944455556666",
        **more,
    }
    found = [{"NAME": name, "LAST_STATUS": "Success", "VALUE": value} for name, value in told.items()]
    return {"AZURE": {"ATTRIBUTE": found}}


HOST_CASES = [
    Case(AWS, "cloud_provider", "aws"),
    Case(AWS, "cloud_account_id", "44"),
    Case(AWS, "cloud_instance_id", "i-0aa"),
    Case({**AWS, "METADATA": None}, "cloud_instance_id", "i-0aa"),
    Case({**AWS, "METADATA": None, "CLOUD_PROVIDER": None}, "cloud_provider", "aws"),
    Case({"CLOUD_PROVIDER": "Google", "CLOUD_RESOURCE_ID": "123", "METADATA": None}, "cloud_provider", "gcp"),
    Case({"DNS": "10.1.2.3", "DNS_DATA": None}, "fqdns", []),
    Case({"DNS": None, "DNS_DATA": {"HOSTNAME": "vm-a", "DOMAIN": None, "FQDN": None}}, "hostnames", ["vm-a"]),
    Case({"IP": "10.1.2.3, 10.1.2.4", "IPV6": None}, "ip_addresses", ["10.1.2.3", "10.1.2.4"]),
    Case({"ASSET_CRITICALITY_SCORE": "5"}, "criticality", 0),
    Case({"NETWORK_ID": "4711"}, "scope", "4711"),
    # an instance of a scale set is called by the set and its number there
    Case({"METADATA": azure(name="vm-a")}, "cloud_resource_id", f"{COMPUTE}/virtualMachines/vm-a"),
    Case(
        {"METADATA": azure(name="vmss_12")},
        "cloud_resource_id",
        f"{COMPUTE}/virtualMachineScaleSets/vmss/virtualMachines/12",
    ),
    Case({"METADATA": azure(name="vmss_0a1b2c3d")}, "cloud_resource_id", f"{COMPUTE}/virtualMachines/vmss_0a1b2c3d"),
    Case({"LAST_ACTIVITY": "2026-11-20T05:00:00"}, "last_seen", datetime(2026, 11, 20, 5)),
    Case({"LAST_ACTIVITY": None, "LAST_VULN_SCAN_DATETIME": None}, "last_seen", datetime(2026, 11, 20, 3, 30)),
    Case({"OS": "Ubuntu / Linux 4.x"}, "device_category", "Server"),
]
DETECTION_CASES = [
    Case({"STATUS": "Fixed", "LAST_FIXED_DATETIME": "2026-11-19T00:00:00Z"}, "fixed_at", datetime(2026, 11, 19)),
    Case({"STATUS": "FIXED"}, "status", "fixed"),
    Case({"STATUS": "Re-Opened"}, "status", "open"),
    Case({"SEVERITY": "5"}, "severity", "critical"),
    Case({"SEVERITY": None}, "severity", "info"),
    Case({"PORT": "0"}, "status", "open"),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(record: Any, number: str) -> None:
        record["UNIQUE_VULN_ID"] = f"51{number}"

    routes = estate(
        hosts=hosts(varied(HOST, HOST_CASES, renamed)),
        detections=detections(varied(DETECTION, DETECTION_CASES, rename)),
    )
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        qualys.sync("hosts", "detections", "knowledge_base")
        with qualys.staged() as staged:
            assert misread(HOST_CASES, staged, "stg_qualys__devices", NUMBER) == []
            number = "substr(record_id, 11, 5)"
            assert misread(DETECTION_CASES, staged, "stg_qualys__findings", number) == []


@pytest.mark.parametrize(
    "data",
    [
        {"HostAsset": HOST_ASSET},
        {"HostAsset": [HOST_ASSET]},
        [{"HostAsset": HOST_ASSET}],
        [
            {
                "HostAsset": {
                    **HOST_ASSET,
                    "software": {"list": {"HostAssetSoftware": HOST_ASSET["software"]["list"][0]["HostAssetSoftware"]}},
                }
            }
        ],
    ],
)
def test_a_host_asset_is_read_in_every_wrapping(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(host_assets={"ServiceResponse": {"responseCode": "SUCCESS", "count": 1, "data": data}})
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        qualys.sync("host_assets")
        with qualys.staged() as staged:
            assert staged.one("select list(name) from stg_qualys__applications") == ["7-Zip"]
            assert staged.one("select cloud_instance_id from stg_qualys__devices") == "i-1"
            assert staged.one("select mac_addresses from stg_qualys__devices") == ["00:0d:3a:aa:bb:cc"]


def test_a_host_asset_in_xml_is_as_one_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def inner(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: {"list": {k: inner(v) for one in item["list"] for k, v in one.items()}}
                if isinstance(item, dict) and set(item) == {"list"}
                else inner(item)
                for name, item in value.items()
            }
        return value

    response = {
        "responseCode": "SUCCESS",
        "count": 1,
        "hasMoreRecords": "false",
        "data": {"HostAsset": inner(HOST_ASSET)},
    }
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + xml("ServiceResponse", response)
    routes = estate(host_assets=Answer(body, content_type="text/xml"))
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        assert manifest(qualys.sync("host_assets"), "host_assets").field_issues == 0
        with qualys.staged() as staged:
            assert staged.failing() == []
            assert staged.one("select list(name) from stg_qualys__applications") == ["7-Zip"]
            assert staged.one("select cloud_instance_id from stg_qualys__devices") == "i-1"


# Paging and refusals -------------------------------------------------------------------------------------------------


def test_a_list_goes_on_at_the_address_of_its_warning_in_whatever_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages(asked: Asked) -> Answer:
        start = int(asked.query.get("id_min", 0))
        if start > 3:
            return answer("HOST_LIST_OUTPUT", "")
        link = f"https://qualysapi.qg9.apps.qualys.eu{asked.path}?action=list&truncation_limit=1&id_min={start + 1}"
        # one in CDATA, one with its ampersands escaped, one that says nothing about paging beside it
        url = f"<![CDATA[{link}]]>" if start % 2 else escape(link)
        tail = (
            f"<WARNING><CODE>1980</CODE><TEXT>1 record limit exceeded.</TEXT><URL>\n{url}\n</URL></WARNING>"
            "<WARNING><CODE>1990</CODE><TEXT>End of support.</TEXT></WARNING>"
        )
        return hosts([{**HOST, "ID": str(2400000 + start)}], head="<!-- evaluation version //-->", tail=tail)

    with foreign("qualys", estate(hosts=pages), tmp_path, monkeypatch, username="u") as qualys:
        found = manifest(qualys.sync("hosts"), "hosts")
        assert (found.state, found.records, found.pages) == ("complete", 4, 4)


def test_an_empty_list_is_one_in_every_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(
        hosts=answer("HOST_LIST_OUTPUT", "<HOST_LIST></HOST_LIST>"),
        detections=answer("HOST_LIST_VM_DETECTION_OUTPUT", ""),
        host_assets={"ServiceResponse": {"count": 0, "responseCode": "SUCCESS"}},
        csam=Answer(b"", 204),
    )
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        report = qualys.sync(gateway_url=qualys.vendor.base)
        assert {(m.stream, m.state, m.records) for m in report.streams} == {
            (name, "complete", 0) for name in ("hosts", "detections", "knowledge_base", "host_assets", "csam_assets")
        }


def test_a_refusal_inside_a_success_is_no_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        '<!DOCTYPE SIMPLE_RETURN SYSTEM "https://qualysapi.qualys.com/api/2.0/simple_return.dtd">\n'
        "<SIMPLE_RETURN><RESPONSE><DATETIME>2026-11-23T04:05:06Z</DATETIME><CODE>2001</CODE>"
        "<TEXT>This account has expired.</TEXT></RESPONSE></SIMPLE_RETURN>"
    )
    routes = estate(hosts=Answer(body, content_type="text/xml"))
    with foreign("qualys", routes, tmp_path, monkeypatch, username="u") as qualys:
        found = manifest(qualys.sync("hosts"), "hosts")
        assert found.state == "failed"
        assert "2001 This account has expired." in str(found.reason)


@pytest.mark.parametrize("member", ["responseCode", "count", "hasMoreRecords"])
def test_records_without_a_mark_beside_them_are_records(
    member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = host_assets()["ServiceResponse"]
    for count, value in enumerate(ODD.values()):
        answer = {"ServiceResponse": changed(whole, (member,), value)}
        with foreign("qualys", estate(host_assets=answer), tmp_path / str(count), monkeypatch, username="u") as qualys:
            found = manifest(qualys.sync("host_assets"), "host_assets")
            assert (found.state, found.records) == ("complete", 1)
