"""Entra ID in the shapes of Graph's own samples, recordings and others' mocks, by its base address alone.

Every test is named after the trap it guards. The recorded records are those of test_entra_id_replay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import Answer, Asked, foreign
from .test_entra_id_replay import (
    DEVICE,
    OPTIONS,
    PRINCIPAL,
    REGISTRATION,
    ROLE,
    ROLE_ASSIGNMENT,
    USER,
    collection,
    estate,
    guid,
)

DETAILS = "reports/authenticationMethods/userRegistrationDetails"
ASSIGNMENTS = "roleManagement/directory/roleAssignments"
ELIGIBILITY = "roleManagement/directory/roleEligibilityScheduleInstances"


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, wanted: seconds.append(wanted))
    return seconds


def without(record: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names} | more


def refused(code: str, message: str) -> Answer:
    return Answer({"error": {"code": code, "message": message, "innerError": {"date": "2026-11-20T01:02:03"}}}, 403)


def test_a_recorded_device_brings_its_users_whole_and_names_no_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: list[float]
) -> None:
    """What a recording asked for is expanded, and it alone. Graph writes a far Retry-After beside an answer that is one."""
    first = without(DEVICE, "registeredOwners", registeredUsers=[{"@odata.type": "#microsoft.graph.user", **USER}])
    first |= {
        "operatingSystem": "Windows",
        "trustType": "Workplace",
        "extensionAttributes": {"extensionAttribute1": None},
    }
    second = {
        "accountEnabled": False,
        "deviceId": guid("d", "00002"),
        "displayName": "Test device",
        "id": "id-value",
        "operatingSystem": "linux",
        "operatingSystemVersion": "1",
    }
    far = {"Retry-After": "1209600", "x-ms-resource-unit": "2", "OData-Version": "4.0"}
    routes = estate(devices=Answer({"value": [first, second]}, headers=far))
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        report = tenant.sync("users", "devices", "device_owners")
        assert set(states(report).values()) == {"complete"}
        assert waited == []
        with tenant.staged() as staged:
            assert staged.failing() == []
            found = staged.rows("select * from stg_entra_id__devices order by record_id")
            assert [row["owner"] for row in found] == ["AdeleV@contoso.example", None]
            assert found[1]["hostnames"] == ["Test device"]


def test_a_dot_in_what_a_device_is_called_makes_no_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: list[float]
) -> None:
    called = ["Dr. Smith's iPad", "WKS-014.corp.example", "10.0.0.5"]
    devices = [without(DEVICE, id=guid("d", f"0000{n}"), displayName=name) for n, name in enumerate(called)]
    with foreign("entra_id", estate(devices=collection(*devices)), tmp_path, monkeypatch, **OPTIONS) as tenant:
        tenant.sync("devices")
        with tenant.staged() as staged:
            found = staged.rows("select * from stg_entra_id__devices order by record_id")
    assert [row["fqdns"] for row in found] == [[], ["wks-014.corp.example"], []]
    assert [row["hostnames"] for row in found] == [["Dr. Smith's iPad"], [], ["10.0.0.5"]]


def test_a_tenant_without_premium_is_read_without_what_premium_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    premium = refused(
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )

    def users(asked: Asked) -> Any:
        return (
            premium
            if "signInActivity" in asked.query.get("$select", "")
            else collection(without(USER, "signInActivity"))
        )

    routes = estate(users=users, **{DETAILS: premium, ELIGIBILITY: premium})
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        report = tenant.sync()
        assert states(report)["users"] == "complete"
        assert "premium license" in str(manifest(report, "user_registration_details").reason)
        with tenant.staged() as staged:
            assert staged.failing() == []
            (person,) = staged.rows("select * from stg_entra_id__identities")
            assert (person["mfa_registered"], person["last_seen"], person["is_privileged"]) == (None, None, True)


def test_what_a_recorded_page_calls_removed_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others record the delta query, whose pages hold what is gone beside what is there."""
    gone = {"id": guid("a", "00002"), "@removed": {"reason": "changed"}}
    left = {**USER, "id": guid("a", "00003"), "@removed": {"reason": "deleted"}, "manager": None}
    page = {
        "@odata.deltaLink": "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=x",
        "value": [gone, USER, left],
    }
    device = {"id": guid("c", "00002"), "@removed": {"reason": "changed"}}
    routes = estate(users=page, devices=collection(device, DEVICE, **{"@odata.count": 2}))
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        report = tenant.sync("users", "devices")
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1]


