"""Microsoft Defender for Endpoint: machines with the sensor, those it has merely seen, their software and weaknesses.

The sensor is on 92 % of computers; of the others every second one was discovered over the network. A rebuilt machine is
listed twice, copies of a golden image are one machine to Defender, MACs have no separators and loopback has zeros.
`$top` suppresses the link to the next page, as the product does. A minute of the rate limits lasts MINUTE seconds, so
that a demonstration ends. Instance options: machines_page, empty_exports (export
files without a byte), without (permissions not granted).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo_estate.entities import Account
from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.lenses.defender_endpoint import routes
from demo_estate.lenses.defender_endpoint.records import (
    covers,
    has_sensor,
    is_silent,
    logged_on,
    login,
    machine,
    machine_id,
    machine_keys,
    software_rows,
    vulnerability_rows,
)

MINUTE = 1.0
#: Machines whose logged-on users a connection asks for, in the order of the list.
LOGON_MACHINES = 1000
ROLES = ("Machine.Read.All", "Software.Read.All", "Vulnerability.Read.All", "User.Read.All")
SHOWN = frozenset(
    "short_name mac_spelling shared_dock_mac cloned_mac virtual_adapter_mac nic_swapped golden_image_agent rebuilt_host "
    "renamed_host reused_name replaced_instance private_ip_reuse generic_name zero_entra_device_id".split()
)

PERMISSIONS = {
    "/api/machines": "Machine.Read.All",
    "/api/machines/{id}/logonusers": "User.Read.All",
    "/api/machines/SoftwareInventoryByMachine": "Software.Read.All",
    "/api/machines/SoftwareVulnerabilitiesByMachine": "Vulnerability.Read.All",
    "/api/machines/SoftwareVulnerabilityChangesByMachine": "Vulnerability.Read.All",
    "/api/machines/SoftwareVulnerabilitiesExport": "Vulnerability.Read.All",
    "/api/vulnerabilities": "Vulnerability.Read.All",
}


def credentials(view: View) -> Mapping[str, str]:
    return {
        "client_secret": f"{view.truth.hex_id(8, view.instance.name, 'secret')}~{view.truth.hex_id(32, view.instance.name)}"
    }


def options(view: View, base_url: str) -> Mapping[str, Any]:
    client = view.truth.guid(view.instance.name, "client")
    logons = {"logon_users": "all", "logon_users_limit": LOGON_MACHINES}
    return {"tenant_id": view.truth.tenant_id, "client_id": client, "export_hosts": ["127.0.0.1"], **logons}


def token(request: Request, service: Service) -> Any:
    form, wanted = request.form(), options(service.view, service.base_url)
    if request.path_args["tenant"] != wanted["tenant_id"] or form.get("client_id") != wanted["client_id"]:
        return Response(
            {"error": "unauthorized_client", "error_description": "AADSTS700016: Application was not found."}, 400
        )
    if form.get("scope") != "https://api.securitycenter.microsoft.com/.default":
        return Response(
            {"error": "invalid_resource", "error_description": "AADSTS500011: The resource was not found."}, 400
        )
    if form.get("client_secret") != service.credentials["client_secret"]:
        return Response(
            {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}, 401
        )
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
        raise Refusal(
            403, "Forbidden", f"The application does not have any of the required application permissions ({wanted})"
        )


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
        proof = evidence(machine(view, key))
        yield Answer("device", machine_id(view, key), ident, truth.quirks(key.number) & SHOWN, proof)
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
        yield Answer("application", f"{product.vendor}-_-{product.name}".lower(), product.truth_id)


def evidence(record: Mapping[str, Any]) -> frozenset[str]:
    cloud = record["vmMetadata"] or {}
    return machine_evidence(
        macs=[address["macAddress"] for address in record["ipAddresses"]],
        names=[record["computerDnsName"]],
        ids=[record["aadDeviceId"], cloud.get("vmId")],
    )


PAGED = ("pageSize", "pagesize", "$skiptoken")
LENS = Lens(
    product="defender_endpoint",
    routes=(
        Route("POST", "/{tenant}/oauth2/v2.0/token", token, public=True),
        Route("GET", "/api/machines", routes.machines, ("$top", "$skip"), bucket="calls"),
        Route("GET", "/api/machines/{id}/logonusers", routes.logon_users, bucket="calls"),
        Route(
            "GET",
            "/api/machines/SoftwareInventoryByMachine",
            routes.inventory(software_rows),
            PAGED,
            bucket="inventories",
        ),
        Route(
            "GET",
            "/api/machines/SoftwareVulnerabilitiesByMachine",
            routes.inventory(vulnerability_rows),
            PAGED,
            bucket="inventories",
        ),
        Route(
            "GET",
            "/api/machines/SoftwareVulnerabilityChangesByMachine",
            routes.changes,
            (*PAGED, "sinceTime"),
            bucket="inventories",
        ),
        Route(
            "GET", "/api/machines/SoftwareVulnerabilitiesExport", routes.export, ("sasValidHours",), bucket="exports"
        ),
        Route("GET", "/api/vulnerabilities", routes.cves, ("$top", "$skip"), bucket="inventories"),
        Route("GET", "/tvmexport/{number}.json.gz", routes.export_file, ("sv", "se", "sig"), public=True),
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
