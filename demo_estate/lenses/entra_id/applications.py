"""App registrations, service principals, permissions and directory roles as Microsoft Graph writes them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Any

from demo_estate.entities import Grant, Ref
from demo_estate.lenses import View
from demo_estate.lenses.entra_id.objects import ZERO, fraction, group_keys, object_id, zulu
from demo_estate.people import exists

MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
#: The app role that stands for "may use it".
DEFAULT_ACCESS = ZERO
#: Microsoft's own applications that every tenant holds, with their real client ids.
FIRST_PARTY: Mapping[str, str] = {
    "Microsoft Graph": "00000003-0000-0000-c000-000000000000",
    "Windows Azure Active Directory": "00000002-0000-0000-c000-000000000000",
    "Office 365 Exchange Online": "00000002-0000-0ff1-ce00-000000000000",
}


def application(view: View, index: int) -> dict[str, Any]:
    app = view.truth.application(index)
    return {
        "id": app.object_id,
        "appId": app.app_id,
        "displayName": app.name,
        "createdDateTime": zulu(view.truth.moment(-400 + index % 300, "application", index)),
        "signInAudience": "AzureADMultipleOrgs" if app.multi_tenant else "AzureADMyOrg",
        "publisherDomain": view.truth.tenant_domain,
        "identifierUris": [app.entity_id] if app.entity_id else [f"api://{app.app_id}"],
        "web": {"homePageUrl": None, "redirectUris": list(app.reply_urls)},
        "spa": {"redirectUris": []},
        "publicClient": {"redirectUris": []},
        "tags": [app.environment],
        "passwordCredentials": [
            {
                "keyId": view.truth.guid("app secret", index),
                "displayName": "deploy",
                "hint": "abc",
                "endDateTime": zulu(view.truth.moment(app.secret_expires_day, "secret", index)),
                "secretText": None,
            }
        ],
    }


def application_owners(view: View, index: int) -> list[Ref]:
    owners = (Ref("person", owner) for owner in view.truth.application(index).owners)
    return [ref for ref in owners if exists(view.truth, ref, view.day)]


def principal_keys(view: View) -> list[Ref | str]:
    """Service principals of the company, then Microsoft's own by name."""
    found = view.truth.service_principals(view.day)
    refs = (Ref("managed_identity" if p.kind == "managed_identity" else "service_principal", p.index) for p in found)
    return [*refs, *FIRST_PARTY]


def principal_id(view: View, key: Ref | str) -> str:
    if isinstance(key, str):
        return view.truth.guid("entra_id", "first party", key)
    return view.truth.service_principal(key).object_id


def principal(view: View, key: Ref | str) -> dict[str, Any]:
    if isinstance(key, str):
        return first_party(view, key)
    truth = view.truth
    found = truth.service_principal(key)
    own = truth.application(found.application) if found.application is not None else None
    is_managed = found.kind == "managed_identity"
    cloud = view.device(found.device).cloud if found.device is not None else None
    return {
        "id": found.object_id,
        "appId": found.app_id,
        "displayName": found.name,
        "accountEnabled": found.enabled,
        "appDisplayName": None if is_managed else found.name,
        "appOwnerOrganizationId": None if is_managed else found.home_tenant_id,
        "appRoleAssignmentRequired": False,
        "servicePrincipalType": "ManagedIdentity" if is_managed else "Application",
        "servicePrincipalNames": [found.app_id],
        "alternativeNames": ["isExplicit=False", cloud.resource_id] if cloud else [],
        "appRoles": [],
        "replyUrls": list(own.reply_urls) if own else [],
        "tags": [] if is_managed else ["WindowsAzureActiveDirectoryIntegratedApp"],
        "verifiedPublisher": {
            "displayName": found.publisher if found.kind == "third_party" else None,
            "addedDateTime": None,
        },
        "signInAudience": "AzureADMultipleOrgs" if found.kind == "third_party" else "AzureADMyOrg",
        "passwordCredentials": [],
        "keyCredentials": [],
    }


