"""Microsoft Defender for Endpoint: machines with the sensor, those it has merely seen, their software and weaknesses.

The sensor is on 92 % of computers; of the others every second one was discovered over the network. A rebuilt machine is
listed twice, copies of a golden image are one machine to Defender, MACs have no separators and loopback has zeros.
`$top` suppresses the link to the next page, as the product does. A minute of the rate limits lasts MINUTE seconds, so
that a demonstration ends. Instance options: empty_exports (export files without a byte).
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from demo_estate.entities import Account, Cve, Device, Finding, Logon
from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.quirks import ZERO_GUID, generic_name, spell_mac
from demo_estate.truth import Truth

COMPUTERS = frozenset({"laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"})
SENSOR, DISCOVERED = 0.92, 0.5
MINUTE = 1.0
#: Machines whose logged-on users a connection asks for, in the order of the list.
LOGON_MACHINES = 1000
MACHINES_PAGE, ROWS_PAGE, MOST_ROWS = 10_000, 50_000, 200_000
FILE_MACHINES = 200
SAS_SECONDS = 3600
#: An inactive sensor has been silent for longer than this.
INACTIVE_DAYS = 7
ROLES = ("Machine.Read.All", "Software.Read.All", "Vulnerability.Read.All", "User.Read.All")
SHOWN = frozenset(
    "short_name mac_spelling shared_dock_mac cloned_mac virtual_adapter_mac nic_swapped golden_image_agent rebuilt_host "
    "renamed_host reused_name replaced_instance private_ip_reuse generic_name zero_entra_device_id".split()
)
LOGON_TYPES = {"interactive": "Interactive", "remote": "RemoteInteractive,Network", "network": "Network", "service": "Service"}


class Key(NamedTuple):
    """A machine record: of a device, of its current installation or the one before."""

    number: int
    generation: int | None


def stamp(moment: datetime, number: int) -> str:
    """With seven digits of a second."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{number % 10**7:07d}Z"


