"""Microsoft Intune: enrolled computers, phones and tablets, and the applications found on them.

Intune covers 93 % of what is joined or registered. It writes empty texts, year 1 and the all-zero GUID for what it does not
know; old enrolments carry their own id as Entra device id; a rebuilt machine leaves its old enrolment behind; retiring
devices are listed until they obey, without their user. Throttling looks like HTTP 500. Instance options: licensed (default
true), without (permissions not granted), page_cap (most records a page), page_token_seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from demo_estate.entities import Device, Ref
from demo_estate.evidence import machine_evidence
from demo_estate.kit import Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.people import exists
from demo_estate.quirks import ZERO_GUID, generic_name, spell_mac
from demo_estate.truth import Truth

KINDS = frozenset({"laptop", "desktop", "mobile"})
COVERAGE = 0.93
SHOWN = frozenset(
    "mac_spelling missing_serial placeholder_serial shared_dock_mac virtual_adapter_mac nic_swapped rebuilt_host "
    "renamed_host reused_name generic_name zero_entra_device_id".split()
)
LARGEST = 1000
PAGE_TOKEN_SECONDS = 3600.0
ROLES = ("DeviceManagementManagedDevices.Read.All", "DeviceManagementApps.Read.All")
DEVICES, APPS = "/deviceManagement/managedDevices", "/deviceManagement/detectedApps"
QUERY = ("$select", "$top", "$skiptoken")
YEAR_ONE, FOREVER = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
#: Out of 40: enrolments that are being retired, or wiped; out of 25: enrolments so old that they name themselves.
RETIRING, WIPING, NAMES_ITSELF = 0, 1, 7
CODES = {"unauthorized": "InvalidAuthenticationToken", "forbidden": "Forbidden", "not_found": "ResourceNotFound"}
BETA_ONLY = ("chassisType", "joinType", "processorArchitecture", "skuFamily", "usersLoggedOn")


class Key(NamedTuple):
    """An enrolment: of a device as it is, or as it was before it was rebuilt."""

    number: int
    generation: int | None


class App(NamedTuple):
    """A name and version of software that somebody has."""

    software: int
    version: str


def covers(truth: Truth, index: int) -> bool:
    return truth.device_kind(index) in KINDS and truth.chance(COVERAGE, "intune", "covers", index)


def device_keys(view: View) -> Iterator[Key]:
    for index in view.device_indexes():
        device = view.device(index)
        if device.entra_device_id is None:
            continue
        yield Key(index, None)
        if "rebuilt_host" in view.truth.quirks(index) and device.generation > 0:
            yield Key(index, 0)


def device_id(view: View, key: Key) -> str:
    return view.truth.guid(
        "intune", "device", key.number, view.device(key.number).generation if key.generation is None else 0
    )


def zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def management_state(view: View, key: Key) -> str:
    draw = view.truth.number("intune", "state", *key) % 40
    return {RETIRING: "retireIssued", WIPING: "wipePending"}.get(draw, "managed")


def user_of(view: View, key: Key) -> Ref | None:
    """The primary user; a device that is being retired has lost it."""
    owner = view.device(key.number).owner
    if owner is None or management_state(view, key) == "retireIssued":
        return None
    ref = Ref("person", owner)
    return ref if exists(view.truth, ref, view.day) else None


def last_sync(view: View, key: Key, device: Device) -> datetime:
    if key.generation == 0 and device.rebuild_day is not None:
        return view.truth.moment(device.rebuild_day - 1, "intune", key.number)
    return view.truth.last_activity(key.number, view.day, "intune")


def device_record(view: View, key: Key) -> dict[str, Any]:
    truth, index = view.truth, key.number
    device, quirks = view.device(index), truth.quirks(index)
    ident, user = device_id(view, key), user_of(view, key)
    account = truth.account(user, view.day) if user is not None else None
    seen = last_sync(view, key, device)
    mobile = device.kind == "mobile"
    wifi = next((nic.mac for nic in device.nics if nic.kind == "wifi"), None)
    entra = str(device.entra_device_id)
    if "zero_entra_device_id" in quirks:
        entra = ZERO_GUID
    elif truth.number("intune", "enrolment", *key) % 25 == NAMES_ITSELF:
        entra = ident
    name = generic_name(device.kind, index) if "generic_name" in quirks else device.hostname
    state = management_state(view, key)
    return {
        "id": ident,
        "userId": account.entra_object_id if account else "",
        "deviceName": name,
        "managedDeviceName": f"{name}_{device.os_platform}_{seen:%m/%d/%Y_%I:%M %p}",
        "managedDeviceOwnerType": "personal" if device.join == "registered" and not mobile else "company",
        "managementState": state,
        "enrolledDateTime": zulu(min(truth.moment(device.first_day, "intune", index), seen)),
        "lastSyncDateTime": zulu(seen),
        "operatingSystem": "Windows" if device.is_windows else device.os_platform,
        "osVersion": device.os_build if device.is_windows else device.os_version,
        "complianceState": "unknown" if state != "managed" else ("compliant", "noncompliant")[index % 5 == 3],
        "jailBroken": "False" if mobile else "Unknown",
        "managementAgent": "mdm" if mobile else "intuneClient",
        "azureADRegistered": None if index % 3 == 0 else True,
        "azureADDeviceId": entra,
        "deviceEnrollmentType": "userEnrollment" if device.join == "registered" else "windowsAzureADJoin",
        "deviceRegistrationState": "registered",
        "deviceCategoryDisplayName": "Unknown",
        "emailAddress": (account.mail or "") if account else "",
        "userPrincipalName": account.upn if account else "",
        "userDisplayName": account.display_name if account else "",
        "model": device.model,
        "manufacturer": device.manufacturer,
        "serialNumber": device.serial or "",
        "imei": spaced_imei(device.imei) if device.imei and index % 2 == 0 else device.imei or "",
        "meid": "",
        "wiFiMacAddress": spell_mac(wifi, "bare") if wifi else "",
        # in a collection always empty, whatever the device has
        "ethernetMacAddress": None,
        "isEncrypted": index % 7 != 0,
        "isSupervised": False,
        "totalStorageSpaceInBytes": 68719476736 * (1 + index % 4),
        "easActivationDateTime": YEAR_ONE,
        "complianceGracePeriodExpirationDateTime": FOREVER,
        "partnerReportedThreatState": "unknown",
        "androidSecurityPatchLevel": "2026-10-01" if device.os_platform == "Android" else "",
        "activationLockBypassCode": truth.hex_id(24, "activation lock", index).upper() if mobile else None,
        "chassisType": {"laptop": "laptop", "desktop": "desktop"}.get(device.kind, "phone"),
        "joinType": {"hybrid": "hybridAzureADJoined", "entra": "azureADJoined"}.get(device.join, "azureADRegistered"),
        "processorArchitecture": "arm64" if mobile else "x64",
        "skuFamily": "Enterprise" if device.is_windows else "",
        "usersLoggedOn": [{"userId": account.entra_object_id, "lastLogOnDateTime": zulu(seen)}] if account else [],
    }


def spaced_imei(imei: str) -> str:
    return f"{imei[:2]} {imei[2:8]} {imei[8:14]} {imei[14:]}".strip()


def app_record(view: View, app: App, devices: Sequence[Key]) -> dict[str, Any]:
    product = view.truth.software_catalogue[app.software]
    return {
        "id": app_id(view, app),
        "displayName": product.title,
        "version": app.version,
        "sizeInByte": 0,
        "deviceCount": len(devices),
        "publisher": product.vendor if app.software % 3 else "",
        "platform": product.platform if product.platform in ("windows", "macos") else "unknown",
    }


def app_id(view: View, app: App) -> str:
    return view.truth.hex_id(64, "intune", "app", app.software, app.version)


def installations(view: View) -> dict[App, list[Key]]:
    """Computers by the software that is on them."""
    found: dict[App, list[Key]] = {}
    for key in device_keys(view):
        if key.generation is None and view.truth.device_kind(key.number) != "mobile":
            for item in view.truth.software(key.number, view.day):
                found.setdefault(App(item.software, item.version), []).append(key)
    return dict(sorted(found.items()))


# Served --------------------------------------------------------------------------------------------------------------


def keys_of(service: Service) -> list[Key]:
    return service.cached("devices", lambda: list(device_keys(service.view)))


def apps_of(service: Service) -> dict[App, list[Key]]:
    return service.cached("apps", lambda: installations(service.view))


def managed_devices(request: Request, service: Service) -> Any:
    known = set(device_record(service.view, keys_of(service)[0])) if keys_of(service) else set()
    if request.path.startswith("/v1.0/"):
        known -= set(BETA_ONLY)

    def build(key: Key) -> dict[str, Any]:
        return {name: value for name, value in device_record(service.view, key).items() if name in known}

    return page(request, service, keys_of(service), build, known, DEVICES)


def device_count(request: Request, service: Service) -> Any:
    text = "No OData route exists that match template ~/singleton/navigation/$count with http verb GET"
    raise Refusal(400, "BadRequest", text)


def detected_apps(request: Request, service: Service) -> Any:
    found = list(apps_of(service).items())
    return page(request, service, found, lambda item: app_record(service.view, *item), set(), APPS)


def app_devices(request: Request, service: Service) -> Any:
    by_id = service.cached("apps by id", lambda: {app_id(service.view, app): app for app in apps_of(service)})
    app = by_id.get(request.path_args["id"])
    if app is None:
        raise Refusal(404, "not_found", "Resource not found for the application.")
    return page(
        request, service, apps_of(service)[app], lambda key: {"id": device_id(service.view, key)}, set(), DEVICES
    )


def page(request: Request, service: Service, items: Sequence[Any], build: Any, known: set[str], context: str) -> Any:
    """One page with the count of the whole collection beside it."""
    if not service.instance.options.get("licensed", True):
        raise Refusal(400, "BadRequest", "Request not applicable to target tenant.")
    if token := request.query.get("$skiptoken"):
        try:
            state = service.cursors.decode(token)
        except ValueError as error:
            raise Refusal(400, "BadRequest", "Invalid skip token.") from error
        life = float(service.instance.options.get("page_token_seconds", PAGE_TOKEN_SECONDS))
        if service.clock.time() > state["issued"] + life:
            raise Refusal(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    else:
        select = [name for name in request.query.get("$select", "").split(",") if name]
        if unknown := [name for name in select if known and name not in known]:
            raise Refusal(400, "BadRequest", f"Could not find a property named '{unknown[0]}' on type 'managedDevice'.")
        state = {"offset": 0, "top": request.integer("$top", LARGEST, 1, LARGEST), "select": select}
    start, size = state["offset"], min(state["top"], int(service.instance.options.get("page_cap", LARGEST)))
    records = [build(item) for item in items[start : start + size]]
    chosen = [{k: v for k, v in r.items() if k in state["select"]} if state["select"] else r for r in records]
    body: dict[str, Any] = {
        "@odata.context": f"{request.base_url}/v1.0/$metadata#{context.strip('/')}",
        "@odata.count": len(items),
        "value": chosen,
    }
    if start + size < len(items):
        token = service.cursors.encode({**state, "offset": start + size, "issued": service.clock.time()})
        body["@odata.nextLink"] = f"{request.base_url}{request.path}?$skiptoken={token}"
    return body


def credentials(view: View) -> Mapping[str, str]:
    return {
        "client_secret": f"{view.truth.hex_id(8, view.instance.name, 'secret')}~{view.truth.hex_id(32, view.instance.name)}"
    }


def options(view: View, base_url: str) -> Mapping[str, Any]:
    client = view.truth.guid(view.instance.name, "client")
    return {"tenant_id": view.truth.tenant_id, "client_id": client}


def token(request: Request, service: Service) -> Any:
    form, wanted = request.form(), options(service.view, service.base_url)
    if request.path_args["tenant"] != wanted["tenant_id"] or form.get("client_id") != wanted["client_id"]:
        text = "AADSTS700016: Application was not found in the directory."
        return Response({"error": "unauthorized_client", "error_description": text}, 400)
    if form.get("scope") != "https://graph.microsoft.com/.default":
        text = "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
        return Response({"error": "invalid_scope", "error_description": text}, 400)
    if form.get("client_secret") != service.credentials["client_secret"]:
        text = "AADSTS7000215: Invalid client secret provided."
        return Response({"error": "invalid_client", "error_description": text}, 401)
    without = set(service.instance.options.get("without", ()))
    issued = service.tokens.issue(form["client_id"], roles=tuple(role for role in ROLES if role not in without))
    return {"token_type": "Bearer", "expires_in": int(service.tokens.ttl) - 1, "access_token": issued.value}


def authenticate(request: Request, service: Service) -> None:
    found = service.tokens.find(bearer_token(request.header("Authorization")))
    if found is None:
        raise Refusal(401, "unauthorized", "Lifetime validation failed, the token is expired.")
    request.caller = found.subject
    wanted = ROLES[APPS in request.path]
    if wanted not in found.claims["roles"]:
        raise Refusal(403, "forbidden", f"Application is not authorized to perform this operation; needs {wanted}")


def error(request: Request, status: int, reason: str, message: str) -> Response:
    """Intune puts its own error as JSON into the message of Graph's."""
    if status == 500:
        message = "Rate limit reached because of too many requests to query broker. Please retry after sometime."
    inner = {"_version": 3, "Message": f"{message} - Operation ID (for customer support): {ZERO_GUID}"}
    code = CODES.get(reason, "InternalServerError" if status >= 500 else reason)
    return Response({"error": {"code": code, "message": orjson.dumps(inner).decode()}}, status)


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    users: set[Ref] = set()
    for key in device_keys(view):
        record = device_record(view, key)
        proof = machine_evidence(
            serial=record["serialNumber"],
            macs=[record["wiFiMacAddress"]],
            names=[record["deviceName"]],
            ids=[
                None if record["azureADDeviceId"] == record["id"] else record["azureADDeviceId"],
                view.device(key.number).imei,
            ],
        )
        yield Answer("device", record["id"], f"dev-{key.number:06d}", truth.quirks(key.number) & SHOWN, proof)
        if (user := user_of(view, key)) is not None:
            users.add(user)
    for user in sorted(users):
        account = truth.account(user, view.day)
        yield Answer("identity", account.entra_object_id, account.truth_id)


LENS = Lens(
    product="intune",
    routes=(
        Route("POST", "/{tenant}/oauth2/v2.0/token", token, public=True),
        Route("GET", f"/v1.0{DEVICES}", managed_devices, QUERY),
        Route("GET", f"/beta{DEVICES}", managed_devices, QUERY),
        Route("GET", f"/v1.0{DEVICES}/$count", device_count),
        Route("GET", f"/v1.0{APPS}", detected_apps, QUERY),
        Route("GET", f"/v1.0{APPS}/{{id}}/managedDevices", app_devices, QUERY),
    ),
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    retention=30,
    authenticate=authenticate,
    error=error,
)
