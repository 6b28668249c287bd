"""Defender for Cloud by its base address alone: forms of the wire, rows in a table, and what any place may hold instead.

Every test is named after the trap it guards. The recorded rows are those of test_defender_cloud_replay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import WIRES, Answer, Asked, Route, foreign, mutants, suffers
from .test_defender_cloud_replay import QUERIES, RECORDED, S1, VM, subscription, table

NUMBER = "right(record_id, 5)"
OPTIONS = {"tenant_id": "contoso.example", "client_id": "c"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def estate(graph: Mapping[str, Any] = RECORDED, form: Callable[[list[Any]], Any] = table, **more: Any) -> list[Route]:
    """Azure with these rows by stream; `more` are further routes by path."""

    def rows(asked: Asked) -> Any:
        text = asked.json()["query"]
        stream = next((name for name, words in QUERIES.items() if words in text), "")
        found = graph.get(stream, [])
        return found if isinstance(found, Answer) else form(found)

    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a-token"}
    return [
        ("POST /contoso.example/oauth2/v2.0/token", token),
        ("GET /subscriptions", {"value": [subscription(S1)], "count": {"type": "Total", "value": 1}}),
        ("POST /providers/Microsoft.ResourceGraph/resources", rows),
        *((f"GET {path}", body) for path, body in more.items()),
    ]


def in_columns(rows: list[Any]) -> dict[str, Any]:
    """The older form of an answer: names once, values in their order."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    data = {
        "columns": [{"name": name, "type": "string"} for name in names],
        "rows": [[row.get(name) for name in names] for row in rows],
    }
    return {**table([]), "totalRecords": len(rows), "count": len(rows), "data": data, "resultTruncated": 1}


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("defender_cloud", estate(), tmp_path, monkeypatch, wire=wire, **OPTIONS) as azure:
        report = azure.sync()
        assert set(states(report).values()) == {"complete", "skipped"}
        assert {m.stream: m.records for m in report.streams if m.stream in RECORDED} == {
            stream: len(rows) for stream, rows in RECORDED.items()
        }
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_rows_in_a_table_of_columns_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("defender_cloud", estate(form=in_columns), tmp_path, monkeypatch, **OPTIONS) as azure:
        report = azure.sync()
        assert {m.stream: (m.state, m.records) for m in report.streams if m.stream in RECORDED} == {
            stream: ("complete", len(rows)) for stream, rows in RECORDED.items()
        }
        with azure.staged() as staged:
            assert staged.one("select display_name from stg_defender_cloud__devices") == "vm1"


def renamed(record: Any, number: str) -> None:
    """Another resource, and what hangs on it."""
    record["id"] = record["id"][:-5] + number
    if record.get("name"):
        record["name"] = record["id"].rpartition("/")[2]


def renamed_below(record: Any, number: str) -> None:
    """What hangs on a machine: another machine's."""
    record["id"] = record["id"].replace("vm1", f"vm{number}").replace("gcp-subnetworks-x", f"gcp-{number}")
    properties = record.get("properties")
    details = properties.get("resourceDetails") if isinstance(properties, dict) else None
    for name, value in details.items() if isinstance(details, dict) else ():
        if value == VM:
            details[name] = VM.replace("vm1", f"vm{number}")