def plain(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def has_sensor(truth: Truth, index: int) -> bool:
    return truth.chance(SENSOR, "defender_endpoint", "sensor", index)


def covers(truth: Truth, index: int) -> bool:
    if truth.device_kind(index) not in COMPUTERS:
        return False
    return has_sensor(truth, index) or truth.chance(DISCOVERED, "defender_endpoint", "discovered", index)


# Machines ------------------------------------------------------------------------------------------------------------


def machine_keys(view: View) -> Iterator[Key]:
    """Copies of a golden image share their machine id: the first of them speaks for all."""
    truth = view.truth
    for index in view.device_indexes():
        quirks = truth.quirks(index)
        if "golden_image_agent" in quirks and has_sensor(truth, index):
            others = truth.quirk_group(index, "golden_image_agent")
            if any(o < index and view.covers(o) and has_sensor(truth, o) and truth.is_present(o, view.day) for o in others):
                continue
        yield Key(index, None)
        if "rebuilt_host" in quirks and has_sensor(truth, index) and view.device(index).generation > 0:
            yield Key(index, 0)


def machine_id(view: View, key: Key) -> str:
    """40 hex digits; what was merely discovered has an id of its own."""
    truth = view.truth
    if not has_sensor(truth, key.number):
        return truth.hex_id(40, "defender_endpoint", "discovered", key.number)
    agent = truth.agent_id("defender_endpoint", key.number, view.day, key.generation)
    return agent + truth.hex_id(8, "defender_endpoint", agent)


def dns_name(view: View, device: Device) -> str:
    quirks = view.truth.quirks(device.index)
    if "generic_name" in quirks:
        return generic_name(device.kind, device.index)
    if "short_name" in quirks or device.fqdn is None:
        return device.hostname.lower() if device.is_windows else device.hostname
    return device.fqdn


def last_seen(view: View, key: Key, device: Device) -> datetime:
    if key.generation == 0 and device.rebuild_day is not None:
        return view.truth.moment(device.rebuild_day - 1, "defender_endpoint", key.number)
    return view.truth.last_activity(key.number, view.day, "defender_endpoint")


def is_silent(view: View, key: Key, device: Device) -> bool:
    return view.truth.as_of(view.day) - last_seen(view, key, device) > timedelta(days=INACTIVE_DAYS)


def machine(view: View, key: Key) -> dict[str, Any]:
    truth, index = view.truth, key.number
    device = view.device(index)
    quirks, bits = truth.quirks(index), truth.number("defender_endpoint", "machine", index)
    sensor = has_sensor(truth, index)
    seen = last_seen(view, key, device)
    first = min(truth.moment(device.first_day, "defender_endpoint", index), seen)
    build = (device.os_build or "").split(".")
    return {
        "id": machine_id(view, key),
        "mergedIntoMachineId": None,
        "isPotentialDuplication": key.generation == 0,
        "isExcluded": False,
        "exclusionReason": None,
        "computerDnsName": dns_name(view, device),
        "firstSeen": stamp(first, bits),
        "lastSeen": stamp(seen, bits >> 8),
        "osPlatform": device.os_platform,
        "osVersion": None,
        "osProcessor": "x64",
        "version": device.os_version,
        "osBuild": int(build[2]) if device.is_windows and len(build) > 2 else None,
        "osArchitecture": "64-bit",
        "lastIpAddress": device.ip,
        "lastExternalIpAddress": "203.0.113.250",
        "agentVersion": "10.8792.26100.1" if sensor else None,
        "healthStatus": "NoSensorData" if not sensor else "Inactive" if is_silent(view, key, device) else "Active",
        "deviceValue": {0: "High", 1: "High"}.get(device.criticality, "Normal"),
        "rbacGroupId": 0,
        "rbacGroupName": None,
        "riskScore": ("None", "Low", "Medium")[bits % 3],
        "exposureLevel": "High" if device.internet_facing else ("Low", "Medium")[bits % 2],
        "isAadJoined": device.join in ("hybrid", "entra") if sensor else None,
        "aadDeviceId": ZERO_GUID if "zero_entra_device_id" in quirks else device.entra_device_id if sensor else None,
        "machineTags": [device.environment] if device.is_server else [],
        "onboardingStatus": "Onboarded" if sensor else "CanBeOnboarded",
        "managedBy": "Intune" if device.entra_device_id and sensor else "Unknown",
        "managedByStatus": "Success" if sensor else "Unknown",
        "ipAddresses": addresses(device) if sensor else [],
        "vmMetadata": cloud_of(device),
    }


def addresses(device: Device) -> list[dict[str, Any]]:
    kinds = {"wifi": "Wireless80211"}
    found = [
        {
            "ipAddress": nic.ip or "",
            "macAddress": spell_mac(nic.mac, "BARE"),
            "type": kinds.get(nic.kind, "Ethernet"),
            "operationalStatus": "Up" if nic.ip else "Down",
        }
        for nic in device.nics
    ]
    loopback = {"ipAddress": "127.0.0.1", "macAddress": "000000000000", "type": "SoftwareLoopback", "operationalStatus": "Up"}
    return [*found, loopback]


def cloud_of(device: Device) -> dict[str, Any] | None:
    if device.cloud is None:
        return None
    return {
        "vmId": device.cloud.instance_id,
        "cloudProvider": {"azure": "Azure", "aws": "AWS", "gcp": "GCP"}[device.cloud.provider],
        "resourceId": device.cloud.resource_id,
        "subscriptionId": device.cloud.account_id,
    }


# Software and weaknesses ---------------------------------------------------------------------------------------------


def software_rows(view: View, key: Key) -> Iterator[dict[str, Any]]:
    if not has_sensor(view.truth, key.number) or key.generation == 0:
        return
    truth, device, ident = view.truth, view.device(key.number), machine_id(view, key)
    open_weaknesses: dict[int, int] = {}
    for finding in truth.findings(key.number, view.day):
        open_weaknesses[finding.software] = open_weaknesses.get(finding.software, 0) + finding.is_open
    for item in truth.software(key.number, view.day):
        product = truth.software_catalogue[item.software]
        yield {
            "deviceId": ident,
            "rbacGroupId": 0,
            "rbacGroupName": "UnassignedGroup",
            "deviceName": dns_name(view, device),
            "osPlatform": device.os_platform,
            "softwareVendor": product.vendor,
            "softwareName": product.name,
            "softwareVersion": item.version,
            "numberOfWeaknesses": open_weaknesses.get(item.software, 0),
            **({"diskPaths": [item.path]} if item.path else {}),
            "registryPaths": [],
            "softwareFirstSeenTimestamp": plain(truth.moment(item.installed_day, "software", key.number, item.software)),
            "endOfSupportStatus": None,
            "endOfSupportDate": None,
        }


def vulnerability_rows(view: View, key: Key) -> Iterator[dict[str, Any]]:
    """Open weaknesses, and for software without any one row that names no CVE."""
    if not has_sensor(view.truth, key.number) or key.generation == 0:
        return
    truth, device, ident = view.truth, view.device(key.number), machine_id(view, key)
    seen = plain(last_seen(view, key, device))
    weak = set()
    for finding in truth.findings(key.number, view.day):
        if finding.is_open:
            weak.add(finding.software)
            yield vulnerability_row(view, device, ident, seen, finding.software, finding.version, finding)
    for item in truth.software(key.number, view.day):
        if item.software not in weak:
            yield vulnerability_row(view, device, ident, seen, item.software, item.version, None)


def vulnerability_row(
    view: View, device: Device, ident: str, seen: str, software: int, version: str, finding: Finding | None
) -> dict[str, Any]:
    truth = view.truth
    product = truth.software_catalogue[software]
    cve = truth.cve_catalogue[finding.cve] if finding else None
    first = truth.moment(finding.first_day, "defender", finding.id) if finding else None
    return {
        "id": "_".join([ident, product.vendor, product.name, version, *([cve.cve_id] if cve else [])]),
        "deviceId": ident,
        "deviceName": dns_name(view, device),
        "rbacGroupId": 0,
        "rbacGroupName": "UnassignedGroup",
        "osPlatform": device.os_platform,
        "osVersion": device.os_build,
        "osArchitecture": "x64",
        "softwareVendor": product.vendor,
        "softwareName": product.name,
        "softwareVersion": version,
        "cveId": cve.cve_id if cve else None,
        "vulnerabilitySeverityLevel": cve.severity.capitalize() if cve else None,
        "recommendedSecurityUpdate": f"Update {product.title}" if cve else None,
        "recommendedSecurityUpdateId": None,
        "recommendedSecurityUpdateUrl": None,
        "lastSeenTimestamp": seen,
        "firstSeenTimestamp": plain(first) if first else seen,
        "endOfSupportStatus": None,
        "endOfSupportDate": None,
        "exploitabilityLevel": "ExploitIsPublic" if cve and cve.exploit_available else "NoExploit",
        "recommendationReference": f"va-_-{product.vendor}-_-{product.name}",
        "securityUpdateAvailable": cve is not None,
    }


def cve_record(view: View, cve: Cve) -> dict[str, Any]:
    exposed = view.truth.number("exposed", cve.index) % 90 + 10
    return {
        "id": cve.cve_id,
        "name": cve.cve_id,
        "description": f"{cve.title}.",
        "severity": cve.severity.capitalize(),
        "cvssV3": cve.cvss,
        "cvssVector": cve.vector,
        "exposedMachines": exposed,
        "publishedOn": stamp(view.truth.moment(cve.published_day, "cve", cve.index), 0),
        "updatedOn": stamp(view.truth.moment(cve.published_day + 1, "cve", cve.index), 0),
        "firstDetected": None,
        "publicExploit": cve.exploit_available,
        "exploitVerified": False,
        "exploitInKit": False,
        "exploitTypes": [],
        "exploitUris": [],
        "epss": cve.epss,
    }


def unexposed(view: View, number: int) -> dict[str, Any]:
    """Of the weaknesses Defender knows, most are nobody's."""
    return {"id": f"CVE-1999-{10_000 + number}", "severity": "Low", "cvssV3": 3.1, "exposedMachines": 0, "publicExploit": False}


def logon_rows(view: View, key: Key) -> list[dict[str, Any]]:
    return [
        {
            "id": login(account),
            "accountName": account.sam,
            "accountDomain": (account.netbios_domain or "").lower(),
            "firstSeen": stamp(logon.last - timedelta(days=20), logon.count),
            "lastSeen": stamp(logon.last, logon.count),
            "logonTypes": LOGON_TYPES[logon.kind],
            "isDomainAdmin": account.kind == "admin" and account.index < 3,
            "isOnlyNetworkUser": logon.kind == "network",
        }
        for account, logon in logged_on(view, key)
    ]


def logged_on(view: View, key: Key) -> Iterator[tuple[Account, Logon]]:
    """Domain accounts alone: Defender names a cloud account by nothing that another product knows."""
    for logon in view.truth.logons(key.number, view.day):
        account = view.truth.account(logon.account, view.day)
        if account.sam is not None and account.netbios_domain is not None:
            yield account, logon


def login(account: Account) -> str:
    return f"{(account.netbios_domain or '').lower()}\\{account.sam}"


# Routes --------------------------------------------------------------------------------------------------------------


def keys_of(service: Service) -> Sequence[Key]:
    return service.cached("machines", lambda: list(machine_keys(service.view)))


def envelope(request: Request, kind: str, value: list[Any], link: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"@odata.context": f"{request.base_url}/api/$metadata#{kind}", "value": value}
    if link:
        body["@odata.nextLink"] = link
    return body


def machines(request: Request, service: Service) -> Any:
    keys = keys_of(service)
    if not keys:
        raise Refusal(404, "ResourceNotFound", "No machines were found")
    size = int(service.instance.options.get("machines_page", MACHINES_PAGE))
    asked = request.integer("$top", size, 1, MACHINES_PAGE)
    start = request.integer("$skip", 0)
    page = keys[start : start + asked]
    more = "$top" not in request.query and start + asked < len(keys)
    link = f"{request.base_url}/api/machines?$skip={start + asked}" if more else None
    return envelope(request, "Machines", [machine(service.view, key) for key in page], link)


def logon_users(request: Request, service: Service) -> Any:
    index = service.cached("by id", lambda: {machine_id(service.view, key): key for key in keys_of(service)})
    wanted = request.path_args["id"]
    if wanted not in index:
        raise Refusal(404, "ResourceNotFound", f"Machine {wanted} was not found")
    return envelope(request, "Collection(microsoft.windowsDefenderATP.api.LogonUser)", logon_rows(service.view, index[wanted]))


def inventory(rows: Callable[[View, Key], Iterator[dict[str, Any]]]) -> Callable[[Request, Service], Any]:
    """An inventory by machine: its token names the machine and the row to go on with."""

    def handler(request: Request, service: Service) -> Any:
        names = {name.lower(): value for name, value in request.query.items()}
        size = int(names.get("pagesize", ROWS_PAGE))
        if not 1 <= size <= MOST_ROWS:
            raise Refusal(400, "InvalidInput", "pageSize must be between 1 and 200000")
        number, line = read_token(names.get("$skiptoken"))
        keys, view, value = keys_of(service), service.view, list[dict[str, Any]]()
        while number < len(keys):
            found = list(rows(view, keys[number]))
            taken = found[line : line + size - len(value)]
            value += taken
            line += len(taken)
            if line < len(found):
                break
            number, line = number + 1, 0
        link = None
        if number < len(keys):
            link = f"{request.base_url}{request.path}?pagesize={size}&$skiptoken={write_token(service, number, line)}"
        return envelope(request, "Collection(microsoft.windowsDefenderATP.api.AssetVulnerability)", value, link)

    return handler


def write_token(service: Service, number: int, line: int) -> str:
    """Position in a snapshot, readable as the product's own tokens are."""
    path = f"{service.truth.date(service.day)}/0301/"
    state = {"ExportDefinition": {"TimePath": path}, "ExportFileIndex": number, "LineStoppedAt": line}
    return base64.urlsafe_b64encode(orjson.dumps(state)).decode()


def read_token(token: str | None) -> tuple[int, int]:
    if token is None:
        return 0, 0
    try:
        state = orjson.loads(base64.urlsafe_b64decode(token))
        return int(state["ExportFileIndex"]), int(state["LineStoppedAt"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, "InvalidInput", "The skip token is not valid") from error


def cves(request: Request, service: Service) -> Any:
    catalogue = service.truth.cve_catalogue
    found = [cve_record(service.view, cve) for cve in catalogue]
    return envelope(request, "Vulnerabilities", [*found, *(unexposed(service.view, n) for n in range(200))])


def export(request: Request, service: Service) -> Any:
    """Links to prepared files. A link is its own permission, for a while."""
    count = -(-len(keys_of(service)) // FILE_MACHINES)
    ends = int(service.clock.time()) + SAS_SECONDS * request.integer("sasValidHours", 1, 1, 6)
    links = ((n, f"sv=2022-11-02&se={ends}&sig={signature(service, n, ends)}") for n in range(count))
    files = [f"{request.base_url}/tvmexport/{n}.json.gz?{query}" for n, query in links]
    generated = stamp(service.truth.as_of(service.day), 0)
    return {"@odata.context": f"{request.base_url}/api/$metadata", "exportFiles": files, "generatedTime": generated}


def signature(service: Service, number: int, ends: int) -> str:
    return service.truth.hex_id(40, "sas", service.name, number, ends)


def export_file(request: Request, service: Service) -> Response:
    """Gzipped JSON lines in PascalCase. Storage knows signatures only: a token beside one is refused."""
    number, query = int(request.path_args["number"]), request.query
    ends = request.integer("se", 0)
    good = query.get("sig") == signature(service, number, ends) and service.clock.time() < ends
    if not good or request.header("Authorization"):
        text = "Server failed to authenticate the request. Signature not valid in the specified time frame."
        xml = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>{text}</Message></Error>'
        return Response(xml, 403, content_type="application/xml")
    if service.instance.options.get("empty_exports"):
        return Response(b"")
    keys = keys_of(service)[number * FILE_MACHINES : (number + 1) * FILE_MACHINES]
    lines = (orjson.dumps(pascal(row)) for key in keys for row in vulnerability_rows(service.view, key))
    return Response(gzip.compress(b"\n".join(lines) + b"\n", 1), content_type="application/octet-stream")


def pascal(row: Mapping[str, Any]) -> dict[str, Any]:
    """Export files spell their keys in PascalCase, all but two."""
    renamed = {name if name in ("cveId", "diskPaths") else name[:1].upper() + name[1:]: value for name, value in row.items()}
    return {**renamed, "IsOnboarded": True}


# Access --------------------------------------------------------------------------------------------------------------

PERMISSIONS = {
    "/api/machines": "Machine.Read.All",
    "/api/machines/{id}/logonusers": "User.Read.All",
    "/api/machines/SoftwareInventoryByMachine": "Software.Read.All",
    "/api/machines/SoftwareVulnerabilitiesByMachine": "Vulnerability.Read.All",
    "/api/machines/SoftwareVulnerabilitiesExport": "Vulnerability.Read.All",
    "/api/vulnerabilities": "Vulnerability.Read.All",
}


def credentials(view: View) -> Mapping[str, str]:
    return {"client_secret": f"{view.truth.hex_id(8, view.instance.name, 'secret')}~{view.truth.hex_id(32, view.instance.name)}"}


def options(view: View, base_url: str) -> Mapping[str, Any]:
    client = view.truth.guid(view.instance.name, "client")
    logons = {"logon_users": "all", "logon_users_limit": LOGON_MACHINES}
    return {"tenant_id": view.truth.tenant_id, "client_id": client, "export_hosts": ["127.0.0.1"], **logons}


def token(request: Request, service: Service) -> Any:
    form, wanted = request.form(), options(service.view, service.base_url)
    if request.path_args["tenant"] != wanted["tenant_id"] or form.get("client_id") != wanted["client_id"]:
        return Response({"error": "unauthorized_client", "error_description": "AADSTS700016: Application was not found."}, 400)
    if form.get("scope") != "https://api.securitycenter.microsoft.com/.default":
        return Response({"error": "invalid_resource", "error_description": "AADSTS500011: The resource was not found."}, 400)
    if form.get("client_secret") != service.credentials["client_secret"]:
        return Response({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}, 401)
    without = set(service.instance.options.get("without", ()))
    issued = service.tokens.issue(form["client_id"], roles=tuple(role for role in ROLES if role not in without))
    return {"token_type": "Bearer", "expires_in": int(service.tokens.ttl) - 1, "access_token": issued.value}


def authenticate(request: Request, service: Service) -> None:
    found = service.tokens.find(bearer_token(request.header("Authorization")))
    if found is None:
        raise Refusal(401, "Unauthorized", "Unauthorized request, the token is missing, expired or not valid")
    request.caller = found.subject
    wanted = PERMISSIONS.get(request.route.path if request.route else "")
    if wanted and wanted not in found.claims["roles"]:
        raise Refusal(403, "Forbidden", f"The application does not have any of the required application permissions ({wanted})")


def error(request: Request, status: int, reason: str, message: str) -> Response:
    codes = {
        "throttled": "TooManyRequests",
        "unknown_route": "NotFoundRoute",
        "unknown_parameter": "BadRequest",
        "bad_request": "BadRequest",
        "unauthorized": "Unauthorized",
        "forbidden": "Forbidden",
        "not_found": "ResourceNotFound",
        "server_error": "InternalServerError",
    }
    return Response({"error": {"code": codes.get(reason, reason), "message": message, "target": request.path}}, status)


def buckets() -> Mapping[str, Bucket]:
    return {"calls": Bucket(100, MINUTE), "inventories": Bucket(30, MINUTE), "exports": Bucket(5, MINUTE)}


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    accounts: dict[str, Account] = {}
    products: set[int] = set()
    asked = 0
    for key in machine_keys(view):
        ident = f"dev-{key.number:06d}"
        yield Answer("device", machine_id(view, key), ident, truth.quirks(key.number) & SHOWN)
        if not has_sensor(truth, key.number):
            continue
        if key.generation is None:
            products.update(item.software for item in truth.software(key.number, view.day))
        if asked < LOGON_MACHINES and not is_silent(view, key, view.device(key.number)):
            asked += 1
            accounts.update((login(account).lower(), account) for account, _ in logged_on(view, key))
    for name, account in accounts.items():
        yield Answer("identity", name, account.truth_id, truth.person_quirks(account.ref) & {"same_sam", "admin_pair"})
    for index in sorted(products):
        product = truth.software_catalogue[index]
        yield Answer("application", f"{product.vendor}-_-{product.name}".lower(), f"sft-{index:06d}")


PAGED = ("pageSize", "pagesize", "$skiptoken")
LENS = Lens(
    product="defender_endpoint",
    routes=(
        Route("POST", "/{tenant}/oauth2/v2.0/token", token, public=True),
        Route("GET", "/api/machines", machines, ("$top", "$skip"), bucket="calls"),
        Route("GET", "/api/machines/{id}/logonusers", logon_users, bucket="calls"),
        Route("GET", "/api/machines/SoftwareInventoryByMachine", inventory(software_rows), PAGED, bucket="inventories"),
        Route("GET", "/api/machines/SoftwareVulnerabilitiesByMachine", inventory(vulnerability_rows), PAGED, bucket="inventories"),
        Route("GET", "/api/machines/SoftwareVulnerabilitiesExport", export, ("sasValidHours",), bucket="exports"),
        Route("GET", "/api/vulnerabilities", cves, ("$top", "$skip"), bucket="inventories"),
        Route("GET", "/tvmexport/{number}.json.gz", export_file, ("sv", "se", "sig"), public=True),
    ),
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    retention=180,
    authenticate=authenticate,
    error=error,
    buckets=buckets,
    token_ttl=3600.0,
)
