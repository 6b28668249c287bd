"""Microsoft Entra ID: the tenant as Microsoft Graph v1.0 tells it.

Covers what is joined or registered: laptops, desktops, mobiles. Servers live in Active Directory alone. Last sign-ins of
devices lag by up to a fortnight, a rebuilt machine leaves a disabled second object with the same deviceId, and Entra knows
neither serial numbers nor MACs. Instance options: premium (default true), without (permissions not granted),
page_token_seconds, page_cap (most records a page), principals_in_groups (service principals put into each group, which beta
alone tells), delta_error (status and code of every delta query's refusal).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo_estate.entities import Ref
from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.lenses.entra_id import applications, delta, objects
from demo_estate.lenses.entra_id.routes import BATCHES, COLLECTIONS, ROOT, require_permission, throttle_headers
from demo_estate.truth import Truth

ROLES = (
    "User.Read.All",
    "GroupMember.Read.All",
    "Device.Read.All",
    "Application.Read.All",
    "Directory.Read.All",
    "RoleManagement.Read.Directory",
    "AuditLog.Read.All",
)
CODES = {
    "unauthorized": "InvalidAuthenticationToken",
    "forbidden": "Authorization_RequestDenied",
    "not_found": "Request_ResourceNotFound",
    "throttled": "TooManyRequests",
    "unknown_route": "BadRequest",
    "unknown_parameter": "BadRequest",
    "bad_request": "BadRequest",
    "method": "Request_BadRequest",
    "server_error": "InternalServerError",
}
#: Quirks that show in what Entra holds of a machine; it has no addresses and no serial numbers.
SHOWN = frozenset({"reused_name", "renamed_host", "rebuilt_host", "generic_name"})


def covers(truth: Truth, index: int) -> bool:
    return truth.device_kind(index) in objects.KINDS


def credentials(view: View) -> Mapping[str, str]:
    return {
        "client_secret": f"{view.truth.hex_id(8, view.instance.name, 'secret')}~{view.truth.hex_id(32, view.instance.name)}"
    }


def options(view: View, base_url: str) -> Mapping[str, Any]:
    return {"tenant_id": view.truth.tenant_id, "client_id": view.truth.guid(view.instance.name, "client")}


def token(request: Request, service: Service) -> Any:
    """OAuth 2 client credentials, with Entra's own error codes."""
    form, wanted = request.form(), options(service.view, service.base_url)
    if request.path_args["tenant"] not in (wanted["tenant_id"], service.truth.tenant_domain):
        return oauth_error(
            "invalid_request", 90002, "Tenant not found. Check to make sure you have the correct tenant ID.", 400
        )
    if form.get("grant_type") != "client_credentials" or not form.get("scope", "").endswith("/.default"):
        return oauth_error(
            "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.", 400
        )
    if form.get("client_id") != wanted["client_id"]:
        return oauth_error("unauthorized_client", 700016, "Application was not found in the directory.", 400)
    if form.get("client_secret") != service.credentials["client_secret"]:
        return oauth_error("invalid_client", 7000215, "Invalid client secret provided.", 401)
    without = set(service.instance.options.get("without", ()))
    # permissions are those of the moment the token was issued
    issued = service.tokens.issue(form["client_id"], roles=tuple(r for r in ROLES if r not in without))
    life = int(service.tokens.ttl) - 1
    return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": issued.value}


def oauth_error(code: str, number: int, text: str, status: int) -> Response:
    return Response(
        {
            "error": code,
            "error_description": f"AADSTS{number}: {text}",
            "error_codes": [number],
            "error_uri": f"https://login.microsoftonline.com/error?code={number}",
        },
        status,
    )


def authenticate(request: Request, service: Service) -> None:
    value = bearer_token(request.header("Authorization"))
    if value is None:
        raise Refusal(401, "unauthorized", "Access token is empty.")
    if service.tokens.state(value) == "expired":
        raise Refusal(401, "unauthorized", "Lifetime validation failed, the token is expired.")
    found = service.tokens.find(value)
    if found is None:
        raise Refusal(401, "unauthorized", "IDX14100: JWT is not well formed.")
    request.caller, request.claims = found.subject, dict(found.claims)
    require_permission(request)


def error(request: Request, status: int, reason: str, message: str) -> Response:
    inner = {
        "date": "2026-01-02T03:04:05",
        "request-id": objects.ZERO,
        "client-request-id": objects.ZERO,
    }
    if reason == "unknown_route":
        message = f"Resource not found for the segment '{request.path.rpartition('/')[2]}'."
        status = 400
    return Response({"error": {"code": CODES.get(reason, reason), "message": message, "innerError": inner}}, status)


def buckets() -> Mapping[str, Bucket]:
    return {"directory": Bucket(8000, 10.0, throttle_headers), "reports": Bucket(5, 10.0)}


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for key in objects.device_keys(view):
        machine = view.device(key.number)
        tags = truth.quirks(key.number) & SHOWN
        record = objects.device(view, key)
        proof = machine_evidence(names=[record["displayName"]], ids=[record["deviceId"]])
        yield Answer("device", record["id"], machine.truth_id, tags, proof)
    for account in truth.accounts(view.day):
        yield Answer(
            "identity", account.entra_object_id, account.truth_id, truth.person_quirks(account.ref) - {"name_case"}
        )
    for index in objects.group_keys(view):
        group = truth.group(index)
        yield Answer("identity", str(group.entra_object_id), group.truth_id)
    for role in truth.roles:
        yield Answer("identity", role.template_id, role.truth_id)
    for application in truth.applications():
        yield Answer("application", application.object_id, application.truth_id)
    yield from principal_answers(view)


def principal_answers(view: View) -> Iterator[Answer]:
    """A principal is an identity; one of another company stands for that company's application too."""
    for key in applications.principal_keys(view):
        ident = applications.principal_id(view, key)
        if not isinstance(key, Ref):
            # Microsoft's own are nothing of the company's
            yield Answer("identity", ident, "")
            yield Answer("application", ident, "")
            continue
        found = view.truth.service_principal(key)
        yield Answer("identity", ident, found.truth_id)
        if found.kind == "third_party":
            yield Answer("application", ident, found.truth_id)


LENS = Lens(
    product="entra_id",
    routes=(
        Route("POST", "/{tenant}/oauth2/v2.0/token", token, public=True),
        *(collection.route() for collection in COLLECTIONS),
        *(delta.route(collection, ROOT) for collection in COLLECTIONS if collection.listed),
        *BATCHES,
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
