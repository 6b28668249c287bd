"""Defender for Identity in the shapes of Microsoft's own samples and of others' clients, by its base address alone.

Every test is named after the trap it guards. The recorded records are those of test_defender_identity_replay.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import Answer, foreign
from .test_defender_identity_replay import ACCOUNT, GUID, INFO, ISSUE, OPTIONS, SENSOR, collection, estate, hunted


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def without(record: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names} | more


def test_an_issue_whose_id_is_written_in_capitals_is_no_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = without(
        ISSUE,
        "id",
        "@odata.type",
        "additionalInformation",
        ID=ISSUE["id"],
        createdDateTime="2026-07-10T12:00:00.7777777Z",
        sensorDNSNames=["DC1.Contoso.Example", "DC9.other.example"],
        status="Open",
        additionalInformation=["a", "b"],
    )
    bare = {"value": [shown]}
    with foreign("defender_identity", estate(healthIssues=bare), tmp_path, monkeypatch, **OPTIONS) as identity:
        report = identity.sync("sensors", "health_issues")
        assert set(states(report).values()) == {"complete"}
        assert (manifest(report, "health_issues").records, manifest(report, "health_issues").rejected) == (1, 0)
        with identity.staged() as staged:
            (found,) = staged.rows("select * from stg_defender_identity__findings")
            assert (found["status"], found["severity"]) == ("open", "medium")
            assert found["first_seen"].replace(microsecond=0) == datetime(2026, 7, 10, 12)


def test_a_sensor_of_today_tells_more_and_less_than_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = without(
        SENSOR,
        "@odata.type",
        "healthStatus",
        version="2.239.1.2",
        serviceStatus="running",
        settings={
            "@odata.type": "microsoft.graph.security.sensorSettings",
            "description": "",
            "domainControllerDnsNames": "DC1.contoso.example",
            "isDelayedDeploymentEnabled": "true",
            "networkAdapters": {"name": "Ethernet"},
        },
    )
    other = {"id": "b3c1b5fc-828c-45fa-a1e1-10d74f600002", "displayName": "ADFS1", "sensorType": "unknownFutureValue"}
    routes = estate(sensors={"value": [shown, other], "@odata.count": 2})
    with foreign("defender_identity", routes, tmp_path, monkeypatch, **OPTIONS) as identity:
        report = identity.sync("sensors")
        assert states(report) == {"sensors": "complete"}
        with identity.staged() as staged:
            first, second = staged.rows("select * from stg_defender_identity__devices order by record_id")
            assert (first["fqdns"], first["criticality"]) == (["dc1.contoso.example"], 0)
            assert (second["hostnames"], second["fqdns"], second["criticality"]) == (["adfs1"], [], None)


def test_ids_that_are_not_of_their_provider_join_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two identities of one sample share a cloud SID of another form and a GUID that is called an Okta id."""

    def person(number: int, *accounts: Any) -> dict[str, Any]:
        return without(
            ACCOUNT,
            "@odata.type",
            id=f"0104216-0539-4838-88b1-55baafd0000{number}",
            cloudSecurityIdentifier="S-1-12-4-191635246-1109528849-1145267075-2858833237",
            onPremisesSecurityIdentifier=f"S-1-5-21-1-2-3-100{number}",
            accounts=list(accounts),
        )

    okta = {"provider": "Okta", "identifier": "9b6c1f2e-7777-4222-8333-4444555566cc", "actions": ["disable"]}
    directory = {"provider": "ActiveDirectory", "identifier": GUID}
    cloud = {"provider": "EntraID", "identifier": "7b6c1f2e-2222-4222-8333-4444555566dd"}
    answer = {
        "@odata.nextLink": None,
        "value": [
            person(1, directory, okta),
            person(2, cloud, okta),
            # placeholders of a documented schema
            {
                "id": "String (identifier)",
                "isEnabled": "Boolean",
                "accounts": [{"@odata.type": "x"}],
                "domain": "String",
            },
            {"@odata.type": "#microsoft.graph.security.user", "id": "p4", "accounts": directory, "isEnabled": None},
        ],
    }
    with foreign("defender_identity", estate(identityAccounts=answer), tmp_path, monkeypatch, **OPTIONS) as identity:
        report = identity.sync("identity_accounts")
        assert states(report) == {"identity_accounts": "complete"}
        assert manifest(report, "identity_accounts").records == 4
        with identity.staged() as staged:
            assert staged.failing() == []
            found = staged.rows("select * from stg_defender_identity__identities order by record_id")
            assert [row["okta_id"] for row in found] == [None] * 4
            assert [row["ad_object_guid"] for row in found] == [GUID, None, None, GUID]
            assert [row["entra_object_id"] for row in found] == [None, cloud["identifier"], None, None]
            assert [row["authority"] for row in found] == ["create", "create", "update", "create"]
            assert [row["is_enabled"] for row in found] == [True, True, None, None]


