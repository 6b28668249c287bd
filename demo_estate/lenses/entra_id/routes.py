"""Graph's collections over HTTP: pages by opaque link, expansion, advanced queries, batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from demo_estate.entities import Ref
from demo_estate.kit import Refusal, Request, Response, Route, Service
from demo_estate.kit.buckets import BucketState
from demo_estate.lenses import View
from demo_estate.lenses.entra_id import applications, objects

PAGE = 100
LARGEST = 999
WITH_ACTIVITY = 120
UNPAGED = 1_000_000
EXPANDED = 20
MOST_IN_BATCH = 20
PAGE_TOKEN_SECONDS = 7200.0
QUERY = ("$select", "$top", "$skiptoken")
ROOT, BETA = "/v1.0", "/beta"
VOLATILE = {"signInActivity"}

Keys = Callable[[Service, Request], Sequence[Any]]


@dataclass(frozen=True, eq=False)
class Collection:
    """A collection: its keys, and the object of one key. expand: relations that `$expand` knows. cost: resource units.

    listed: the keys of any day, of a collection that a delta query tells the changes of.
    """

    path: str
    keys: Keys
    build: Callable[[View, Any], dict[str, Any]]
    permissions: tuple[str, ...]
    expand: dict[str, Callable[[View, Any], list[Ref]]]
    cost: int = 1
    advanced: bool = True
    sized: bool = True
    bucket: str = "directory"
    listed: Callable[[View], Iterable[Any]] | None = None
    root: str = ROOT

    def route(self) -> Route:
        params = ["$select", "$skiptoken"] + (["$top"] if self.sized else [])
        params += (["$expand"] if self.expand else []) + (["$count"] if self.advanced else [])
        return Route(
            "GET", f"{self.root}{self.path}", partial(answer, self), params, bucket=self.bucket, cost=self.cost
        )


def cached(name: str, build: Callable[[View], Any]) -> Keys:
    """Keys that are the same for every request of a day."""
    return lambda service, request: service.cached(name, lambda: list(build(service.view)))


def answer(collection: Collection, request: Request, service: Service) -> Response:
    """One page. The last full page links to an empty one, as Graph's do."""
    state = page_state(collection, request, service)
    if state["advanced"] and request.header("ConsistencyLevel").lower() != "eventual":
        raise Refusal(
            400, "Request_UnsupportedQuery", "$count is not currently supported without ConsistencyLevel: eventual."
        )
    select = state["select"]
    if "signInActivity" in select:
        require_activity(request, service)
    keys = collection.keys(service, request)
    view, start, top = service.view, state["offset"], state["top"]
    if collection.bucket == "directory" and keys and select:
        check_select(collection, view, keys[0], select)
    page = keys[start : start + top]
    value = [shown(collection, view, key, select, state["expand"]) for key in page]
    body: dict[str, Any] = {
        "@odata.context": f"{request.base_url}{collection.root}/$metadata#{collection.path.strip('/')}"
    }
    if state["advanced"] and start == 0:
        body["@odata.count"] = len(keys)
    if len(page) == top and collection.sized:
        token = service.cursors.encode({**state, "offset": start + top, "issued": service.clock.time()})
        body["@odata.nextLink"] = f"{request.base_url}{request.path}?$skiptoken={token}"
    body["value"] = value
    headers = {
        "x-ms-resource-unit": str(collection.cost),
        "request-id": service.truth.guid("request", service.journal.total),
        "odata-version": "4.0",
    }
    return Response(body, 200, headers, "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8")


