"""Entra ID: the whole way from Graph's habits to staging, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from connector_assets import registry
from connector_assets.entra_id import EntraOptions
from connector_assets.kit.microsoft import MicrosoftCredentials
from connector_assets.kit.settings import Secrets
from demo_estate.directory import CLOUD_OWNERS
from demo_estate.entities import Ref
from exposure_pipelines.landing.sync import run_sync

from .microsoft import Bench, bench, holds, manifest, states

V1 = "GET /v1.0"
MEMBERS = f"batched {V1}/groups/{{id}}/members"
Open = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def start(**settings: Any) -> AbstractContextManager[Bench]:
        return bench("entra_id", tmp_path, monkeypatch, **settings)

    return start


@pytest.fixture
def tenant(serve: Open) -> Iterator[Bench]:
    with serve() as running:
        yield running


def fault(route: str, kind: int | str, **more: Any) -> dict[str, Any]:
    return {"product": "entra_id", "route": route, "fault": kind, **more}


def test_a_whole_sync_makes_exactly_the_calls_it_needs(tenant: Bench) -> None:
    report = tenant.sync()
    assert {name for name, state in states(report).items() if state != "complete"} == {"group_owners"}
    assert "option group_owners" in str(manifest(report, "group_owners").reason)
    assert {route: n for route, n in tenant.requests().items() if not route.startswith("batched")} == {
        "POST /{tenant}/oauth2/v2.0/token": 1,
        f"{V1}/organization": 1,
        f"{V1}/users": 1,
        f"{V1}/groups": 1,
        f"{V1}/devices": 3,  # once for the devices, once for owners, once for users
        f"{V1}/applications": 1,
        f"{V1}/servicePrincipals": 1,
        f"{V1}/oauth2PermissionGrants": 1,
        f"{V1}/roleManagement/directory/roleDefinitions": 1,
        f"{V1}/roleManagement/directory/roleAssignments": 1,
        f"{V1}/roleManagement/directory/roleEligibilityScheduleInstances": 1,
        f"{V1}/reports/authenticationMethods/userRegistrationDetails": 1,
        "POST /v1.0/$batch": 2,  # 20 groups, 19 service principals
    }
    assert tenant.service.journal.problems == []
    assert all(m.rejected == m.field_issues == m.duplicates == 0 for m in report.streams)


def test_everything_served_is_landed_under_the_answer_keys_ids(tenant: Bench) -> None:
    tenant.sync()
    key = tenant.estate.answer_key().frame()
    with tenant.staged() as staged:
        for kind in ("devices", "identities", "applications"):
            models = [name for name in staged.results if name.partition("__")[2].startswith(kind)]
            landed = {row["record_id"] for name in models for row in staged.rows(f"select record_id from {name}")}
            served = set(key[key["kind"] == {"identities": "identity"}.get(kind, kind[:-1])]["record_id"])
            assert landed <= served
            # Microsoft's own applications that nothing uses are left out
            assert len(served - landed) == (2 if kind == "applications" else 0)


def test_paging_ends_on_the_missing_link_not_on_an_empty_or_short_page(serve: Open) -> None:
    with serve() as tenant:
        total = manifest(tenant.sync("users"), "users").records
        tenant.service.journal.clear()
        # the last full page links to an empty one
        report = tenant.sync("users", page_size=total)
        assert tenant.requests()[f"{V1}/users"] == 2
        assert manifest(report, "users").records == total
        tenant.service.journal.clear()
        assert manifest(tenant.sync("users", page_size=7), "users").records == total
        assert tenant.requests()[f"{V1}/users"] == total // 7 + 1


def test_the_consistency_header_goes_with_every_page_of_an_advanced_query(tenant: Bench) -> None:
    # the emulation refuses an advanced query, and each of its links, without the header
    report = tenant.sync("groups", page_size=6)
    assert states(report) == {"groups": "complete"}
    assert tenant.requests()[f"{V1}/groups"] == 4
    spec = tenant.connection()
    _, secret = tenant.estate.connections()["entra_id"].credentials["client_secret"]
    form = {
        "grant_type": "client_credentials",
        "client_id": spec.options["client_id"],
        "client_secret": secret,
        "scope": "https://graph.microsoft.com/.default",
    }
    token = requests.post(
        f"{spec.base_url}/{spec.options['tenant_id']}/oauth2/v2.0/token", data=form, timeout=30
    ).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    refused = requests.get(f"{spec.base_url}/v1.0/groups?$count=true", headers=headers, timeout=30)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")


def test_a_token_that_ends_between_two_pages_is_renewed_and_the_same_link_goes_on(serve: Open) -> None:
    with serve() as tenant:

        def later(instance: str, stream: str, pages: int, records: int) -> None:
            if pages == 1:
                tenant.estate.advance_clock(3700)

        report = tenant.sync("users", page_size=10, progress=later)
        assert states(report) == {"users": "complete"}
        assert manifest(report, "users").duplicates == 0
        assert tenant.requests()["POST /{tenant}/oauth2/v2.0/token"] == 2
        assert tenant.service.journal.statuses[f"{V1}/users 401"] == 1


def test_an_expired_page_token_starts_the_collection_again_without_repeats(serve: Open) -> None:
    with serve(page_token_seconds=600) as tenant:
        total = manifest(tenant.sync("users"), "users").records

        def later(instance: str, stream: str, pages: int, records: int) -> None:
            if pages == 2:
                tenant.estate.advance_clock(700)

        report = tenant.sync("users", page_size=10, progress=later)
        users = manifest(report, "users")
        assert (users.state, users.records, users.duplicates) == ("complete", total, 20)
        assert "read again" in users.notes[0]


def test_a_page_token_that_keeps_expiring_ends_partial(serve: Open) -> None:
    with serve(page_token_seconds=600) as tenant:
        report = tenant.sync("users", page_size=10, progress=lambda *_: tenant.estate.advance_clock(700))
        assert states(report) == {"users": "partial"}
        assert manifest(report, "users").error == "CursorExpired"
        assert manifest(report, "users").records == 10


@pytest.mark.parametrize("settings", [{"premium": False}, {"without": ("AuditLog.Read.All",)}])
def test_users_are_read_without_sign_ins_where_those_are_refused(serve: Open, settings: dict[str, Any]) -> None:
    with serve(**settings) as tenant:
        report = tenant.sync("users", "organization", page_size=20)
        users = manifest(report, "users")
        assert users.state == "complete"
        assert "without their last sign-in" in users.notes[0]
        with tenant.staged() as staged:
            assert staged.one("select count(last_seen) from stg_entra_id__identities") == 0
            assert staged.one("select count(*) from stg_entra_id__identities") == users.records


def test_a_missing_permission_fails_its_streams_alone_and_skips_optional_ones(serve: Open) -> None:
    with serve(without=("GroupMember.Read.All", "Directory.Read.All", "AuditLog.Read.All")) as tenant:
        report = tenant.sync()
        found = states(report)
        assert found["groups"] == "failed"
        assert found["group_members"] == "failed"
        assert found["user_registration_details"] == "skipped"
        assert found["users"] == found["devices"] == found["role_assignments"] == "complete"
        groups = manifest(report, "groups")
        assert "Authorization_RequestDenied" in str(groups.reason)
        assert "admin consent" in str(groups.reason)
        checks = tenant.check()
        assert [name for name, result in checks.items() if not result.ok] == [
            "Directory.Read.All",
            "GroupMember.Read.All",
        ]
        assert "not granted" in checks["AuditLog.Read.All"].message


def test_service_principals_in_groups_are_told_by_the_beta_version_alone(serve: Open) -> None:
    with serve(principals_in_groups=2) as tenant:
        report = tenant.sync("group_members", "users", "devices", "service_principals", relations_version="beta")
        groups, told = manifest(report, "groups").records, manifest(report, "group_members").records
        assert (tenant.requests()["POST /beta/$batch"], tenant.requests()["POST /v1.0/$batch"]) == (1, 0)
        with tenant.staged() as staged:
            held = "select source_record from stg_entra_id__relationships where relationship = 'member of'"
            principals = "select record from stg_entra_id__identities_service_principals"
            assert staged.one(f"select count(*) from ({held}) where source_record in ({principals})") == 2 * groups
        assert manifest(tenant.sync("group_members"), "group_members").records == told - 2 * groups
        assert tenant.requests()["POST /v1.0/$batch"] == 1


def test_owners_of_groups_are_read_on_request_and_may_change_them(tenant: Bench) -> None:
    report = tenant.sync("group_owners", "users", group_owners=True)
    assert states(report)["group_owners"] == "complete"
    assert tenant.requests()["POST /v1.0/$batch"] == 1
    truth = tenant.estate.truth
    (owner,) = (truth.account(ref) for ref in truth.group_owners(CLOUD_OWNERS))
    with tenant.staged() as staged:
        (edge,) = staged.rows(
            f"select * from stg_entra_id__relationships where target_record like '%:{truth.group(CLOUD_OWNERS).entra_object_id}'"
        )
        assert edge["source_record"] == f"entra_id:{report.streams[0].instance}:{owner.entra_object_id}"
        assert (edge["relationship"], edge["target_kind"]) == ("has role on", "identity")
        assert "Owner" in edge["properties"]
        assert staged.failing() == []


def test_a_throttled_batch_item_is_asked_again_alone(serve: Open) -> None:
    with serve(faults=[fault(MEMBERS, 429, nth=3, retry_after=0.2)]) as tenant:
        report = tenant.sync("group_members")
        assert states(report)["group_members"] == "complete"
        assert tenant.requests()[MEMBERS] == 21
        assert tenant.requests()["POST /v1.0/$batch"] == 2
        assert manifest(report, "group_members").waited_seconds >= 0.2


def test_a_group_that_is_gone_in_between_is_left_out(serve: Open) -> None:
    with serve() as tenant:
        total = manifest(tenant.sync("group_members"), "group_members").records
    with serve(faults=[fault(MEMBERS, 404, nth=20)]) as tenant:
        report = tenant.sync("group_members")
        # the batch is answered last first: the twentieth is All Staff with its twelve departments
        assert states(report)["group_members"] == "complete"
        staff = len(set(tenant.estate.truth.group_members(0)))
        assert staff == 12
        assert manifest(report, "group_members").records == total - staff


def test_a_refused_batch_item_makes_the_stream_partial(serve: Open) -> None:
    with serve(faults=[fault(MEMBERS, 403, nth=2)]) as tenant:
        members = manifest(tenant.sync("group_members"), "group_members")
        assert members.state == "partial"
        assert "403 Authorization_RequestDenied" in str(members.reason)


def test_links_inside_a_batch_are_followed_outside_of_it(serve: Open) -> None:
    with serve() as tenant:
        total = manifest(tenant.sync("group_members"), "group_members").records
    with serve(page_cap=5) as tenant:
        assert manifest(tenant.sync("group_members"), "group_members").records == total
        assert tenant.requests()[f"{V1}/groups/{{id}}/members"] > 10
        assert tenant.requests()["POST /v1.0/$batch"] == 1


def test_fewer_groups_than_graph_counts_are_no_complete_enumeration(serve: Open) -> None:
    with serve(faults=[fault(f"{V1}/groups", "empty", nth=1)]) as tenant:
        groups = manifest(tenant.sync("groups"), "groups")
        assert groups.state == "partial"
        assert "Graph counts 20 records of /v1.0/groups, 0 came" in str(groups.reason)


def test_throttling_waits_as_long_as_told(serve: Open) -> None:
    with serve(faults=[fault(f"{V1}/devices", 429, nth=1, retry_after=0.3)]) as tenant:
        report = tenant.sync("devices")
        assert states(report) == {"devices": "complete"}
        assert 0.3 <= manifest(report, "devices").waited_seconds < 2
        assert tenant.service.journal.problems == []


def test_a_web_page_with_status_200_is_no_empty_directory(serve: Open) -> None:
    with serve(faults=[fault(f"{V1}/devices", "html", always=True)]) as tenant:
        report = tenant.sync("devices", "applications")
        assert states(report) == {"devices": "failed", "applications": "complete"}
        assert manifest(report, "devices").error == "UnexpectedContent"


def test_a_wrong_secret_fails_with_the_fix_and_never_shows_the_secret(
    serve: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESTATE_ENTRA_ID_CLIENT_SECRET", "not-the-right-secret")
    with serve() as tenant:
        report = tenant.sync("users", "groups")
        assert set(states(report).values()) == {"failed"}
        reason = str(manifest(report, "users").reason)
        assert "AADSTS7000215" in reason
        assert "expiry" in reason
        assert holds(tenant.home.root, "not-the-right-secret") == []


def test_no_secret_and_no_token_is_written_anywhere(tenant: Bench) -> None:
    tenant.sync()
    _, secret = tenant.estate.connections()["entra_id"].credentials["client_secret"]
    tokens = tenant.service.tokens.values()
    assert len(tokens) == 1
    assert holds(tenant.home.root, secret, *tokens, "passwordCredentials") == []
    assert tenant.service.journal.problems_of("secret_in_url") == []


def test_staging_gives_exactly_the_declared_columns_and_passes_its_tests(tenant: Bench) -> None:
    tenant.sync()
    with tenant.staged() as staged:
        assert staged.columns_differ() == []
        assert staged.failing() == []
        assert len(staged.results) == 11


def test_staging_of_devices_tells_what_entra_knows(tenant: Bench) -> None:
    tenant.sync()
    truth = tenant.estate.truth
    device = next(
        d for d in truth.devices() if d.join == "hybrid" and not truth.quirks(d.index) and d.owner is not None
    )
    with tenant.staged() as staged:
        (row,) = staged.rows(f"select * from stg_entra_id__devices where record_id = '{device.entra_object_id}'")
        assert row["entra_device_id"] == device.entra_device_id != row["record_id"]
        assert row["record"] == f"entra_id:entra_id:{device.entra_object_id}"
        assert (row["hostnames"], row["ad_sid"], row["device_category"]) == (
            [device.hostname],
            device.ad_sid,
            "Endpoint",
        )
        assert row["owner"] == truth.person(int(device.owner or 0)).upn
        assert row["observed_at"] == row["last_seen"]
        assert row["serial_number"] is None
        assert row["mac_addresses"] == []
        assert json.loads(row["properties"])["azureADJoinType"] == "ServerAd"


def test_a_stale_object_repeats_the_device_id_of_a_rebuilt_machine(serve: Open) -> None:
    with serve(devices=400) as tenant:
        tenant.sync("devices", "device_owners", "users", page_size=100)
        repeated = "select entra_device_id from stg_entra_id__devices group by 1 having count(*) = 2"
        with tenant.staged() as staged:
            rows = staged.rows(f"select * from stg_entra_id__devices where entra_device_id in ({repeated})")
            assert rows
            enabled = [json.loads(row["properties"])["accountEnabled"] for row in rows]
            assert enabled.count(False) == enabled.count(True)


def test_staging_of_identities(tenant: Bench) -> None:
    tenant.sync()
    truth = tenant.estate.truth
    with tenant.staged() as staged:

        def identity(ref: Ref) -> dict[str, Any]:
            ident = truth.account(ref).entra_object_id
            (row,) = staged.rows(f"select * from stg_entra_id__identities where record_id = '{ident}'")
            return row

        person = truth.person(3)
        row = identity(person.ref)
        assert row["upn"] == person.upn
        assert row["emails"] == [person.mail, person.upn]
        assert (row["immutable_id"], row["ad_sid"], row["employee_id"]) == (
            person.immutable_id,
            person.sid,
            person.employee_id,
        )
        assert (row["sam_account_name"], row["domain"]) == (person.sam, person.domain)
        assert row["entra_tenant_id"] == truth.tenant_id
        assert row["mfa_registered"] == person.mfa_registered
        guest = identity(Ref("guest", 1))
        assert "#EXT#" in guest["upn"]
        assert guest["ad_sid"] is None
        # as Microsoft's graph has them
        told = [json.loads(one["properties"]) for one in (row, guest)]
        assert [(one["primaryProvider"], one["externalUser"]) for one in told] == [
            ("ActiveDirectory", False),
            ("AzureActiveDirectory", True),
        ]
        groups = "select record_id, properties from stg_entra_id__identities_groups"
        found = {row["record_id"]: json.loads(row["properties"]) for row in staged.rows(groups)}
        assert {ident: one["aadId"] for ident, one in found.items()} == {ident: ident for ident in found}
        assert {one["primaryProvider"] for one in found.values()} == {"ActiveDirectory", "AzureActiveDirectory"}
        own = [
            json.loads(app["properties"]) for app in staged.rows("select properties from stg_entra_id__applications")
        ]
        assert {(app["isBelongToExternalApplication"], app["appOwnerOrganizationId"]) for app in own} == {
            (False, truth.tenant_id)
        }
        administrator = identity(Ref("admin", 0))
        assert (administrator["is_privileged"], administrator["criticality"]) == (True, 0)
        assert "Global Administrator" in json.loads(administrator["properties"])["assignedRoles"]
        # a role held through a group counts; the cloud owners' group holds one
        through = staged.rows(
            "select distinct principal_id from stg_entra_id__role_holders where through_group is not null"
        )
        assert truth.account(Ref("admin", 1)).entra_object_id in {row["principal_id"] for row in through}
        types = "select identity_type, count(*) from stg_entra_id__identities_service_principals group by 1"
        assert {row["identity_type"] for row in staged.rows(types)} <= {"service_principal", "managed_identity"}
        assert (
            staged.one("select count(*) from stg_entra_id__identities_roles where is_privileged and criticality <= 1")
            == 12
        )


def test_relationships_carry_microsofts_labels_and_point_at_records(tenant: Bench) -> None:
    tenant.sync()
    with tenant.staged() as staged:
        edges = staged.rows(
            "select * from stg_entra_id__relationships union all select * from stg_entra_id__relationships_permissions"
        )
        labels = {(e["relationship"], e["source_kind"], e["target_kind"]) for e in edges}
        assert labels == {
            ("member of", "identity", "identity"),
            ("member of", "device", "identity"),
            ("has role on", "identity", "identity"),
            ("has role on", "identity", "application"),
            ("frequently logged in by", "device", "identity"),
            ("has permissions to", "identity", "application"),
            ("can authenticate to", "identity", "application"),
            ("can authenticate as", "application", "identity"),
            ("can impersonate as", "identity", "identity"),
        }
        records = {
            row["record"]
            for name, result in staged.results.items()
            if "record" in {column.name for column in result.columns}
            for row in staged.rows(f"select record from {name}")
        }
        assert all(e["source_record"] in records and e["target_record"] in records for e in edges)
        permissions = [json.loads(e["properties"]) for e in edges if e["relationship"] == "has permissions to"]
        values = {
            json.loads(p)["permissionValue"]
            for found in permissions
            for granted in found.values()
            for p in granted["permissions"]
        }
        # the leading space of a scope gives no empty permission
        assert values == {"User.Read", "Mail.Read", "Mail.Send", "RoleManagement.ReadWrite.Directory"}


def test_a_built_in_role_is_named_only_together_with_its_tenant(tenant: Bench) -> None:
    tenant.sync("directory_roles")
    with tenant.staged() as staged:
        assert staged.one("select count(entra_object_id) from stg_entra_id__identities_roles") == 0
    tenant.sync("directory_roles", "organization")
    with tenant.staged() as staged:
        (role,) = staged.rows(
            "select * from stg_entra_id__identities_roles where display_name = 'Global Administrator'"
        )
        assert (role["entra_object_id"], role["entra_tenant_id"]) == (role["record_id"], tenant.estate.truth.tenant_id)


def test_a_role_over_one_application_is_no_power_over_the_tenant(tenant: Bench) -> None:
    user, app, role = (f"{n}0000000-1111-4111-a111-111111111111" for n in (1, 2, 3))
    rows: dict[str, list[dict[str, Any]]] = {
        "users": [{"id": user, "userPrincipalName": "jdoe@corp.example"}],
        "applications": [{"id": app, "appId": "app-1", "displayName": "Orders"}],
        "directory_roles": [{"id": role, "displayName": "Application Administrator"}],
        "role_assignments": [{"id": "1", "principalId": user, "roleDefinitionId": role, "directoryScopeId": f"/{app}"}],
    }
    with tenant.staged(rows) as staged:
        assert staged.one("select is_privileged from stg_entra_id__identities") is False
        (edge,) = staged.rows("select * from stg_entra_id__relationships")
        assert (edge["relationship"], edge["target_kind"]) == ("has role on", "application")
        assert edge["target_record"] == f"entra_id:test:{app}"
    rows["role_assignments"][0]["directoryScopeId"] = "/administrativeUnits/4"
    with tenant.staged(rows) as staged:
        assert staged.one("select (is_privileged, criticality) from stg_entra_id__identities") == (True, 0)
        (edge,) = staged.rows("select * from stg_entra_id__relationships")
        assert edge["target_record"] == f"entra_id:test:{role}"


def test_groups_in_a_circle_end(tenant: Bench) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "users": [{"id": "u", "userPrincipalName": "jdoe@corp.example"}],
        "groups": [{"id": name, "displayName": name} for name in ("g1", "g2")],
        "group_members": [
            {"_record_id": f"{group}|{member}", "group_id": group, "member_id": member, "member_type": "group"}
            for group, member in (("g1", "g2"), ("g2", "g1"), ("g2", "u"))
        ],
        "directory_roles": [{"id": "r", "displayName": "Global Administrator"}],
        "role_eligibility": [{"id": "1", "principalId": "g1", "roleDefinitionId": "r", "directoryScopeId": "/"}],
    }
    with tenant.staged(rows) as staged:
        assert staged.one("select is_privileged from stg_entra_id__identities") is True
        assert staged.one("select count(*) from stg_entra_id__role_holders where is_eligible") == 4


def test_two_instances_stay_apart(tenant: Bench) -> None:
    tenant.sync()
    first = tenant.connection()
    second = first.model_copy(update={"instance": "entra_two"})
    run_sync(second, registry.load("entra_id"), tenant.home, tenant.lake)
    with tenant.staged() as staged:
        alone = {name: result.rows for name, result in staged.results.items()}
    with tenant.staged(None, first, second) as staged:
        assert staged.failing() == []
        assert {name: result.rows for name, result in staged.results.items()} == {
            n: rows * 2 for n, rows in alone.items()
        }
        crossing = """select count(*) from stg_entra_id__relationships
            where split_part(source_record, ':', 2) <> split_part(target_record, ':', 2)"""
        assert staged.one(crossing) == 0


@pytest.mark.parametrize(
    ("base_url", "authority", "expected"),
    [
        ("https://graph.microsoft.com", "", "https://login.microsoftonline.com"),
        ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080"),
        ("https://graph.microsoft.us", "https://login.microsoftonline.us/", "https://login.microsoftonline.us"),
    ],
)
def test_the_token_is_asked_where_the_base_address_belongs(base_url: str, authority: str, expected: str) -> None:
    options = EntraOptions(tenant_id="corp.example", client_id="app", authority_url=authority)
    auth = registry.load("entra_id").auth(options, Secrets({"client_secret": lambda: "secret-of-the-test"}))
    assert isinstance(auth, MicrosoftCredentials)

    class Recorder:
        def __init__(self) -> None:
            self.base_url = base_url
            self.asked: list[str] = []

        def clock(self) -> float:
            return 0.0

        def where(self, url: str) -> str:
            return url

        def token_request(self, url: str, form: dict[str, str], expected_status: tuple[int, ...]) -> dict[str, Any]:
            self.asked.append(url)
            assert form["scope"] == "https://graph.microsoft.com/.default"
            return {"access_token": "token-of-the-test", "expires_in": "3599"}

    client = Recorder()
    auth.prepare(client)  # type: ignore[arg-type]
    assert client.asked == [f"{expected}/corp.example/oauth2/v2.0/token"]


def test_a_tenant_that_could_change_the_token_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected the tenant's id"):
        EntraOptions(tenant_id="x/../evil", client_id="app")