def test_an_identity_of_two_accounts_in_one_directory_takes_the_id_of_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second may be that of the administrator whom the person is too; one account may be named twice."""
    other = "8b6c1f2e-3333-4222-8333-4444555566ee"

    def person(number: int, provider: str, *ids: str) -> dict[str, Any]:
        accounts = [{"provider": provider, "identifier": ident} for ident in ids]
        return without(ACCOUNT, "@odata.type", "cloudSecurityIdentifier", id=f"p{number}", accounts=accounts)

    people = [
        person(1, "activeDirectory", GUID, other),
        person(2, "activeDirectory", GUID, GUID.upper()),
        person(3, "entraID", GUID, other),
        person(4, "okta", "00u1", "00u2"),
    ]
    answer = collection(*people)
    with foreign("defender_identity", estate(identityAccounts=answer), tmp_path, monkeypatch, **OPTIONS) as identity:
        identity.sync("identity_accounts")
        with identity.staged() as staged:
            found = staged.rows("select * from stg_defender_identity__identities order by record_id")
    assert [row["ad_object_guid"] for row in found] == [None, GUID, None, None]
    assert [(row["entra_object_id"], row["okta_id"]) for row in found] == [(None, None)] * 4
    assert {row["ad_sid"] for row in found} == {ACCOUNT["onPremisesSecurityIdentifier"].upper()}


def test_rows_of_another_query_are_set_aside_and_harm_none_of_their_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = {"Timestamp": "2026-11-20T05:06:07.1234567Z", "FileName": "p.exe", "InitiatingProcessFileName": "q.exe"}
    answer = {"Schema": [{"Name": "Timestamp", "Type": "DateTime"}], "Results": [process, INFO, process], "Stats": {}}
    with foreign("defender_identity", estate(IdentityInfo=answer), tmp_path, monkeypatch, **OPTIONS) as identity:
        report = identity.sync("identity_info")
        found = manifest(report, "identity_info")
        assert (found.state, found.records, found.rejected) == ("partial", 1, 2)
        with identity.staged() as staged:
            (row,) = staged.rows("select * from stg_defender_identity__identities_info")
            assert row["sam_account_name"] == "adelev"


def test_the_log_of_an_account_is_its_newest_row_whatever_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorded answer is what others asked for: a row a change, not the newest alone."""
    rows = [
        {**INFO, "Timestamp": "2026-11-20T05:06:07Z", "Department": "new", "IsAccountEnabled": "True", "Tags": None},
        {**INFO, "Timestamp": "2026-11-19T05:06:07.7654321Z", "Department": "old", "IsAccountEnabled": 0},
        {"AccountName": "svc", "AccountDomain": "CONTOSO", "IsAccountEnabled": "", "CriticalityLevel": None},
    ]
    with foreign("defender_identity", estate(IdentityInfo=hunted(*rows)), tmp_path, monkeypatch, **OPTIONS) as identity:
        report = identity.sync("identity_info")
        assert states(report) == {"identity_info": "complete"}
        with identity.staged() as staged:
            assert staged.failing() == []
            found = staged.rows("select * from stg_defender_identity__identities_info order by sam_account_name")
            assert [(row["department"], row["is_enabled"]) for row in found] == [("new", True), (None, None)]


def test_a_tenant_without_the_product_is_told_so_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"error": {"code": "Forbidden", "message": "Tenant is not onboarded to Microsoft Defender for Identity"}}
    refused = Answer(said, 403)
    routes = estate(sensors=refused, healthIssues=refused, identityAccounts=collection())
    with foreign("defender_identity", routes, tmp_path, monkeypatch, **OPTIONS) as identity:
        report = identity.sync()
        assert states(report)["identity_info"] == "complete"
        assert "onboarded" in str(manifest(report, "sensors").reason)
