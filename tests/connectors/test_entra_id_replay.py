"""Entra ID against answers that others recorded or documented: null forms, pages, types, recordings without batches.

Every test is named after the trap it guards.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import ABSENT, WIRES, Answer, Asked, Case, Route, foreign, misread, mutants, suffers, varied

OPTIONS = {"tenant_id": "contoso.example", "client_id": "c"}
NUMBER = "right(record_id, 5)"
ROLE = "62e90394-69f5-4237-9190-012177145e10"


def guid(kind: str, number: str = "00001") -> str:
    return f"{kind * 8}-0000-4000-8000-0000000{number}"


USER: dict[str, Any] = {
    "@odata.id": "https://graph.microsoft.com/v2/x/directoryObjects/1/Microsoft.DirectoryServices.User",
    "id": guid("a"),
    "userPrincipalName": "AdeleV@contoso.example",
    "displayName": "Adele Vance",
    "mail": "AdeleV@contoso.example",
    "proxyAddresses": ["SMTP:AdeleV@contoso.example", "smtp:adele@contoso.example", "X500:/o=x"],
    "accountEnabled": True,
    "userType": "Member",
    "employeeId": "E-1",
    "department": "Retail",
    "jobTitle": "Manager",
    "createdDateTime": "2025-06-07T08:09:10Z",
    "lastPasswordChangeDateTime": "2026-06-07T08:09:10Z",
    "onPremisesSyncEnabled": None,
    "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1001",
    "onPremisesImmutableId": "AQIDBAUGBwgJCgsMDQ4PEA==",
    "onPremisesSamAccountName": "adelev",
    "onPremisesDomainName": "corp.example",
    "securityIdentifier": "S-1-12-1-1-2-3-4",
    "externalUserState": None,
    "signInActivity": {
        "lastSignInDateTime": "2026-11-20T07:39:12Z",
        "lastSignInRequestId": "r",
        "lastNonInteractiveSignInDateTime": "2026-11-21T07:39:12Z",
        "lastSuccessfulSignInDateTime": None,
    },
    "businessPhones": [],
    "manager": None,
}
GROUP: dict[str, Any] = {
    "id": guid("b"),
    "displayName": "Admins",
    "description": None,
    "mail": "admins@contoso.example",
    "securityEnabled": True,
    "groupTypes": ["Unified"],
    "isAssignableToRole": None,
    "membershipRule": None,
    "onPremisesSyncEnabled": None,
    "onPremisesSecurityIdentifier": None,
    "onPremisesSamAccountName": None,
    "onPremisesDomainName": None,
    "createdDateTime": "2025-06-07T08:09:10Z",
    "resourceProvisioningOptions": ["Team"],
}
DEVICE: dict[str, Any] = {
    "id": guid("c"),
    "deviceId": guid("d"),
    "displayName": "DESKTOP-1",
    "accountEnabled": True,
    "approximateLastSignInDateTime": "2026-11-20T07:39:12Z",
    "createdDateTime": "2025-06-07T08:09:10Z",
    "registrationDateTime": "2025-06-07T08:09:10Z",
    "deletedDateTime": None,
    "isCompliant": None,
    "isManaged": True,
    "managementType": "MDM",
    "manufacturer": "Contoso",
    "model": "Laptop 3",
    "operatingSystem": "Windows",
    "operatingSystemVersion": "10.0.22631.4",
    "physicalIds": ["[USER-GID]:x", "[HWID]:h:1"],
    "profileType": "RegisteredDevice",
    "trustType": "AzureAd",
    "onPremisesSyncEnabled": None,
    "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-2001",
    "registeredOwners": [{"@odata.type": "#microsoft.graph.user", "id": guid("a")}],
    "registeredUsers": [{"@odata.type": "#microsoft.graph.user", "id": guid("a")}],
    "alternativeSecurityIds": [{"type": 2, "identityProvider": None, "key": "x"}],
}
APPLICATION: dict[str, Any] = {
    "id": guid("e"),
    "appId": guid("1"),
    "displayName": "Billing",
    "createdDateTime": "2025-06-07T08:09:10Z",
    "signInAudience": "AzureADMyOrg",
    "publisherDomain": "contoso.example",
    "identifierUris": ["https://billing.contoso.example", "api://x"],
    "web": {"redirectUris": ["https://billing/cb"], "homePageUrl": None, "implicitGrantSettings": {}},
    "spa": {"redirectUris": []},
    "publicClient": {"redirectUris": ["ms-app://x"]},
    "tags": ["t"],
    "owners": [{"@odata.type": "#microsoft.graph.user", "id": guid("a")}],
    "passwordCredentials": [{"hint": "SECRET-HINT"}],
}
PRINCIPAL: dict[str, Any] = {
    "id": guid("f"),
    "appId": guid("1"),
    "displayName": "Billing",
    "accountEnabled": True,
    "appDisplayName": "Billing",
    "appOwnerOrganizationId": guid("9"),
    "appRoleAssignmentRequired": False,
    "servicePrincipalType": "Application",
    "servicePrincipalNames": [guid("1")],
    "alternativeNames": ["isExplicit=True"],
    "appRoles": [{"id": guid("2"), "value": "Bills.Read", "displayName": "Read bills", "allowedMemberTypes": ["User"]}],
    "replyUrls": ["https://billing/cb"],
    "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
    "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
    "signInAudience": "AzureADMyOrg",
    "owners": [],
}
ASSIGNMENT: dict[str, Any] = {
    "id": "assignment-1",
    "deletedDateTime": None,
    "appRoleId": guid("2"),
    "createdDateTime": "2026-06-07T08:09:10.1234567Z",
    "principalId": guid("a"),
    "principalType": "User",
    "principalDisplayName": "Adele Vance",
    "resourceDisplayName": "Billing",
    "resourceId": guid("f"),
}
GRANT = {
    "id": "grant-1",
    "clientId": guid("f"),
    "consentType": "AllPrincipals",
    "principalId": None,
    "resourceId": guid("f"),
    "scope": " User.Read  Mail.Read ",
}
ROLE_DEFINITION = {
    "id": ROLE,
    "displayName": "Global Administrator",
    "description": None,
    "isBuiltIn": True,
    "isEnabled": True,
    "templateId": ROLE,
    "rolePermissions": [],
}
ROLE_ASSIGNMENT = {"id": "ra-1", "principalId": guid("a"), "directoryScopeId": "/", "roleDefinitionId": ROLE}
REGISTRATION = {
    "id": guid("a"),
    "userPrincipalName": "AdeleV@contoso.example",
    "isAdmin": True,
    "isMfaCapable": True,
    "isMfaRegistered": True,
    "methodsRegistered": ["microsoftAuthenticatorPush"],
    "lastUpdatedDateTime": "2026-11-20T07:39:12Z",
}
TENANT = {
    "id": guid("9"),
    "displayName": "Contoso",
    "verifiedDomains": [{"name": "contoso.example", "isDefault": True}],
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def collection(*records: Any, **more: Any) -> dict[str, Any]:
    return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", "value": list(records), **more}


def estate(**given: Any) -> list[Route]:
    """Collections by name; there is no $batch, as there is none in what others recorded."""
    answers = {
        "organization": collection(TENANT),
        "users": collection(USER),
        "groups": collection(GROUP, **{"@odata.count": 1}),
        "groups/[^/]*/members": collection({"@odata.type": "#microsoft.graph.user", "id": guid("a"), "mail": None}),
        "devices": collection(DEVICE, **{"@odata.count": "1"}),
        "applications": collection(APPLICATION),
        "servicePrincipals": collection(PRINCIPAL),
        "servicePrincipals/[^/]*/appRoleAssignedTo": collection(ASSIGNMENT),
        "oauth2PermissionGrants": collection(GRANT),
        "roleManagement/directory/roleDefinitions": collection(ROLE_DEFINITION),
        "roleManagement/directory/roleAssignments": collection(ROLE_ASSIGNMENT),
        "roleManagement/directory/roleEligibilityScheduleInstances": collection(),
        "reports/authenticationMethods/userRegistrationDetails": collection(REGISTRATION),
        **given,
    }
    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a-token"}
    return [
        ("POST /contoso.example/oauth2/v2.0/token", token),
        *((f"GET /v1.0/{name}", body) for name, body in answers.items()),
    ]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("entra_id", estate(), tmp_path, monkeypatch, wire=wire, **OPTIONS) as tenant:
        report = tenant.sync("users", "group_members", "devices", "applications")
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_a_documented_answer_of_every_stream_is_understood_without_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("entra_id", estate(), tmp_path, monkeypatch, **OPTIONS) as tenant:
        report = tenant.sync()
        # who owns groups is asked for on request
        assert {name for name, state in states(report).items() if state != "complete"} == {"group_owners"}
        assert not any(m.rejected or m.field_issues for m in report.streams)
        with tenant.staged() as staged:
            assert staged.failing() == []
            (user,) = staged.rows("select * from stg_entra_id__identities")
            assert (user["is_privileged"], user["criticality"], user["mfa_registered"]) == (True, 0, True)
            assert user["emails"] == ["adelev@contoso.example", "adele@contoso.example"]
            assert user["last_seen"] == datetime(2026, 11, 21, 7, 39, 12)
            (device,) = staged.rows("select * from stg_entra_id__devices")
            assert (device["owner"], device["entra_device_id"]) == ("AdeleV@contoso.example", guid("d"))
            (app,) = staged.rows("select * from stg_entra_id__applications")
            assert (app["owner"], app["entity_id"]) == ("AdeleV@contoso.example", "https://billing.contoso.example")
            assert app["reply_urls"] == ["https://billing/cb", "ms-app://x"]
            said = staged.rows("select distinct relationship from stg_entra_id__relationships")
            assert {row["relationship"] for row in said} == {"member of", "has role on", "frequently logged in by"}
            said = staged.rows("select distinct relationship from stg_entra_id__relationships_permissions")
            assert {row["relationship"] for row in said} == {
                "can authenticate to",
                "has permissions to",
                "can authenticate as",
            }


def renamed(record: Any, number: str) -> None:
    record["id"] = guid(record["id"][0], number)


SAMPLES = [
    ("users", "users", "identities", USER),
    ("groups", "groups", "identities_groups", GROUP),
    ("devices", "devices", "devices", DEVICE),
    ("applications", "applications", "applications", APPLICATION),
    ("servicePrincipals", "service_principals", "identities_service_principals", PRINCIPAL),
]


@pytest.mark.parametrize(("path", "stream", "model", "sample"), SAMPLES)
def test_no_key_of_an_object_is_needed_but_its_id(
    path: str, stream: str, model: str, sample: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(sample, renamed, keep=["id"])
    routes = estate(**{path: collection(*[m.record for m in given])})
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        wanted = ["organization", "users", stream, *(["device_owners"] if stream == "devices" else [])]
        report = tenant.sync(*wanted)
        assert (manifest(report, stream).state, manifest(report, stream).records) == ("complete", len(given))
        assert set(states(report).values()) == {"complete"}
        with tenant.staged() as staged:
            # a login or a client id that is missing is said, and its record is there
            assert [line for line in staged.failing() if "not_null" not in line] == []
            assert suffers(given, staged, f"stg_entra_id__{model}", NUMBER) == []


@pytest.mark.parametrize(
    ("path", "stream", "sample"),
    [
        ("organization", "organization", TENANT),
        ("servicePrincipals/[^/]*/appRoleAssignedTo", "app_role_assignments", ASSIGNMENT),
        ("oauth2PermissionGrants", "oauth2_permission_grants", GRANT),
        ("roleManagement/directory/roleDefinitions", "directory_roles", ROLE_DEFINITION),
        ("roleManagement/directory/roleAssignments", "role_assignments", ROLE_ASSIGNMENT),
        ("reports/authenticationMethods/userRegistrationDetails", "user_registration_details", REGISTRATION),
    ],
)
def test_no_key_of_a_statement_about_objects_breaks_the_models(
    path: str, stream: str, sample: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renumbered(record: Any, number: str) -> None:
        record["id"] = record["id"][:-5] + number

    given = mutants(sample, renumbered, keep=["id"])
    routes = estate(**{path: collection(*[m.record for m in given])})
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        found = manifest(tenant.sync(), stream)
        assert (found.state, found.records, found.rejected) == ("complete", len(given), 0)
        with tenant.staged() as staged:
            failing = [line for line in staged.failing() if stream != "organization" or "unique" not in line]
            assert failing == []


def test_objects_without_an_id_cost_themselves_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_nameless(record: dict[str, Any]) -> dict[str, Any]:
        return collection({k: v for k, v in record.items() if k != "id"}, {**record, "id": None}, record)

    routes = estate(
        groups=with_nameless(GROUP),
        devices=with_nameless(DEVICE),
        applications=with_nameless(APPLICATION),
        servicePrincipals=with_nameless(PRINCIPAL),
    )
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        report = tenant.sync()
        assert "failed" not in states(report).values()
        records = {m.stream: m.records for m in report.streams}
        assert (records["group_members"], records["device_owners"], records["app_role_assignments"]) == (1, 2, 1)
        assert (records["applications"], records["service_principals"]) == (1, 1)


USER_CASES = [
    Case({"signInActivity": None}, "last_seen", None),
    Case({"signInActivity.lastSignInDateTime": "0001-01-01T00:00:00Z"}, "last_seen", datetime(2026, 11, 21, 7, 39, 12)),
    Case({"mail": None, "proxyAddresses": []}, "emails", []),
    Case({"mail": None, "proxyAddresses": ["sip:a@x", "smtp:b@x"]}, "emails", ["b@x"]),
    Case({"userPrincipalName": None}, "login_names", []),
    Case({"userPrincipalName": "guest_x.example#EXT#@contoso.example"}, "upn", "guest_x.example#EXT#@contoso.example"),
    Case({"accountEnabled": "false"}, "is_enabled", False),
    Case({"accountEnabled": ABSENT}, "is_enabled", None),
    Case(
        {"createdDateTime": "2025-06-07T08:09:10.1234567+02:00"}, "first_seen", datetime(2025, 6, 7, 6, 9, 10, 123456)
    ),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(users=collection(*varied(USER, USER_CASES, renamed)))
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        assert manifest(tenant.sync("users"), "users").field_issues == 0
        with tenant.staged() as staged:
            assert misread(USER_CASES, staged, "stg_entra_id__identities", NUMBER) == []


@pytest.mark.parametrize("host", ["https://graph.microsoft.com", ""])
def test_pages_are_followed_by_their_skip_tokens_on_the_base_address(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages(asked: Asked) -> Any:
        token = asked.query.get("$skiptoken", "")
        following = {"": "RFNwdAIAAQ", "RFNwdAIAAQ": "empty", "empty": "last", "last": None}[token]
        number = f"0000{len(token)}"[-5:]
        page = collection(*([] if token == "empty" else [{**USER, "id": guid("a", number)}]))
        if following:
            page["@odata.nextLink"] = f"{host or asked.base}{asked.path}?$top=1&$skiptoken={following}"
        return page

    with foreign("entra_id", estate(users=pages), tmp_path, monkeypatch, **OPTIONS) as tenant:
        found = manifest(tenant.sync("users"), "users")
        assert (found.state, found.records, found.pages) == ("complete", 3, 4)


def test_members_of_a_group_that_is_gone_meanwhile_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Answer({"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist."}}, 404)
    routes = estate(**{"groups/[^/]*/members": gone})
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        found = manifest(tenant.sync("group_members"), "group_members")
        assert (found.state, found.records) == ("complete", 0)