def page_state(collection: Collection, request: Request, service: Service) -> dict[str, Any]:
    token = request.query.get("$skiptoken")
    if token is None:
        state = fresh_state(collection, request)
        # Graph may give fewer than were asked for
        return {**state, "top": min(state["top"], int(service.instance.options.get("page_cap", UNPAGED)))}
    try:
        state = service.cursors.decode(token)
    except ValueError as error:
        raise Refusal(400, "BadRequest", "Invalid skip token.") from error
    life = float(service.instance.options.get("page_token_seconds", PAGE_TOKEN_SECONDS))
    if service.clock.time() > state["issued"] + life:
        raise Refusal(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    return state


def fresh_state(collection: Collection, request: Request) -> dict[str, Any]:
    query = request.query
    select = [name for name in query.get("$select", "").split(",") if name]
    expand = query.get("$expand", "")
    if expand and expand not in collection.expand:
        raise Refusal(400, "BadRequest", f"Could not expand '{expand}'; one relation a query.")
    largest = WITH_ACTIVITY if "signInActivity" in select else LARGEST
    top = min(request.integer("$top", PAGE, 1, LARGEST), largest) if collection.sized else UNPAGED
    return {"offset": 0, "top": top, "select": select, "expand": expand, "advanced": query.get("$count") == "true"}


def check_select(collection: Collection, view: View, key: Any, select: list[str]) -> None:
    known = {*collection.build(view, key), *VOLATILE}
    unknown = [name for name in select if name not in known]
    if unknown:
        raise Refusal(
            400, "BadRequest", f"Could not find a property named '{unknown[0]}' on type of {collection.path}."
        )


def shown(collection: Collection, view: View, key: Any, select: list[str], expand: str) -> dict[str, Any]:
    record = collection.build(view, key)
    kept = ("@odata.type", *select) if select else [name for name in record if name not in VOLATILE]
    found = {name: record[name] for name in kept if name in record}
    if expand:
        related = collection.expand[expand](view, key)[:EXPANDED]
        found[expand] = [objects.reference(view, ref) for ref in related]
    return found


def require_activity(request: Request, service: Service) -> None:
    if not service.instance.options.get("premium", True):
        raise Refusal(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )
    if "AuditLog.Read.All" not in request.claims.get("roles", ()):
        text = "Calling principal does not have required MSGraph permissions AuditLog.Read.All"
        raise Refusal(403, "Authentication_MSGraphPermissionMissing", text)


# Keys below one object ----------------------------------------------------------------------------------------------


def owned_by(name: str, keys: Keys, ident: Callable[[View, Any], str | None]) -> Callable[[Service, Request], Any]:
    """The key of the object an address names; 404 when there is none."""

    def find(service: Service, request: Request) -> Any:
        index = service.cached(
            f"{name} by id",
            lambda: {ident(service.view, key): number for number, key in enumerate(keys(service, request))},
        )
        wanted = request.path_args["id"]
        if wanted not in index:
            text = "does not exist or one of its queried reference-property objects are not present."
            raise Refusal(404, "not_found", f"Resource '{wanted}' {text}")
        return keys(service, request)[index[wanted]]

    return find


USERS = cached("users", objects.user_keys)
GROUPS = cached("groups", objects.group_keys)
DEVICES = cached("devices", objects.device_keys)
APPLICATIONS = cached("applications", lambda view: range(view.truth.application_count))
PRINCIPALS = cached("principals", applications.principal_keys)
ROLES = cached("roles", lambda view: range(len(view.truth.roles)))

find_group = owned_by("groups", GROUPS, lambda view, index: view.truth.group(index).entra_object_id)
find_principal = owned_by("principals", PRINCIPALS, applications.principal_id)
find_application = owned_by("applications", APPLICATIONS, lambda view, index: view.truth.application(index).object_id)
find_device = owned_by(
    "devices", DEVICES, lambda view, key: objects.device_object_id(view.truth, view.device(key.number), key.stale)
)


def as_is(view: View, record: dict[str, Any]) -> dict[str, Any]:
    return record


def organization(view: View, key: int) -> dict[str, Any]:
    return {
        "id": view.truth.tenant_id,
        "displayName": view.truth.company,
        "verifiedDomains": [
            {"name": view.truth.tenant_domain, "isDefault": False, "isInitial": True, "type": "Managed"},
            {"name": "corp.example", "isDefault": True, "isInitial": False, "type": "Managed"},
        ],
        "onPremisesSyncEnabled": True,
    }


DIRECTORY = "Directory.Read.All"
USER = ("User.Read.All", DIRECTORY)
GROUP = ("GroupMember.Read.All", "Group.Read.All", DIRECTORY)
DEVICE = ("Device.Read.All", DIRECTORY)
APPLICATION = ("Application.Read.All", DIRECTORY)
ROLE = ("RoleManagement.Read.Directory", DIRECTORY)
MANAGED = "/roleManagement/directory"


def members(service: Service, request: Request) -> list[Ref]:
    """The service principals among them, of which instance option principals_in_groups puts so many into each, are told by
    the beta version alone."""
    found = objects.group_members(service.view, find_group(service, request))
    if request.path.startswith(BETA):
        count = int(service.instance.options.get("principals_in_groups", 0))
        found += [Ref("service_principal", number) for number in range(count)]
    return found


OF_GROUPS = (
    Collection("/groups/{id}/members", members, objects.reference, GROUP, {}, cost=3),
    Collection(
        "/groups/{id}/owners",
        lambda s, r: objects.group_owners(s.view, find_group(s, r)),
        objects.reference,
        GROUP,
        {},
    ),
)
COLLECTIONS = (
    Collection("/organization", lambda s, r: [0], organization, (DIRECTORY,), {}, advanced=False, sized=False),
    Collection("/users", USERS, objects.user, USER, {}, cost=2),
    Collection("/groups", GROUPS, objects.group, GROUP, {}, cost=2, listed=objects.group_keys),
    *OF_GROUPS,
    *(replace(collection, root=BETA) for collection in OF_GROUPS),
    Collection(
        "/devices",
        DEVICES,
        objects.device,
        DEVICE,
        {"registeredOwners": objects.device_people, "registeredUsers": objects.device_people},
        cost=2,
        listed=objects.device_keys,
    ),
    *(
        Collection(
            f"/devices/{{id}}/{relation}",
            lambda s, r: objects.device_people(s.view, find_device(s, r)),
            objects.reference,
            DEVICE,
            {},
        )
        for relation in ("registeredOwners", "registeredUsers")
    ),
    Collection(
        "/applications",
        APPLICATIONS,
        applications.application,
        APPLICATION,
        {"owners": applications.application_owners},
        cost=2,
    ),
    Collection(
        "/applications/{id}/owners",
        lambda s, r: applications.application_owners(s.view, find_application(s, r)),
        objects.reference,
        APPLICATION,
        {},
    ),
    Collection(
        "/servicePrincipals",
        PRINCIPALS,
        applications.principal,
        APPLICATION,
        {"owners": applications.principal_owners},
        cost=2,
    ),
    Collection(
        "/servicePrincipals/{id}/owners",
        lambda s, r: applications.principal_owners(s.view, find_principal(s, r)),
        objects.reference,
        APPLICATION,
        {},
    ),
    Collection(
        "/servicePrincipals/{id}/appRoleAssignedTo",
        lambda s, r: applications.assigned_to(s.view, find_principal(s, r)),
        as_is,
        APPLICATION,
        {},
        cost=2,
        advanced=False,
    ),
    Collection(
        "/oauth2PermissionGrants",
        cached("grants", applications.delegated_grants),
        as_is,
        (DIRECTORY,),
        {},
        cost=2,
        advanced=False,
        listed=applications.delegated_grants,
    ),
    Collection(f"{MANAGED}/roleDefinitions", ROLES, applications.role, ROLE, {}, advanced=False, sized=False),
    Collection(
        f"{MANAGED}/roleAssignments",
        cached("role assignments", lambda view: applications.role_assignments(view, False)),
        as_is,
        ROLE,
        {},
        advanced=False,
        sized=False,
    ),
    Collection(
        f"{MANAGED}/roleEligibilityScheduleInstances",
        cached("role eligibility", lambda view: applications.role_assignments(view, True)),
        as_is,
        ROLE,
        {},
        advanced=False,
        sized=False,
    ),
    Collection(
        "/reports/authenticationMethods/userRegistrationDetails",
        USERS,
        objects.registration,
        ("AuditLog.Read.All",),
        {},
        advanced=False,
        bucket="reports",
    ),
)
PERMISSIONS = {
    f"GET {c.root}{c.path}{suffix}": c.permissions for c in COLLECTIONS for suffix in ("", "/delta" if c.listed else "")
}


# Batches -------------------------------------------------------------------------------------------------------------


def batch(request: Request, service: Service) -> Any:
    """Up to twenty requests at once; answered last first, as nothing promises an order."""
    wanted = (request.json() or {}).get("requests")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MOST_IN_BATCH:
        raise Refusal(400, "BadRequest", f"The number of requests in a batch must be between 1 and {MOST_IN_BATCH}.")
    return {"responses": [item_reply(item, request, service) for item in reversed(wanted)]}


def item_reply(item: dict[str, Any], request: Request, service: Service) -> dict[str, Any]:
    headers = {**request.headers, **{str(k).lower(): str(v) for k, v in (item.get("headers") or {}).items()}}
    root = request.path.partition("/$batch")[0]
    inner = Request.build(
        str(item.get("method", "GET")), f"{root}{item.get('url', '')}", headers, b"", request.base_url
    )
    inner.caller, inner.claims = request.caller, request.claims
    try:
        response = item_response(inner, service)
    except Refusal as refusal:
        response = service.error(inner, refusal)
    return {
        "id": item.get("id"),
        "status": response.status,
        "headers": dict(response.header_pairs()),
        "body": response.body,
    }


def item_response(inner: Request, service: Service) -> Response:
    """One request of a batch: permissions, planned faults and resource units as for one sent alone."""
    route, inner.path_args, _ = service.router.match(inner.method, inner.path)
    if route is None or route.public or route in BATCHES:
        raise Refusal(400, "BadRequest", f"Resource not found for the segment '{inner.path.rpartition('/')[2]}'.")
    inner.route = route
    require_permission(inner)
    service.journal.requests[f"batched {route.name}"] += 1
    for fault in service.faults.pick((service.lens.product, service.name), service.day, inner, f"batched {route.name}"):
        if isinstance(fault.fault, int):
            wait = {"Retry-After": str(fault.settings["retry_after"])} if "retry_after" in fault.settings else {}
            reason = {429: "throttled", 404: "not_found", 403: "forbidden"}.get(fault.fault, "server_error")
            raise Refusal(fault.fault, reason, "Planned fault", wait)
    if route.bucket is not None:
        state = service.buckets[route.bucket].take(service.clock.time(), inner.caller, route.cost)
        if not state.allowed:
            raise Refusal(429, "throttled", "Too many requests", throttle_headers(state))
    unknown = {name for name, _ in inner.query_pairs} - (route.known_params or frozenset())
    if unknown:
        raise Refusal(400, "BadRequest", f"Unknown query parameter: {', '.join(sorted(unknown))}")
    found: Response = route.handler(inner, service)
    return found


def require_permission(request: Request) -> None:
    wanted = PERMISSIONS.get(request.route.name) if request.route else None
    if wanted and not set(wanted) & set(request.claims.get("roles", ())):
        raise Refusal(403, "forbidden", "Insufficient privileges to complete the operation.")


def throttle_headers(state: BucketState) -> dict[str, str]:
    """Graph's dialect: the share used from 80 % on, and where the limit is once it is reached."""
    share = state.used / state.limit
    found = {"x-ms-throttle-limit-percentage": f"{share:.2f}"} if share >= 0.8 else {}
    if not state.allowed:
        found["Retry-After"] = str(state.retry_after)
        found["x-ms-throttle-scope"] = "Tenant_Application/ReadWrite/estate"
        found["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
    return found


BATCHES = tuple(Route("POST", f"{root}/$batch", batch) for root in (ROOT, BETA))
