"""Microsoft Defender for Cloud and Azure Resource Graph: what Azure holds, and what Defender says of it and of other clouds.

Azure lists everything that exists in the subscriptions the app registration has a role in, and says nothing of the others.
Names differ only in their case between tables; resources of AWS and GCP are known by their assessments alone. A window of the
quota lasts WINDOW seconds, so that a demonstration ends. Instance options: hidden (names of subscriptions without a role),
without (roles not given), page_cap (most rows a page), truncated (tables cut without a token), too_many (subscriptions).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.lenses.defender_cloud import query, records
from demo_estate.truth import Ref, Truth

QUOTA, WINDOW = 15, 1.0
SHOWN = frozenset({"replaced_instance"})
#: Rows of the pages of Defender's own interface, in turn: they are as irregular as this.
REST_PAGES = (7, 40, 100, 60)
CODES = {
    "unauthorized": "InvalidAuthenticationToken",
    "forbidden": "AuthorizationFailed",
    "throttled": "RateLimiting",
    "unknown_route": "ResourceNotFound",
    "server_error": "InternalServerError",
}


def covers(truth: Truth, index: int) -> bool:
    return truth.device_kind(index) == "cloud_vm"


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
    if form.get("scope") != "https://management.azure.com/.default":
        text = "AADSTS500011: The resource was not found."
        return Response({"error": "invalid_resource", "error_description": text}, 400)
    if form.get("client_secret") != service.credentials["client_secret"]:
        text = "AADSTS7000215: Invalid client secret provided."
        return Response({"error": "invalid_client", "error_description": text}, 401)
    issued = service.tokens.issue(form["client_id"])
    return {"token_type": "Bearer", "expires_in": int(service.tokens.ttl) - 1, "access_token": issued.value}


def authenticate(request: Request, service: Service) -> None:
    found = service.tokens.find(bearer_token(request.header("Authorization")))
    if found is None:
        raise Refusal(401, "unauthorized", "The access token is invalid or expired.")
    request.caller = found.subject


def error(request: Request, status: int, reason: str, message: str) -> Response:
    """Azure Resource Graph hides what it means in the details of a general answer."""
    code = CODES.get(reason, reason)
    if status == 400 and request.path.endswith("/resources"):
        general = "Please provide below info when asking for support: timestamp = 2026-01-02, correlationId = 0."
        details = [{"code": code, "message": message}]
        return Response({"error": {"code": "BadRequest", "message": general, "details": details}}, status)
    return Response({"error": {"code": code, "message": message}}, status)


def versioned(request: Request) -> None:
    if "api-version" not in request.query:
        raise Refusal(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required.")


def subscriptions(request: Request, service: Service) -> Any:
    versioned(request)
    tenant = service.truth.tenant_id
    found = [
        {"id": f"/subscriptions/{a}", "subscriptionId": a, "tenantId": tenant, "displayName": name, "state": "Enabled"}
        for a, name in records.visible_subscriptions(service.view)
    ]
    return {"value": found, "count": {"type": "Total", "value": len(found)}}


def assessments(request: Request, service: Service) -> Any:
    """Pages of irregular size over links that name a state nobody should read; the last one is empty."""
    versioned(request)
    account = request.path_args["subscription"]
    if account not in {a for a, _ in records.visible_subscriptions(service.view)}:
        raise Refusal(404, "SubscriptionNotFound", f"The subscription '{account}' could not be found.")
    if "Security Reader" in service.instance.options.get("without", ()):
        text = f"The client does not have authorization to perform action 'read' over scope '/subscriptions/{account}'."
        raise Refusal(403, "forbidden", text)
    number, *place = rest_state(service, request.query.get("NextLink"))
    every = query.Query(records.SECURITY_TABLE, ((("type",), frozenset({records.ASSESSMENT})),), (), True)
    page, following = query.Walk.of(service, every, (account,)).page(
        (place[0], place[1]), REST_PAGES[number % len(REST_PAGES)] if number >= 0 else 0
    )
    names = ("type", "id", "name", "properties")
    body: dict[str, Any] = {"value": [without_metadata({name: row[name] for name in names}) for row in page]}
    if number >= 0:
        # the page after the last record is empty, and the link to it has an ending of its own
        after, suffix = ((number + 1, *following), "_dynamic") if following else ((-1, 0, 0), "_muliCloud")
        state = service.cursors.encode({"at": after}) + suffix
        version = request.query["api-version"]
        # a plus sign and an equals sign, as base64 has them, stand percent-encoded in the link
        link = quote(f"+{state}=", safe="")
        body["nextLink"] = f"https://management.azure.com{request.path}?api-version={version}&NextLink={link}"
    return body


def without_metadata(row: dict[str, Any]) -> dict[str, Any]:
    """Defender's own interface does not repeat with every assessment what the check is."""
    return {**row, "properties": {key: value for key, value in row["properties"].items() if key != "metadata"}}


