"""What is read from Entra ID, and how. Field names are Graph's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from connector_assets.entra_id.delta import with_changes
from connector_assets.entra_id.graph import collection, fan_out, named, related
from connector_assets.kit import FieldType, Incremental, Page, Record, Stream
from connector_assets.kit.errors import BadRequest, FixPermission

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

#: A longer $select makes the address too long for Graph; these stay under 500 characters.
USERS = (
    "id,userPrincipalName,displayName,mail,proxyAddresses,accountEnabled,userType,employeeId,department,jobTitle,"
    "createdDateTime,lastPasswordChangeDateTime,onPremisesSyncEnabled,onPremisesSecurityIdentifier,"
    "onPremisesImmutableId,onPremisesSamAccountName,onPremisesDomainName,securityIdentifier,externalUserState"
)
GROUPS = (
    "id,displayName,description,mail,securityEnabled,groupTypes,isAssignableToRole,membershipRule,"
    "onPremisesSyncEnabled,onPremisesSecurityIdentifier,onPremisesSamAccountName,onPremisesDomainName,createdDateTime"
)
DEVICES = (
    "id,deviceId,displayName,accountEnabled,approximateLastSignInDateTime,createdDateTime,registrationDateTime,"
    "deletedDateTime,isCompliant,isManaged,managementType,manufacturer,model,operatingSystem,operatingSystemVersion,"
    "physicalIds,profileType,trustType,onPremisesSyncEnabled,onPremisesSecurityIdentifier"
)
APPLICATIONS = (
    "id,appId,displayName,createdDateTime,signInAudience,publisherDomain,identifierUris,web,spa,publicClient,tags"
)
SERVICE_PRINCIPALS = (
    "id,appId,displayName,accountEnabled,appDisplayName,appOwnerOrganizationId,appRoleAssignmentRequired,"
    "servicePrincipalType,servicePrincipalNames,alternativeNames,appRoles,replyUrls,tags,verifiedPublisher,signInAudience"
)
#: Reports may be asked for five times in ten seconds.
REPORT_BURST, REPORT_PAUSE = 5, 2.0

REFERENCES: FieldType = [{"id": "text", "@odata.type": "text"}]
REDIRECTS: FieldType = {"redirectUris": ["text"]}


#: Graph keeps its links for seven days. What it tells begins at the link itself, so that nothing is asked for twice.
CHANGES = Incremental(timedelta(0), keeps=timedelta(days=7))


def listed(path: str, select: str, *, sized: bool = True, counted: bool = False, changing: bool = False) -> Any:
    """A pull function for one plain collection. sized: it takes $top. changing: Graph tells what changes in it."""

    def pull(api: Api) -> Iterator[Page]:
        params: dict[str, Any] = {"$select": select} if select else {}
        if sized:
            params["$top"] = api.options.page_size
        pages = with_changes if changing else collection
        return pages(api, path, params, counted=counted)

    return pull


def devices(api: Api) -> Iterator[Page]:
    params = {"$select": DEVICES, "$top": api.options.page_size}
    if api.options.device_changes:
        return with_changes(api, "/v1.0/devices", params, counted=True)
    if api.since is not None:
        api.ask_for_everything("the option device_changes is off")
    return collection(api, "/v1.0/devices", params, counted=True)


def users(api: Api) -> Iterator[Page]:
    """With the last sign-in, which needs a licence and a permission of its own: without it where that is refused."""
    size = {"$top": api.options.page_size}
    started = False
    try:
        for page in collection(api, "/v1.0/users", {"$select": f"{USERS},signInActivity", **size}):
            started = True
            yield page
    except FixPermission as error:
        if started:
            raise
        api.note(
            f"users are read without their last sign-in: {error.message}; it needs AuditLog.Read.All and Entra ID P1"
        )
        yield from collection(api, "/v1.0/users", {"$select": USERS, **size})


def group_members(api: Api) -> Iterator[Page]:
    return of_groups(api, "members", "member")


def group_owners(api: Api) -> Iterator[Page]:
    if not api.options.group_owners:
        api.skip("the option group_owners is off")
    yield from of_groups(api, "owners", "owner")


def of_groups(api: Api, relation: str, name: str) -> Iterator[Page]:
    groups = named(api.records("groups"))
    urls = ((str(group["id"]), f"/groups/{group['id']}/{relation}?$select=id&$top=999") for group in groups)
    its_id, its_type, nothing = f"{name}_id", f"{name}_type", dict[str, Any]()
    for rows in fan_out(api, urls, api.options.relations_version):
        # what is no object has no id here and ends in quarantine, as it would alone
        told = [(group, other if isinstance(other, dict) else nothing) for group, other in rows]
        yield Page(
            [{"group_id": group, its_id: other.get("id"), its_type: object_type(other)} for group, other in told]
        )


def device_owners(api: Api) -> Iterator[Page]:
    """Registered owners and users, by $expand: a page of devices at once instead of two calls a device."""
    for relation, name in (("registeredOwners", "owner"), ("registeredUsers", "user")):
        params = {"$select": "id", "$expand": relation, "$top": api.options.page_size}
        for page in collection(api, "/v1.0/devices", params, as_lines=False):
            rows = [
                {"device_id": device["id"], "relation": name, "user_id": person["id"], "user_type": object_type(person)}
                for device in named(page.records)
                for person in related(api, device, relation, f"/v1.0/devices/{device['id']}/{relation}")
            ]
            yield Page(rows, page.scope, page.cursor)


def with_owners(path: str, select: str) -> Any:
    """A pull function for a collection with the owners of each object."""

    def pull(api: Api) -> Iterator[Page]:
        params = {"$select": select, "$expand": "owners", "$top": api.options.page_size}
        for page in collection(api, path, params, as_lines=False):
            records = [
                {**r, "owners": related(api, r, "owners", f"{path}/{r['id']}/owners")}
                if isinstance(r, dict) and r.get("id")
                else r
                for r in page.records
            ]
            yield Page(records, page.scope, page.cursor)

    return pull


def app_role_assignments(api: Api) -> Iterator[Page]:
    """Who was assigned to which application: read at each resource, which gives every assignment exactly once."""
    principals = named(api.records("service_principals"))
    urls = ((str(p["id"]), f"/servicePrincipals/{p['id']}/appRoleAssignedTo?$top=999") for p in principals)
    for rows in fan_out(api, urls):
        yield Page([record for _, record in rows])


def role_eligibility(api: Api) -> Iterator[Page]:
    try:
        yield from collection(api, "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances")
    except BadRequest as error:
        if "license" not in error.message.lower():
            raise
        api.skip(f"eligible roles need an Entra ID P2 licence: {error.message}")


def user_registration_details(api: Api) -> Iterator[Page]:
    pages = collection(
        api, "/v1.0/reports/authenticationMethods/userRegistrationDetails", {"$top": api.options.page_size}
    )
    for number, page in enumerate(pages, 1):
        yield page
        if number >= REPORT_BURST:
            api.pause(REPORT_PAUSE)


def object_type(record: Record) -> str:
    """'#microsoft.graph.user' as 'user'; '' where Graph does not say."""
    return last_part(str(record.get("@odata.type") or ""))


@lru_cache(maxsize=256)
def last_part(type_: str) -> str:
    return type_.rpartition(".")[2]


STREAMS = (
    Stream(
        name="organization",
        pull=listed("/v1.0/organization", "id,displayName,verifiedDomains,onPremisesSyncEnabled", sized=False),
        key="id",
        fields={
            "id": "text",
            "displayName": "text",
            "verifiedDomains": [{"name": "text", "isDefault": "boolean", "isInitial": "boolean"}],
            "onPremisesSyncEnabled": "boolean",
        },
        description="The tenant itself.",
        permissions=("Directory.Read.All",),
        evidence="documented",
    ),
    Stream(
        name="users",
        pull=users,
        key="id",
        fields={
            "id": "text",
            "userPrincipalName": "text",
            "displayName": "text",
            "mail": "text",
            "proxyAddresses": ["text"],
            "accountEnabled": "boolean",
            "userType": "text",
            "employeeId": "text",
            "department": "text",
            "jobTitle": "text",
            "createdDateTime": "timestamp",
            "lastPasswordChangeDateTime": "timestamp",
            "onPremisesSyncEnabled": "boolean",
            "onPremisesSecurityIdentifier": "text",
            "onPremisesImmutableId": "text",
            "onPremisesSamAccountName": "text",
            "onPremisesDomainName": "text",
            "securityIdentifier": "text",
            "externalUserState": "text",
            "signInActivity": {
                "lastSignInDateTime": "timestamp",
                "lastNonInteractiveSignInDateTime": "timestamp",
                "lastSuccessfulSignInDateTime": "timestamp",
            },
        },
        description="Accounts of people and guests, disabled ones included.",
        permissions=("User.Read.All",),
        activity_field="signInActivity.lastSignInDateTime",
        evidence="recorded",
    ),
    Stream(
        name="groups",
        pull=listed("/v1.0/groups", GROUPS, counted=True, changing=True),
        incremental=CHANGES,
        key="id",
        fields={
            "id": "text",
            "displayName": "text",
            "description": "text",
            "mail": "text",
            "securityEnabled": "boolean",
            "groupTypes": ["text"],
            "isAssignableToRole": "boolean",
            "membershipRule": "text",
            "onPremisesSyncEnabled": "boolean",
            "onPremisesSecurityIdentifier": "text",
            "onPremisesSamAccountName": "text",
            "onPremisesDomainName": "text",
            "createdDateTime": "timestamp",
        },
        description="Security, Microsoft 365, dynamic and role-assignable groups.",
        permissions=("GroupMember.Read.All",),
    ),
    Stream(
        name="group_members",
        pull=group_members,
        key=("group_id", "member_id"),
        fields={"group_id": "text", "member_id": "text", "member_type": "text"},
        description="Direct members of every group: users, groups, devices, service principals; see the option relations_version.",
        needs=("groups",),
        permissions=("GroupMember.Read.All",),
        may_be_empty=True,
        evidence="recorded",
    ),
    Stream(
        name="group_owners",
        pull=group_owners,
        key=("group_id", "owner_id"),
        fields={"group_id": "text", "owner_id": "text", "owner_type": "text"},
        description="Who owns each group, and so may add members to it; see the option group_owners.",
        needs=("groups",),
        permissions=("GroupMember.Read.All",),
        optional=True,
        may_be_empty=True,
    ),
    Stream(
        name="devices",
        pull=devices,
        incremental=CHANGES,
        key="id",
        fields={
            "id": "text",
            "deviceId": "text",
            "displayName": "text",
            "accountEnabled": "boolean",
            "approximateLastSignInDateTime": "timestamp",
            "createdDateTime": "timestamp",
            "registrationDateTime": "timestamp",
            "deletedDateTime": "timestamp",
            "isCompliant": "boolean",
            "isManaged": "boolean",
            "managementType": "text",
            "manufacturer": "text",
            "model": "text",
            "operatingSystem": "text",
            "operatingSystemVersion": "text",
            "physicalIds": ["text"],
            "profileType": "text",
            "trustType": "text",
            "onPremisesSyncEnabled": "boolean",
            "onPremisesSecurityIdentifier": "text",
        },
        description="Joined and registered devices. Entra knows neither serial numbers nor network addresses.",
        permissions=("Device.Read.All",),
        activity_field="approximateLastSignInDateTime",
    ),
    Stream(
        name="device_owners",
        pull=device_owners,
        key=("device_id", "relation", "user_id"),
        fields={"device_id": "text", "relation": "text", "user_id": "text", "user_type": "text"},
        description="Registered owners and registered users of each device.",
        permissions=("Device.Read.All",),
        may_be_empty=True,
    ),
    Stream(
        name="applications",
        pull=with_owners("/v1.0/applications", APPLICATIONS),
        key="id",
        fields={
            "id": "text",
            "appId": "text",
            "displayName": "text",
            "createdDateTime": "timestamp",
            "signInAudience": "text",
            "publisherDomain": "text",
            "identifierUris": ["text"],
            "web": REDIRECTS,
            "spa": REDIRECTS,
            "publicClient": REDIRECTS,
            "tags": ["text"],
            "owners": REFERENCES,
        },
        description="App registrations of the tenant with their owners; their secrets are never asked for.",
        permissions=("Application.Read.All",),
        drop_fields=("passwordCredentials", "keyCredentials"),
    ),
    Stream(
        name="service_principals",
        pull=with_owners("/v1.0/servicePrincipals", SERVICE_PRINCIPALS),
        key="id",
        fields={
            "id": "text",
            "appId": "text",
            "displayName": "text",
            "accountEnabled": "boolean",
            "appDisplayName": "text",
            "appOwnerOrganizationId": "text",
            "appRoleAssignmentRequired": "boolean",
            "servicePrincipalType": "text",
            "servicePrincipalNames": ["text"],
            "alternativeNames": ["text"],
            "appRoles": [{"id": "text", "value": "text", "displayName": "text"}],
            "replyUrls": ["text"],
            "tags": ["text"],
            "verifiedPublisher": {"displayName": "text"},
            "signInAudience": "text",
            "owners": REFERENCES,
        },
        description="What applications, including those of others, and managed identities sign in as.",
        permissions=("Application.Read.All",),
        drop_fields=("passwordCredentials", "keyCredentials"),
        evidence="recorded",
    ),
    Stream(
        name="app_role_assignments",
        pull=app_role_assignments,
        key="id",
        fields={
            "id": "text",
            "appRoleId": "text",
            "principalId": "text",
            "principalType": "text",
            "principalDisplayName": "text",
            "resourceId": "text",
            "resourceDisplayName": "text",
            "createdDateTime": "timestamp",
            "deletedDateTime": "timestamp",
        },
        description="Application permissions, and users and groups assigned to applications.",
        needs=("service_principals",),
        permissions=("Application.Read.All",),
        may_be_empty=True,
        evidence="recorded",
    ),
    Stream(
        name="oauth2_permission_grants",
        pull=listed("/v1.0/oauth2PermissionGrants", "", changing=True),
        incremental=CHANGES,
        key="id",
        fields={
            "id": "text",
            "clientId": "text",
            "consentType": "text",
            "principalId": "text",
            "resourceId": "text",
            "scope": "text",
        },
        description="Delegated permissions that were consented to, for everybody or for one person.",
        permissions=("Directory.Read.All",),
        may_be_empty=True,
    ),
    Stream(
        name="directory_roles",
        pull=listed(
            "/v1.0/roleManagement/directory/roleDefinitions",
            "id,displayName,description,isBuiltIn,isEnabled,templateId",
            sized=False,
        ),
        key="id",
        fields={
            "id": "text",
            "displayName": "text",
            "description": "text",
            "isBuiltIn": "boolean",
            "isEnabled": "boolean",
            "templateId": "text",
        },
        description="Definitions of the directory roles, held by somebody or not.",
        permissions=("RoleManagement.Read.Directory",),
    ),
    Stream(
        name="role_assignments",
        pull=listed("/v1.0/roleManagement/directory/roleAssignments", "", sized=False),
        key="id",
        fields={
            "id": "text",
            "principalId": "text",
            "directoryScopeId": "text",
            "appScopeId": "text",
            "roleDefinitionId": "text",
        },
        description="Who holds which directory role, over what.",
        permissions=("RoleManagement.Read.Directory",),
        evidence="recorded",
    ),
    Stream(
        name="role_eligibility",
        pull=role_eligibility,
        key="id",
        fields={
            "id": "text",
            "principalId": "text",
            "directoryScopeId": "text",
            "appScopeId": "text",
            "roleDefinitionId": "text",
            "memberType": "text",
            "endDateTime": "timestamp",
        },
        description="Who may activate which directory role (needs Entra ID P2).",
        permissions=("RoleManagement.Read.Directory",),
        optional=True,
        may_be_empty=True,
    ),
    Stream(
        name="user_registration_details",
        pull=user_registration_details,
        key="id",
        fields={
            "id": "text",
            "userPrincipalName": "text",
            "isAdmin": "boolean",
            "isMfaCapable": "boolean",
            "isMfaRegistered": "boolean",
            "isPasswordlessCapable": "boolean",
            "methodsRegistered": ["text"],
            "lastUpdatedDateTime": "timestamp",
        },
        description="Whether each user has registered strong authentication (needs Entra ID P1).",
        permissions=("AuditLog.Read.All",),
        optional=True,
    ),
)