@pytest.mark.parametrize(
    ("stream", "at", "model", "kept"),
    [
        ("resources", 0, "devices", ("type",)),
        ("resources", 1, "cloud_resources", ("type",)),
        ("containers", 1, "cloud_resources_containers", ("type",)),
    ],
)
def test_no_place_of_a_resource_is_needed_but_its_id_and_type(
    stream: str, at: int, model: str, kept: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(RECORDED[stream][at], renamed, keep=["id", *kept])
    graph = {**RECORDED, stream: [m.record for m in given]}
    with foreign("defender_cloud", estate(graph), tmp_path, monkeypatch, **OPTIONS) as azure:
        found = manifest(azure.sync(), stream)
        assert (found.state, found.records, found.rejected) == ("complete", len(given), 0)
        with azure.staged() as staged:
            assert staged.failing() == []
            # settings of which none was made are open; where they are not told, nobody knows
            assert suffers(given, staged, f"stg_defender_cloud__{model}", NUMBER, but=["is_internet_facing"]) == []


@pytest.mark.parametrize(
    ("stream", "model"),
    [("assessments", "findings"), ("sub_assessments", "findings_sub_assessments")],
)
def test_no_place_of_a_finding_is_needed_but_its_id_and_resource(
    stream: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ["id", "properties.status.code", *(["properties.id"] if stream == "sub_assessments" else [])]
    given = mutants(RECORDED[stream][0], renamed_below, keep=kept)
    machines = [{**RECORDED["resources"][0], "id": VM.replace("vm1", f"vm{m.number}")} for m in given]
    graph = {**RECORDED, "resources": machines, stream: [m.record for m in given]}
    with foreign("defender_cloud", estate(graph), tmp_path, monkeypatch, **OPTIONS) as azure:
        found = manifest(azure.sync(), stream)
        assert (found.state, found.records, found.rejected) == ("complete", len(given), 0)
        with azure.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, f"stg_defender_cloud__{model}", "right(asset_record, 5)") == []


@pytest.mark.parametrize("stream", ["foreign_resources", "attack_paths", "network_interfaces", "role_assignments"])
def test_no_place_of_any_other_row_breaks_the_models(
    stream: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(RECORDED[stream][0], renamed, keep=["id"])
    graph = {**RECORDED, stream: [m.record for m in given]}
    with foreign("defender_cloud", estate(graph), tmp_path, monkeypatch, **OPTIONS) as azure:
        found = manifest(azure.sync(), stream)
        assert (found.state, found.records, found.rejected) == ("complete", len(given), 0)
        with azure.staged() as staged:
            assert staged.failing() == []


def test_a_machine_that_tells_its_domain_with_its_name_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Azure calls the resource may have dots too, and is in no domain."""
    machine = RECORDED["resources"][0]
    told = {"extended": {"instanceView": {"computerName": "VM1.corp.example"}}}
    resources = [{**machine, "properties": told}, {**machine, "id": f"{VM}.b", "name": "vm1.b", "properties": {}}]
    with foreign(
        "defender_cloud", estate({**RECORDED, "resources": resources}), tmp_path, monkeypatch, **OPTIONS
    ) as azure:
        azure.sync()
        with azure.staged() as staged:
            found = staged.rows("select * from stg_defender_cloud__devices order by record_id")
    assert [(row["hostnames"], row["fqdns"]) for row in found] == [(["VM1"], ["vm1.corp.example"]), (["vm1"], [])]


def test_a_cve_of_a_pool_of_nodes_is_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = deepcopy(RECORDED["sub_assessments"][0])
    told = {
        "title": "CVE-2025-38166",
        "cvssScore": 5.5,
        "severity": "Medium",
        "exploitTypes": [],
        "exploitabilityLevel": "",
        "hasPublicExploit": True,
        "isExploitInKit": False,
        "publishedDate": "2025-07-03T00:00:00",
    }
    weak["properties"] |= {
        "id": "D260AR",
        "displayName": "A weakness of the kernel",
        "status": {"code": "Unhealthy", "severity": ""},
        "additionalData": {"assessedResourceType": "ManagedAggregatedServerVulnerabilityTvm", "cve": told},
    }
    graph = {**RECORDED, "sub_assessments": [weak]}
    with foreign("defender_cloud", estate(graph), tmp_path, monkeypatch, **OPTIONS) as azure:
        azure.sync()
        with azure.staged() as staged:
            (found,) = staged.rows("select * from stg_defender_cloud__findings_sub_assessments")
            (known,) = staged.rows("select * from stg_defender_cloud__vulnerabilities where cve_id = 'CVE-2025-38166'")
    assert (found["cve_id"], found["severity"]) == ("CVE-2025-38166", "medium")
    assert (known["cvss_score"], known["exploit_available"]) == (5.5, True)
    assert known["published_at"] == datetime(2025, 7, 3)
