"""Microsoft Defender for Identity and advanced hunting: sensors, identities, and Microsoft's own exposure graph.

A sensor is on every domain controller and on two servers. The exposure graph holds what Defender for Endpoint and the
directories hold, and CVEs that nobody should import. A minute of the hunting limit lasts MINUTE seconds, so that a
demonstration ends. Instance options: page (records a page), row_limit (rows after which an answer is cut), slow_rows
(rows that take too long), without (permissions not granted), without_tables (tables the tenant does not have).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.lenses.defender_endpoint.records import covers, machine, machine_id, machine_keys
from demo_estate.lenses.defender_identity import records
from demo_estate.lenses.defender_identity.routes import ROOT, ROUTES
from demo_estate.lenses.entra_id import CODES, oauth_error
from demo_estate.lenses.entra_id.objects import ZERO

MINUTE = 1.0
PERMISSIONS = {
    f"{ROOT}/identities/sensors": "SecurityIdentitiesSensors.Read.All",
    f"{ROOT}/identities/healthIssues": "SecurityIdentitiesHealth.Read.All",
    f"{ROOT}/identities/identityAccounts": "SecurityIdentitiesAccount.Read.All",
    f"{ROOT}/runHuntingQuery": "ThreatHunting.Read.All",
}
#: Quirks that show in what the graph holds of a machine.
SHOWN = frozenset("short_name golden_image_agent rebuilt_host renamed_host reused_name generic_name".split())
ACCOUNT_QUIRKS = frozenset({"same_sam", "admin_pair", "guest_account"})


def credentials(view: View) -> Mapping[str, str]:
    return {
        "client_secret": f"{view.truth.hex_id(8, view.instance.name, 'secret')}~{view.truth.hex_id(32, view.instance.name)}"
    }


def options(view: View, base_url: str) -> Mapping[str, Any]:
    client = view.truth.guid(view.instance.name, "client")
    return {"tenant_id": view.truth.tenant_id, "client_id": client, "exposure_graph": True}


def token(request: Request, service: Service) -> Any:
    form, wanted = request.form(), options(service.view, service.base_url)
    if request.path_args["tenant"] != wanted["tenant_id"] or form.get("client_id") != wanted["client_id"]:
        return oauth_error("unauthorized_client", 700016, "Application was not found in the directory.", 400)
    if form.get("scope") != "https://graph.microsoft.com/.default":
        return oauth_error(
            "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.", 400
        )
    if form.get("client_secret") != service.credentials["client_secret"]:
        return oauth_error("invalid_client", 7000215, "Invalid client secret provided.", 401)
    without = set(service.instance.options.get("without", ()))
    roles = tuple(role for role in PERMISSIONS.values() if role not in without)
    issued = service.tokens.issue(form["client_id"], roles=roles)
    life = int(service.tokens.ttl) - 1
    return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": issued.value}


def authenticate(request: Request, service: Service) -> None:
    found = service.tokens.find(bearer_token(request.header("Authorization")))
    if found is None:
        raise Refusal(401, "unauthorized", "Lifetime validation failed, the token is expired.")
    request.caller = found.subject
    wanted = PERMISSIONS.get(request.route.path if request.route else "")
    if wanted and wanted not in found.claims["roles"]:
        raise Refusal(403, "forbidden", f"Missing application permission {wanted}.")


def error(request: Request, status: int, reason: str, message: str) -> Response:
    inner = {"date": "2026-01-02T03:04:05", "request-id": ZERO, "client-request-id": ZERO}
    code = "BadRequest" if reason == "bad_request" else CODES.get(reason, reason)
    return Response({"error": {"code": code, "message": message, "innerError": inner}}, status)


def buckets() -> Mapping[str, Bucket]:
    return {"graph": Bucket(8000, 10.0), "hunting": Bucket(45, MINUTE)}


def rows(body: Any) -> list[Any] | None:
    """The records of an answer: its schema is none."""
    found = body.get("results", body.get("value")) if isinstance(body, dict) else None
    return found if isinstance(found, list) else None


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for host, _ in records.sensor_hosts(view):
        yield Answer(
            "device", records.sensor_id(view, host), host.truth_id, evidence=machine_evidence(names=[host.fqdn])
        )
    for ref in records.account_keys(view):
        tags = truth.person_quirks(ref) & ACCOUNT_QUIRKS
        yield Answer("identity", records.identity_id(view, ref), truth.truth_id(ref), tags)
    for account in truth.accounts(view.day):
        tags = truth.person_quirks(account.ref) & ACCOUNT_QUIRKS
        yield Answer("identity", f"info/{account.entra_object_id}", account.truth_id, tags)
        yield Answer("identity", records.node_id(view, *account.ref), account.truth_id, tags)
    yield from node_answers(view)


def node_answers(view: View) -> Iterator[Answer]:
    """Nodes of the exposure graph that are no accounts."""
    truth = view.truth
    for key in machine_keys(view):
        listed = machine(view, key)
        proof = machine_evidence(names=[listed["computerDnsName"]], ids=[listed["aadDeviceId"], machine_id(view, key)])
        tags = truth.quirks(key.number) & SHOWN
        yield Answer("device", records.node_id(view, "device", *key), f"dev-{key.number:06d}", tags, proof)
    for group in truth.groups(view.day):
        yield Answer("identity", records.node_id(view, "group", group.index), group.truth_id)
    for principal in truth.service_principals(view.day):
        yield Answer("identity", records.node_id(view, principal.truth_id), principal.truth_id)
    for app in truth.applications():
        yield Answer("application", records.node_id(view, app.truth_id), app.truth_id)


LENS = Lens(
    product="defender_identity",
    routes=(Route("POST", "/{tenant}/oauth2/v2.0/token", token, public=True), *ROUTES),
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    retention=180,
    authenticate=authenticate,
    error=error,
    buckets=buckets,
    rows=rows,
    token_ttl=3600.0,
)