def first_party(view: View, name: str) -> dict[str, Any]:
    app_id = FIRST_PARTY[name]
    permissions = sorted({g.permission for g in view.truth.grants() if g.resource == name and g.kind == "application"})
    return {
        "id": principal_id(view, name),
        "appId": app_id,
        "displayName": name,
        "accountEnabled": True,
        "appDisplayName": name,
        "appOwnerOrganizationId": MICROSOFT_TENANT,
        "appRoleAssignmentRequired": False,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [app_id],
        "alternativeNames": [],
        "appRoles": [
            {
                "id": view.truth.guid("app role", value),
                "value": value,
                "displayName": value,
                "allowedMemberTypes": ["Application"],
            }
            for value in permissions
        ],
        "replyUrls": [],
        "tags": [],
        "verifiedPublisher": {"displayName": None, "addedDateTime": None},
        "signInAudience": "AzureADMultipleOrgs",
        "passwordCredentials": [],
        "keyCredentials": [],
    }


def principal_owners(view: View, key: Ref | str) -> list[Ref]:
    if isinstance(key, str):
        return []
    owned = view.truth.service_principal(key).application
    return application_owners(view, owned) if owned is not None else []


def assigned_to(view: View, key: Ref | str) -> list[dict[str, Any]]:
    """Who was assigned to a resource: app roles of Microsoft's interfaces, a group to each own application."""
    truth = view.truth
    if isinstance(key, str):
        found = (grant for grant in truth.grants() if grant.resource == key and grant.kind == "application")
        return [assignment(view, g.id, g.principal, key, truth.guid("app role", g.permission), key) for g in found]
    own = truth.service_principal(key)
    groups = group_keys(view)
    if own.application is None or not groups:
        return []
    group_ref = Ref("group", groups[own.application % len(groups)])
    return [assignment(view, truth.guid("assigned", *key), group_ref, key, DEFAULT_ACCESS, own.name)]


def assignment(view: View, ident: str, who: Ref, resource: Ref | str, role: str, resource_name: str) -> dict[str, Any]:
    number = view.truth.number("assignment", ident)
    created = view.truth.moment(-30 - number % 300, "assignment", ident)
    is_group = who.kind == "group"
    return {
        "id": base64.urlsafe_b64encode(uuid.UUID(ident).bytes).decode().rstrip("="),
        "deletedDateTime": None,
        "appRoleId": role,
        "createdDateTime": fraction(created, number % 8, number),
        "principalDisplayName": view.truth.group(who.index).name
        if is_group
        else view.truth.service_principal(who).name,
        "principalId": object_id(view, who),
        "principalType": "Group" if is_group else "ServicePrincipal",
        "resourceDisplayName": resource_name,
        "resourceId": principal_id(view, resource),
    }


def delegated_grants(view: View) -> list[dict[str, Any]]:
    """Consents for everybody, and for each third party those of two persons."""
    truth = view.truth
    delegated = [grant for grant in truth.grants() if grant.kind == "delegated"]
    found = [delegated_grant(view, grant, None) for grant in delegated]
    for grant in delegated:
        if truth.service_principal(grant.principal).kind == "third_party":
            persons = (Ref("person", (grant.principal.index * 7 + n) % truth.person_count) for n in (0, 5))
            found += [delegated_grant(view, grant, ref) for ref in persons if exists(truth, ref, view.day)]
    return found


def delegated_grant(view: View, grant: Grant, person: Ref | None) -> dict[str, Any]:
    return {
        "id": view.truth.hex_id(40, "grant", grant.id, person),
        "clientId": object_id(view, grant.principal),
        "consentType": "Principal" if person else "AllPrincipals",
        "principalId": object_id(view, person) if person else None,
        "resourceId": principal_id(view, grant.resource),
        # a leading space is what the portal leaves
        "scope": f" openid {grant.permission}" if person else f" {grant.permission}",
    }


# Roles -------------------------------------------------------------------------------------------------------------


def role(view: View, index: int) -> dict[str, Any]:
    found = view.truth.roles[index]
    return {
        "id": found.template_id,
        "displayName": found.name,
        "description": f"Members with this role have the powers of {found.name}.",
        "isBuiltIn": True,
        "isEnabled": True,
        "templateId": found.template_id,
        "resourceScopes": ["/"],
        "version": "1",
    }


def role_assignments(view: View, eligible: bool) -> list[dict[str, Any]]:
    found = []
    for held in view.truth.role_assignments(view.day):
        principal_object = object_id(view, held.principal)
        if held.eligible is not eligible or principal_object is None:
            continue
        record = {
            "id": f"{view.truth.hex_id(40, 'role assignment', held.id)}-1",
            "principalId": principal_object,
            "directoryScopeId": "/",
            "roleDefinitionId": view.truth.roles[held.role].template_id,
        }
        found.append({**record, "memberType": "Direct", "endDateTime": None} if eligible else record)
    return found