def test_a_link_to_where_an_answer_was_recorded_is_not_followed_and_costs_what_lies_behind_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mock writes the address it ran at into its links: another port of this machine is another service."""
    link = "http://localhost:8080/v1.0/reports/authenticationMethods/userRegistrationDetails?$skiptoken=1"
    page = collection(without(REGISTRATION, "isAdmin", "lastUpdatedDateTime"), **{"@odata.nextLink": link})
    with foreign("entra_id", estate(**{DETAILS: page}), tmp_path, monkeypatch, **OPTIONS) as tenant:
        found = manifest(tenant.sync("user_registration_details"), "user_registration_details")
        assert (found.state, found.records, found.error) == ("partial", 1, "ForeignHost")


def test_a_mock_that_gives_one_page_for_ever_ends_with_what_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(asked: Asked) -> Any:
        return collection(REGISTRATION, **{"@odata.nextLink": f"{asked.base}{asked.path}?$skiptoken=1"})

    with foreign("entra_id", estate(**{DETAILS: page}), tmp_path, monkeypatch, **OPTIONS) as tenant:
        found = manifest(tenant.sync("user_registration_details"), "user_registration_details")
        assert (found.state, found.records) == ("partial", 1)


def test_a_role_within_one_application_is_no_power_over_the_tenant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such an assignment names its application's own scope and no scope of the directory."""
    inside = {"id": "ra-2", "principalId": guid("a", "00002"), "roleDefinitionId": ROLE, "appScopeId": "/Catalog/c1"}
    everywhere = {"id": "ra-3", "principalId": guid("a", "00003"), "roleDefinitionId": ROLE, "appScopeId": None}
    both = {**ROLE_ASSIGNMENT, "resourceScope": "/", "principal": {"@odata.type": "#microsoft.graph.user", **USER}}
    routes = estate(
        users=collection(*({**USER, "id": guid("a", f"0000{n}")} for n in (1, 2, 3))),
        **{ASSIGNMENTS: {"value": [both, inside, everywhere]}},
    )
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        # what is read on request alone is skipped
        assert set(states(tenant.sync()).values()) <= {"complete", "skipped"}
        with tenant.staged() as staged:
            assert staged.failing() == []
            found = staged.rows("select * from stg_entra_id__identities order by record_id")
            assert [(row["is_privileged"], row["criticality"]) for row in found] == [
                (True, 0),
                (False, None),
                (True, 0),
            ]


def test_a_principal_of_placeholders_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anonymised fixtures have one text for every id, empty dates, and leave the type out."""
    shown = without(
        PRINCIPAL,
        "servicePrincipalType",
        "verifiedPublisher",
        "owners",
        id="XXXX",
        appId="XXXX",
        appOwnerOrganizationId="XXXX",
        createdDateTime="",
        info={"logoUrl": None},
        publisherName="Contoso",
        appRoles=[],
    )
    routes = estate(servicePrincipals={"value": [shown, PRINCIPAL]})
    with foreign("entra_id", routes, tmp_path, monkeypatch, **OPTIONS) as tenant:
        report = tenant.sync()
        assert set(states(report).values()) <= {"complete", "skipped"}
        with tenant.staged() as staged:
            assert staged.failing() == []
            found = staged.rows("select * from stg_entra_id__identities_service_principals order by record_id")
            assert [row["identity_type"] for row in found] == ["service_principal"] * 2
