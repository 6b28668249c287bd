"""Qualys' streams: hosts, their detections, the entries of the knowledge base behind those, and two asset inventories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from connector_assets.kit import Api, Incremental, Page, Record, Stream
from connector_assets.qualys.csam import csam_assets
from connector_assets.qualys.fo import batches, elements, inside, parts
from connector_assets.qualys.gateway import Gateway
from connector_assets.qualys.qps import host_assets

#: Records a landed page: as many as the cache of a processor holds while they are made and written. A thousand took a fifth
#: longer, each.
PAGE_RECORDS = 250
#: The checks of a whole list of detections, for the knowledge base: reading the detections again would take longer than it.
NAMED = "checks"
#: Scans are worked through some time after they ended, one after the other.
OVERLAP = timedelta(hours=6)
#: Ids alone are small: many come in one answer.
IDS_AT_ONCE = 100_000
#: Ids in one call. A short list fits into an address; a long one must be posted, as the vendor answers 414.
IDS_IN_ADDRESS, IDS_IN_BODY = 100, 1000
#: Parts of an entry that are text for people or lists of exploits: nine tenths of the knowledge base.
LEFT_OUT = ("DIAGNOSIS", "CONSEQUENCE", "CORRELATION")

HOST_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        "ID ASSET_ID IP IPV6 TRACKING_METHOD NETWORK_ID NETWORK_NAME OS OS_CPE DNS NETBIOS QG_HOSTID CLOUD_PROVIDER "
        "CLOUD_SERVICE CLOUD_RESOURCE_ID EC2_INSTANCE_ID SERIAL_NUMBER HARDWARE_UUID AGENT_STATUS OWNER".split(),
        "text",
    ),
    "DNS_DATA": {"HOSTNAME": "text", "DOMAIN": "text", "FQDN": "text"},
    "TAGS": {"TAG": [{"TAG_ID": "text", "NAME": "text"}]},
    "cloud": {"instance_id": "text", "account_id": "text", "resource_group": "text", "name": "text"},
    "ASSET_CRITICALITY_SCORE": "integer",
    "TRURISK_SCORE": "integer",
    "ASSET_RISK_SCORE": "integer",
    "FIRST_FOUND_DATE": "timestamp",
    "LAST_VULN_SCAN_DATETIME": "timestamp",
    "LAST_VM_SCANNED_DATE": "timestamp",
    "LAST_VM_AUTH_SCANNED_DATE": "timestamp",
    "LAST_ACTIVITY": "timestamp",
    "last_seen": "timestamp",
}
SEEN = (
    "LAST_ACTIVITY",
    "LAST_ACTIVITY_DATE",
    "LAST_VULN_SCAN_DATETIME",
    "LAST_VULN_SCAN_DATE",
    "LAST_VM_SCANNED_DATE",
    "LAST_SCAN_DATETIME",
)

DETECTION_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        "id HOST_ID ASSET_ID UNIQUE_VULN_ID QID TYPE STATUS PROTOCOL FQDN INSTANCE SERVICE QDS@severity".split(), "text"
    ),
    "SEVERITY": "integer",
    "PORT": "integer",
    "SSL": "boolean",
    "QDS": "number",
    "TIMES_FOUND": "integer",
    "IS_IGNORED": "boolean",
    "IS_DISABLED": "boolean",
    "AFFECT_RUNNING_KERNEL": "boolean",
    "FIRST_FOUND_DATETIME": "timestamp",
    "LAST_FOUND_DATETIME": "timestamp",
    "LAST_FIXED_DATETIME": "timestamp",
    "LAST_TEST_DATETIME": "timestamp",
    "LAST_UPDATE_DATETIME": "timestamp",
}

KNOWLEDGE_BASE_FIELDS: dict[str, Any] = {
    **dict.fromkeys("QID VULN_TYPE TITLE CATEGORY SOLUTION".split(), "text"),
    "SEVERITY_LEVEL": "integer",
    "PATCHABLE": "boolean",
    "cves": ["text"],
    "software": [{"PRODUCT": "text", "VENDOR": "text"}],
    "threats": ["text"],
    "exploits": "integer",
    "cvss_base": "number",
    "cvss_v3_base": "number",
    "PUBLISHED_DATETIME": "timestamp",
    "LAST_SERVICE_MODIFICATION_DATETIME": "timestamp",
}

HOST_ASSET_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        "id qwebHostId name fqdn os dnsHostName netbiosName address trackingMethod networkGuid manufacturer model "
        "biosDescription lastLoggedOnUser type".split(),
        "text",
    ),
    "isDockerHost": "boolean",
    "agentInfo": {"agentId": "text", "status": "text", "platform": "text"},
    "checked_in": "timestamp",
    # the names of Azure's and Google's are those that clients read
    "sourceInfo": [
        dict.fromkeys(
            "kind instanceId accountId region vmId subscriptionId resourceGroupName name projectId".split(), "text"
        )
    ],
    "tags": [{"id": "text", "name": "text"}],
    "networkInterface": [dict.fromkeys("hostname interfaceName macAddress address gatewayAddress".split(), "text")],
    "software": [{"name": "text", "version": "text"}],
    "account": [{"username": "text"}],
    "created": "timestamp",
    "modified": "timestamp",
    "lastVulnScan": "timestamp",
    "lastSystemBoot": "timestamp",
}

CSAM_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        "assetId assetUUID hostId agentId assetType address dnsName assetName netbiosName lastLoggedOnUser domainRole "
        "hwUUID biosSerialNumber biosAssetTag".split(),
        "text",
    ),
    "isContainerHost": "boolean",
    "riskScore": "number",
    "operatingSystem": {"fullName": "text", "version": "text", "category": "text"},
    "hardware": {"manufacturer": "text", "model": "text", "category": "text"},
    "criticality": {"score": "integer", "isDefault": "boolean"},
    "businessInformation": {"ownedBy": "text", "environment": "text"},
    "last_activity": "timestamp",
    "cloud": {"provider": "text", "instance_id": "text", "account_id": "text"},
    "userAccountListData": {"userAccount": [{"name": "text"}]},
    "networkInterfaceListData": {
        "networkInterface": [dict.fromkeys("addressIpV4 addressIpV6 macAddress gatewayAddress".split(), "text")]
    },
    "softwareListData": {
        "software": [
            dict.fromkeys("id fullName productName version publisher cpe".split(), "text") | {"isIgnored": "boolean"}
        ]
    },
    "businessAppListData": {"businessApp": [{"id": "text", "name": "text", "businessCriticality": "text"}]},
    "tagList": {"tag": [{"tagId": "text", "tagName": "text", "criticalityScore": "integer"}]},
    "createdDate": "timestamp",
    "lastModifiedDate": "timestamp",
    "sensorLastUpdatedDate": "timestamp",
}


# Hosts ---------------------------------------------------------------------------------------------------------------


def host_path(api: Api) -> str:
    return f"/api/{api.options.host_version}/fo/asset/host/"


def hosts(api: Api) -> Iterator[Page]:
    """Every host the user may see, by rising id; or those whose findings were worked through since.

    The vendor names no purged host, but tells the ids of all at little cost: what is not among them is gone, and one that
    nobody scanned and that is seen for the first time (by its tag, by the user's scope) is asked for by its id.
    """
    if api.since is None:
        yield from host_pages(api, {})
        return
    known, listed = api.known(), host_ids(api, api.options.host_parameters)
    api.remove(known - listed)
    changed: set[str] = set()
    for page in host_pages(api, {"vm_processed_after": stamp(api.since)}):
        changed.update(str(record["ID"]) for record in page.records if record.get("ID"))
        yield page
    for ids in batches(iter(sorted(listed - known - changed, key=number)), IDS_IN_ADDRESS):
        yield from host_pages(api, {"ids": ",".join(ids)})


def host_pages(api: Api, wanted: Mapping[str, Any]) -> Iterator[Page]:
    options = api.options
    params: dict[str, Any] = {
        "action": "list",
        "details": "All",
        "show_asset_id": 1,
        "show_tags": 1,
        "truncation_limit": options.truncation_limit,
    }
    if options.show_trurisk:
        params["show_trurisk"] = 1
    if options.host_metadata != "none":
        params["host_metadata"] = options.host_metadata
    params |= {**options.host_parameters, **wanted}
    for cursor, found in parts(api, host_path(api), params, "HOST"):
        for records in batches(map(host_record, found), PAGE_RECORDS):
            yield Page(records, cursor=cursor)
            del records


def host_ids(api: Api, parameters: Mapping[str, str]) -> set[str]:
    """The ids of all hosts, without anything else of them."""
    params = {**parameters, "action": "list", "details": "None", "truncation_limit": IDS_AT_ONCE}
    found: set[str] = set()
    for _, items in parts(api, host_path(api), params, ("ID", "ID_RANGE")):
        found.update(id_ for item in items for id_ in ids_of(item or ""))
    return found


def ids_of(text: str) -> Iterable[str]:
    """An id, or those of a range such as 123-130."""
    first, dash, last = text.partition("-")
    return map(str, range(int(first), int(last) + 1)) if dash else (text,) if text else ()


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def host_record(host: Any) -> Record:
    """A host with `last_seen`, the newest of its dates, and `cloud`, what its metadata say of the machine."""
    record: Record = host if isinstance(host, dict) else {}
    seen = [str(record[name]) for name in SEEN if record.get(name)]
    record["last_seen"], record["cloud"] = max(seen, default=None), cloud_of(record.get("METADATA"))
    return record


#: Last part of a metadata attribute's name -> what it is. Google's names are not verified.
CLOUD_NAMES: Mapping[str, str] = {
    "instanceId": "instance_id",
    "vmId": "instance_id",
    "accountId": "account_id",
    "subscriptionId": "account_id",
    "projectId": "account_id",
    "resourceGroupName": "resource_group",
    "name": "name",
}


def cloud_of(metadata: Any) -> dict[str, str] | None:
    """Metadata attributes that read well the last time; a failed one keeps an old value or none."""
    found: dict[str, str] = {}
    for provider in metadata.values() if isinstance(metadata, dict) else ():
        for attribute in provider.get("ATTRIBUTE", ()) if isinstance(provider, dict) else ():
            if not isinstance(attribute, dict):
                continue
            name = CLOUD_NAMES.get(str(attribute.get("NAME") or "").rsplit("/", 1)[-1])
            value = attribute.get("VALUE")
            failed = str(attribute.get("LAST_STATUS") or "").lower() == "fail"
            if name and not failed and value and value != "null":
                found.setdefault(name, str(value))
    return found or None


# Detections ----------------------------------------------------------------------------------------------------------


def detection_path(api: Api) -> str:
    return f"/api/{api.options.detection_version}/fo/asset/host/vm/detection/"


def detections(api: Api) -> Iterator[Page]:
    """Detections updated within the window or since, fixed ones too, which the vendor leaves out unless asked for.

    Those of a purged host go with it.
    """
    options = api.options
    params: dict[str, Any] = {
        "action": "list",
        "status": ",".join(options.statuses),
        "show_asset_id": 1,
        "show_igs": int(options.show_igs),
        "show_results": int(options.show_results),
        "show_qds": int(options.show_qds),
        "truncation_limit": options.truncation_limit,
    }
    if api.since is not None:
        if options.detection_parameters:
            api.ask_for_everything("what leaves the option detection_parameters is not named")
        api.remove(api.known("HOST_ID") - host_ids(api, {}), "HOST_ID")
    if (start := api.since or api.window_start) is not None:
        params["detection_updated_since"] = stamp(start)
    params |= options.detection_parameters
    named: set[str] = set()
    for cursor, found in parts(api, detection_path(api), params, "HOST"):
        batch: list[Record] = []
        for host in found:
            batch += detection_records(host)
            if len(batch) >= PAGE_RECORDS:
                named.update(checks_in(batch))
                yield Page(batch, cursor=cursor)
                batch = []
        named.update(checks_in(batch))
        if batch:
            yield Page(batch, cursor=cursor)
    if api.since is None:
        api.shared[NAMED] = named


def checks_in(detections: Iterable[Record]) -> set[str]:
    """The checks that found something."""
    return {str(qid) for record in detections if (qid := record.get("QID"))}


def detection_records(host: Any) -> list[Record]:
    """The detections of a host, each with the host's id, the asset's, and an id of its own."""
    if not isinstance(host, dict):
        return []
    host_id, asset_id = str(host.get("ID") or ""), host.get("ASSET_ID")
    found: list[Record] = [one if isinstance(one, dict) else {} for one in inside(host, "DETECTION_LIST", "DETECTION")]
    for record in found:
        unique = record.get("UNIQUE_VULN_ID") or "-".join(
            str(record.get(name) or 0) for name in ("QID", "PORT", "PROTOCOL", "SSL", "INSTANCE")
        )
        record["id"] = f"{host_id}-{unique}" if host_id and record.get("QID") else None
        record["HOST_ID"] = host_id
        record["ASSET_ID"] = asset_id
    return found


# Knowledge base ------------------------------------------------------------------------------------------------------


def knowledge_base(api: Api) -> Iterator[Page]:
    """Entries of the checks that detected something, or all of them. There is no paging: the answer is read as it comes."""
    wanted: set[str] | None = None
    if api.options.knowledge_base == "detected":
        wanted = api.shared.get(NAMED)
        if wanted is None:
            wanted = {str(record["QID"]) for record in api.records("detections") if record.get("QID")}
        calls: list[list[str]] = list(batches(iter(sorted(wanted, key=number)), IDS_IN_BODY))
    else:
        calls = [[]]
    gateway = Gateway(api) if api.options.knowledge_base_auth == "bearer" else None
    found = 0
    for ids in calls:
        for cursor, entries in entry_parts(api, gateway, ids):
            for records in batches(map(entry_record, entries), PAGE_RECORDS):
                found += len(records)
                yield Page(records, cursor=cursor)
                del records
    if wanted is not None and found < len(wanted):
        api.note(f"{len(wanted) - found} of {len(wanted)} checks have no entry in the knowledge base")


def entry_parts(api: Api, gateway: Gateway | None, ids: list[str]) -> Iterator[tuple[str | None, Iterator[Any]]]:
    path = f"/api/{api.options.knowledge_base_version}/fo/knowledge_base/vuln/"
    # a truncation_limit is refused here with 400
    params: dict[str, Any] = {"action": "list", "details": api.options.knowledge_base_details}
    request: dict[str, Any] = gateway.request() if gateway else {}
    if ids:
        params["ids"] = ",".join(ids)
    if len(ids) > IDS_IN_ADDRESS:
        request |= {"method": "POST", "data": params, "safe": True}
        params = {}
    return parts(api, (gateway.url if gateway else "") + path, params, "VULN", request=request)


def entry_record(entry: Any) -> Record:
    """An entry with `cves`, `software`, `threats`, `exploits` and both CVSS base scores; without the texts for people."""
    record: Record = entry if isinstance(entry, dict) else {}
    exploits = sum(
        len(inside(part, "EXPLT")) + len(inside(part, "EXPLT_LIST", "EXPLT"))
        for part in (
            *inside(record, "CORRELATION", "EXPLOITS"),
            *inside(record, "CORRELATION", "EXPLOITS", "EXPLT_SRC"),
        )
    )
    kept = {name: value for name, value in record.items() if name not in LEFT_OUT}
    return {
        **kept,
        "cves": inside(record, "CVE_LIST", "CVE", "ID"),
        "software": inside(record, "SOFTWARE_LIST", "SOFTWARE"),
        "threats": [name for name in inside(record, "THREAT_INTELLIGENCE", "THREAT_INTEL") if name],
        "exploits": exploits,
        "cvss_base": next(iter(inside(record, "CVSS", "BASE")), None),
        "cvss_v3_base": next(iter(inside(record, "CVSS_V3", "BASE")), None),
    }


def number(qid: str) -> int:
    return int(qid) if qid.isdecimal() else 0


# Proof of permissions ------------------------------------------------------------------------------------------------


def probe_hosts(api: Api) -> None:
    params = {"action": "list", "details": "None", "truncation_limit": 1}
    for _ in elements(api, host_path(api), params, ("ID",), {}):
        pass


def probe_detections(api: Api) -> None:
    for _ in elements(api, detection_path(api), {"action": "list", "truncation_limit": 1}, ("ID",), {}):
        pass


def probe_knowledge_base(api: Api) -> None:
    gateway = Gateway(api) if api.options.knowledge_base_auth == "bearer" else None
    for _, found in entry_parts(api, gateway, ["1"]):
        for _ in found:
            pass


STREAMS = (
    Stream(
        "hosts",
        hosts,
        "ID",
        HOST_FIELDS,
        "Hosts that were scanned or carry an agent, one record each.",
        permissions=("host list",),
        activity_field="last_seen",
        evidence="recorded",
        incremental=Incremental(OVERLAP),
    ),
    Stream(
        "detections",
        detections,
        "id",
        DETECTION_FIELDS,
        "Checks that found something on a host: new, active, reopened and fixed.",
        permissions=("host list detection",),
        deletes="never",
        may_be_empty=True,
        activity_field="LAST_FOUND_DATETIME",
        evidence="recorded",
        incremental=Incremental(OVERLAP, ages_by=("LAST_UPDATE_DATETIME",)),
    ),
    Stream(
        "knowledge_base",
        knowledge_base,
        "QID",
        KNOWLEDGE_BASE_FIELDS,
        "What a check stands for, with its CVE ids: the only way from a detection to a CVE.",
        needs=("detections",),
        permissions=("knowledge base",),
        deletes="never",
        may_be_empty=True,
        evidence="client_code",
    ),
    Stream(
        "host_assets",
        host_assets,
        "id",
        HOST_ASSET_FIELDS,
        "Host assets with network cards, agents, cloud source and software.",
        permissions=("asset management",),
        optional=True,
        may_be_empty=True,
        activity_field="modified",
    ),
    Stream(
        "csam_assets",
        csam_assets,
        "assetId",
        CSAM_FIELDS,
        "Assets of CyberSecurity Asset Management: hardware ids, software, criticality. Needs gateway_url.",
        permissions=("CyberSecurity Asset Management",),
        optional=True,
        activity_field="lastModifiedDate",
        evidence="client_code",
    ),
)