def assessment_metadata(request: Request, service: Service) -> Any:
    """The built-in checks; one of one's own is told by its subscription, and the estate has none."""
    versioned(request)
    base = "/providers/Microsoft.Security/assessmentMetadata"
    found = [
        {
            "id": f"{base}/{key}",
            "name": key,
            "type": "Microsoft.Security/assessmentMetadata",
            "properties": {
                "displayName": title,
                "severity": severity,
                "assessmentType": "BuiltIn",
                "categories": ["Compute"],
            },
        }
        for checks in records.CHECKS.values()
        for key, title, severity, _ in checks
    ]
    return {"value": found}


def rest_state(service: Service, link: str | None) -> tuple[int, int, int]:
    """Number of the page (-1: the empty one), unit and row."""
    if link is None:
        return 0, 0, 0
    if not (link.startswith("+") and link.endswith("=")):
        raise Refusal(400, "InvalidNextLink", "The link to the next page was changed on its way.")
    try:
        number, unit, row = service.cursors.decode(link[1:-1].rpartition("_")[0])["at"]
    except ValueError as error:
        raise Refusal(400, "InvalidNextLink", "The link to the next page is not valid.") from error
    return int(number), int(unit), int(row)


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    sees_security = "Security Reader" not in view.instance.options.get("without", ())
    seen = {account for account, _ in records.visible_subscriptions(view)}
    sees_foreign = sees_security and records.connector_subscription(view) in seen
    foreign: dict[str, str] = {}
    for device in records.machines(view):
        cloud = device.cloud
        assert cloud is not None
        azure = cloud.provider == "azure"
        if not (cloud.account_id in seen if azure else sees_foreign):
            continue
        if not azure:
            foreign[account_name(cloud.provider, cloud.account_id)] = cloud.account_id
        proof = machine_evidence(
            uuid=cloud.instance_id if azure else None,
            macs=[device.mac] if azure else [],
            names=[device.hostname] if cloud.provider != "aws" else [],
            # the name at its own cloud is an id; an Azure one comes again with the next machine of that name
            ids=[cloud.instance_id] if cloud.provider != "gcp" else [cloud.resource_id],
        )
        tags = truth.quirks(device.index) & SHOWN
        yield Answer("device", cloud.resource_id.lower(), device.truth_id, tags, proof)
    for found in truth.cloud_resources():
        azure = found.provider == "azure"
        if found.account_id in seen if azure else sees_foreign:
            if not azure:
                foreign[account_name(found.provider, found.account_id)] = found.account_id
            yield Answer("cloud_resource", found.resource_id.lower(), found.truth_id)
    for row in records.containers(view):
        if not row["subscriptionId"] or row["subscriptionId"] in seen:
            name = row["id"].lower()
            subscription = re.fullmatch("/subscriptions/([^/]+)", name)
            yield Answer("cloud_resource", name, f"acc-{subscription[1]}" if subscription else f"box-{name}")
    for name, account in foreign.items():
        yield Answer("cloud_resource", name, f"acc-{account}")
    yield from principals(view, seen)


def account_name(provider: str, account: str) -> str:
    if provider == "aws":
        return f"arn:aws:iam::{account}:root"
    return f"//cloudresourcemanager.googleapis.com/projects/{account}"


def principals(view: View, seen: set[str]) -> Iterator[Answer]:
    refs = {found.principal: None for found in records.assignments(view)}
    for device in records.azure_machines(view):
        if device.cloud is not None and device.cloud.has_managed_identity and device.cloud.account_id in seen:
            refs[Ref("managed_identity", device.index)] = None
    for ref in refs:
        yield Answer("identity", records.principal_id(view, ref), view.truth.truth_id(ref))
    # the connector's own app registration
    yield Answer("identity", records.inherited_principal(view, 0), "")


LENS = Lens(
    product="defender_cloud",
    routes=(
        Route("POST", "/{tenant}/oauth2/v2.0/token", token, public=True),
        Route("GET", "/subscriptions", subscriptions, ("api-version",)),
        Route(
            "POST",
            "/providers/Microsoft.ResourceGraph/resources",
            query.resources,
            ("api-version",),
            bucket="queries",
        ),
        Route(
            "GET",
            "/subscriptions/{subscription}/providers/Microsoft.Security/assessments",
            assessments,
            ("api-version", "NextLink"),
        ),
        Route("GET", "/providers/Microsoft.Security/assessmentMetadata", assessment_metadata, ("api-version",)),
    ),
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    authenticate=authenticate,
    error=error,
    buckets=lambda: {"queries": Bucket(QUOTA, WINDOW, query.quota_headers)},
)
