"""Wiz in the shapes of others' recordings and test data, by its base address alone: the first version of its lists too.

Every test is named after the trap it guards. The recorded records are those of test_wiz_replay.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest
from .replay import Route, foreign
from .test_wiz_replay import FINDING, ISSUE, OPTIONS, RESOURCE, VM_ID, connection, estate

TOKEN: Route = ("POST /oauth/token", {"access_token": "xxxx", "expires_in": 86400, "token_type": "bearer"})

# the first version says of a resource itself little more than its name: the rest is in the graph's entity
OLD_RESOURCE: dict[str, Any] = {
    "id": VM_ID + "00002",
    "name": "vm-b",
    "type": "VIRTUAL_MACHINE",
    "subscriptionId": "s-2",
    "subscriptionExternalId": "998231069302",
    "graphEntity": {
        "id": VM_ID + "00002",
        "providerUniqueId": "arn:aws:ec2:us-east-1:998231069302:instance/i-0b0f7e1451da5f4a3",
        "name": "vm-b",
        "type": "VIRTUAL_MACHINE",
        "projects": [{"id": "p-1"}],
        "properties": {
            "cloudPlatform": "AWS",
            "cloudProviderURL": None,
            "nativeType": "ec2#instance",
            "operatingSystem": "Linux",
            "region": "us-east-1",
            "status": "Active",
            "tags": {"env": "prod"},
        },
        "firstSeen": "2026-02-12T21:03:10.981466Z",
        "lastSeen": "2026-11-20T00:01:31Z",
    },
}
# recorded: most is null, and the resource has no other id than the one of where its image lies
AGENT: dict[str, Any] = {
    "id": "9c8ebcff-0000-5fdc-976a-5e9db7cf0752",
    "name": "assistant",
    "externalId": "CloudPlatform/ContainerImage##asia-docker.pkg.example##app@sha256:32##/app",
    "type": "AI_AGENT",
    "isAvailableOnGraph": True,
    "graphEntity": {
        "id": "9c8ebcff-0000-5fdc-976a-5e9db7cf0752",
        "type": "AI_AGENT",
        "providerUniqueId": None,
        "properties": {
            "externalId": "CloudPlatform/ContainerImage##app",
            "snippet": '\\n    "quoted": {x}',
            "zone": None,
        },
        "typedProperties": {"__typename": "GEAiAgent"},
        "technologies": [{"id": "14148", "__typename": "Technology"}],
    },
    "technology": {"id": "14148", "name": "Hosted AI Agent", "categories": [{"id": "246"}]},
    "cloudAccount": {"id": "a-1", "name": "pre", "cloudProvider": "GCP", "externalId": "pre-1"},
    "cloudPlatform": "GCP",
    "status": "Active",
    "region": "asia-southeast1",
    "tags": None,
    "projects": [{"id": "p-1", "name": "PORTAL", "isFolder": True, "__typename": "Project"}],
    "deletedAt": None,
    "firstSeen": "2026-07-06T14:16:47.459751Z",
    "updatedAt": "2026-11-06T15:38:16.899777Z",
    "typeFields": None,
    "resourceGroup": None,
    "isOpenToAllInternet": None,
    "isAccessibleFromInternet": None,
    "nativeType": "hostedAiAgent",
    "owners": None,
    "__typename": "CloudResourceV2",
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def test_a_resource_of_the_first_version_is_told_by_its_entity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes: list[Route] = [TOKEN, ("POST /graphql", {"data": {"cloudResources": connection(OLD_RESOURCE)}})]
    with foreign("wiz", routes, tmp_path, monkeypatch, **OPTIONS) as wiz:
        found = manifest(wiz.sync("cloud_resources"), "cloud_resources")
        assert (found.state, found.records, found.field_issues) == ("complete", 1, 0)
        with wiz.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_wiz__devices")
            assert (device["cloud_provider"], device["cloud_account_id"]) == ("aws", "998231069302")
            assert device["cloud_instance_id"] == "i-0b0f7e1451da5f4a3"
            assert (device["os_platform"], device["environment"]) == ("Linux", "prod")
            assert device["last_seen"] == datetime(2026, 11, 20, 0, 1, 31)


def test_a_machine_of_google_is_named_by_the_link_that_wiz_has_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "projects/p-1/zones/us-central1-a/instances/vm-g"
    linked = {
        **RESOURCE,
        "cloudPlatform": "GCP",
        "externalId": None,
        "providerUniqueId": f"https://www.googleapis.com/compute/v1/{place}",
        "graphEntity": None,
    }
    with foreign("wiz", estate(resources=connection(linked)), tmp_path, monkeypatch, **OPTIONS) as wiz:
        wiz.sync("cloud_resources")
        with wiz.staged() as staged:
            (device,) = staged.rows("select * from stg_wiz__devices")
    assert (device["cloud_resource_id"], device["authority"]) == (f"//compute.googleapis.com/{place}", "create")


def test_a_recorded_resource_of_nulls_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("wiz", estate(resources=connection(AGENT, totalCount=1)), tmp_path, monkeypatch, **OPTIONS) as wiz:
        found = manifest(wiz.sync("cloud_resources"), "cloud_resources")
        assert (found.state, found.records, found.field_issues) == ("complete", 1, 0)
        with wiz.staged() as staged:
            assert staged.failing() == []
            (row,) = staged.rows("select * from stg_wiz__cloud_resources")
            assert (row["provider"], row["account_id"], row["resource_type"]) == ("gcp", "pre-1", "hostedaiagent")


@pytest.mark.parametrize(
    ("platform", "ids", "names"),
    [
        ("AWS", ("998231069301", "998231069302"), "arn:aws:iam::{}:root"),
        (
            "Azure",
            ("8a7b6c5d-1111-4222-8333-944455556666", "8a7b6c5d-1111-4222-8333-944455556667"),
            "/subscriptions/{}",
        ),
        ("GCP", ("shop-1", "shop-2"), "//cloudresourcemanager.googleapis.com/projects/{}"),
    ],
)
@pytest.mark.parametrize("within", [None, {"id": "s-1", "name": "x", "externalId": ""}])
def test_accounts_that_do_not_say_which_they_are_in_are_not_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, ids: tuple[str, str], names: str, within: Any
) -> None:
    accounts = [
        {**AGENT, "id": f"a-{told}", "name": told, "type": "SUBSCRIPTION", "cloudPlatform": platform, "cloudAccount": within,
         "externalId": told, "graphEntity": None}
        for told in ids
    ]  # fmt: skip
    with foreign("wiz", estate(resources=connection(*accounts)), tmp_path, monkeypatch, **OPTIONS) as wiz:
        wiz.sync("cloud_resources")
        with wiz.staged() as staged:
            found = staged.rows("select native_id, account_id from stg_wiz__cloud_resources order by native_id")
    assert [(row["native_id"], row["account_id"]) for row in found] == [(names.format(told), told) for told in ids]


def test_a_bare_name_in_two_accounts_and_two_agents_of_one_image_are_not_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = {**AGENT, "type": "DATABASE", "externalId": "orders", "graphEntity": None}
    link = "https://sqladmin.googleapis.com/sql/v1beta4/projects/shop-2/instances/orders"
    records = [
        {**database, "id": "db-1"},
        {**database, "id": "db-2", "cloudAccount": {**AGENT["cloudAccount"], "externalId": "pre-2"}},
        {**database, "id": "db-3", "providerUniqueId": link},
        {**AGENT, "id": "agent-1"},
        {**AGENT, "id": "agent-2"},
    ]
    with foreign("wiz", estate(resources=connection(*records)), tmp_path, monkeypatch, **OPTIONS) as wiz:
        wiz.sync("cloud_resources")
        with wiz.staged() as staged:
            found = staged.rows("select native_id from stg_wiz__cloud_resources order by native_id")
    assert [row["native_id"] for row in found] == ["agent-1", "agent-2", "db-1", "db-2", link]


def test_a_recorded_page_that_claims_more_than_its_recording_has_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = {**connection(RESOURCE, totalCount=68), "pageInfo": {"hasNextPage": True, "endCursor": "eyJ4Ijoi"}}
    with foreign("wiz", estate(resources=page), tmp_path, monkeypatch, **OPTIONS) as wiz:
        found = manifest(wiz.sync("cloud_resources"), "cloud_resources")
        assert (found.state, found.records) == ("partial", 1)


RULE: dict[str, Any] = {
    "__typename": "CloudEventRule",
    "id": "cer-1",
    "name": "An anomalous tool ran",
    "risks": None,
    "securitySubCategories": [],
}


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"sourceRule": None, "sourceRules": [RULE]}, "An anomalous tool ran"),
        ({"sourceRule": None, "control": {"id": "c-1", "name": "A control"}, "sourceRules": []}, "A control"),
        ({"sourceRule": None, "control": None, "sourceRules": None}, "TOXIC_COMBINATION"),
        ({"entitySnapshot": None, "entity": {"id": ISSUE["entitySnapshot"]["id"], "name": "vm-a", "type": "x"}}, ""),
    ],
)
def test_an_issue_is_named_by_whatever_rule_made_it(
    change: dict[str, Any], title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = {**ISSUE, "serviceTickets": None, "dueAt": None, **change}
    with foreign("wiz", estate(issues=connection(issue)), tmp_path, monkeypatch, **OPTIONS) as wiz:
        report = wiz.sync("cloud_resources", "issues")
        assert manifest(report, "issues").field_issues == 0
        with wiz.staged() as staged:
            (found,) = staged.rows("select * from stg_wiz__findings_issues")
            assert found["title"] == (title or ISSUE["sourceRule"]["name"])
            assert found["asset_record"] == staged.one("select record from stg_wiz__devices")


def test_an_issue_of_one_who_signed_in_is_no_resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entity: dict[str, Any] = {
        "id": "b9e464fc-0000-5745-8d30-366690b946b8",
        "name": "INTEG",
        "type": "SERVICE_ACCOUNT",
        "cloudPlatform": "Wiz",
        "providerId": "",
        "region": "",
        "status": None,
        "tags": {},
    }
    with foreign(
        "wiz", estate(issues=connection({**ISSUE, "entitySnapshot": entity})), tmp_path, monkeypatch, **OPTIONS
    ) as wiz:
        wiz.sync("issues")
        with wiz.staged() as staged:
            assert staged.failing() == []
            assert staged.rows("select * from stg_wiz__cloud_resources") == []


def test_a_score_of_0_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {**FINDING, "id": "f-2", "name": "CWE-89", "CVSSSeverity": "NONE", "epssSeverity": None, "hasExploit": None}
    found = [{**FINDING, "score": 0, "epssProbability": 0}, other]
    with foreign("wiz", estate(findings=connection(*found)), tmp_path, monkeypatch, **OPTIONS) as wiz:
        wiz.sync("vulnerability_findings")
        with wiz.staged() as staged:
            assert staged.failing() == []
            (known,) = staged.rows("select * from stg_wiz__vulnerabilities")
            assert (known["cve_id"], known["cvss_score"]) == ("CVE-2024-11477", None)
            assert len(staged.rows("select * from stg_wiz__findings where cve_id is null")) == 1
