"""Attack paths over the project's own models: what is told, what is counted, what is advised, what is missing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dbt_like_transforms.attack_paths.rules import AttackRuleError, load_attack_rules
from tests.transforms.estate import DAY, Estate, observation
from tests.transforms.test_marts import edge, finding

ROLE = '{"permissions": {"roles": [{"name": "Contributor"}]}}'
WEB = observation("acme:prod:web", serial_number="S1", display_name="web01", is_internet_facing=True)
APP = observation("acme:prod:app", serial_number="S2", display_name="app01")
USER = observation("acme:prod:user", identity_type="user", display_name="eva", mfa_registered=True)
AGENT = observation("acme:prod:agent", identity_type="managed_identity", display_name="web01-identity")
ADMIN = observation("acme:prod:role", identity_type="role", display_name="Global Administrator")
VAULT = observation(
    "acme:prod:vault", native_id="/subscriptions/s/v", resource_type="Microsoft.KeyVault/vaults", provider="azure",
    display_name="vault", criticality=1,
)  # fmt: skip
WEAKNESS = finding(
    "tenable:prod:f1",
    asset_record="acme:prod:web",
    cve_id="CVE-2026-1",
    severity="critical",
    title="httpd remote code execution",
)
CVE = {
    "product": "tenable",
    "instance": "prod",
    "cve_id": "CVE-2026-1",
    "severity": "critical",
    "exploit_available": True,
}


def link(source: str, label: str, target: str, kinds: tuple[str, str], properties: str = "{}") -> dict[str, Any]:
    return edge(
        f"acme:prod:{source}",
        f"acme:prod:{target}",
        label,
        source_kind=kinds[0],
        target_kind=kinds[1],
        properties=properties,
    )


LOGON = link("web", "frequently logged in by", "user", ("device", "identity"))
HOLDS = link(
    "user",
    "has role on",
    "role",
    ("identity", "identity"),
    '{"roles": {"rolePermissions": ["{\\"roleValue\\":\\"Global Administrator\\"}"]}}',
)
SIGNS = link("web", "can authenticate as", "agent", ("device", "identity"))
RULES = link("agent", "has role on", "vault", ("identity", "cloud_resource"), ROLE)


def build(graph: Estate, *relationships: dict[str, Any], **more: Any) -> None:
    kinds: dict[str, Any] = {
        "devices": [WEB, APP],
        "identities": [USER, AGENT, ADMIN],
        "cloud_resources": [VAULT],
        "findings": [WEAKNESS],
        "vulnerabilities": [CVE],
        "relationships": relationships,
    }
    graph.build(**{**kinds, **more})


def test_a_path_is_told_hop_by_hop_with_the_evidence_and_who_reports_it(graph: Estate) -> None:
    build(graph, SIGNS, RULES)
    path = graph.row("from attack_paths")
    assert (path["entry_name"], path["target_name"], path["length"], path["risk_level"]) == (
        "web01",
        "vault",
        2,
        "critical",
    )
    assert path["scenario"].endswith("reaches a sensitive data or keys")
    assert "web01 can be reached from the internet" in path["explanation"]
    assert "web01 holds the sign-in of web01-identity" in path["explanation"]
    assert "may change vault (Contributor)" in path["explanation"]
    first, second = graph.rows("from attack_path_steps order by step")
    assert [first["edge_label"], second["edge_label"]] == ["can authenticate as", "has role on"]
    assert "Contributor" in second["evidence"]
    assert second["discovery_sources"] == ["acme"]
    assert [first["edge_id"], second["edge_id"]] == path["edge_ids"]


def test_a_reader_is_no_step_and_neither_is_an_edge_against_its_direction(graph: Estate) -> None:
    build(graph, SIGNS, {**RULES, "properties": ROLE.replace("Contributor", "Reader")}, HOLDS)
    assert graph.rows("from attack_paths") == []


def test_without_an_exploit_or_without_the_internet_a_machine_is_no_entry(graph: Estate) -> None:
    build(graph, SIGNS, RULES, vulnerabilities=[{**CVE, "exploit_available": False}])
    assert graph.rows("from attack_paths") == []
    build(graph, SIGNS, RULES, devices=[{**WEB, "is_internet_facing": False}])
    assert graph.rows("from attack_paths") == []


def test_a_target_behind_a_nearer_one_is_still_told(graph: Estate) -> None:
    build(graph, LOGON, HOLDS, SIGNS, RULES, link("agent", "has role on", "app", ("identity", "device"), ROLE))
    told = {row["target_name"] for row in graph.rows("from attack_paths")}
    assert told == {"vault", "Global Administrator"}


def test_choke_points_count_paths_and_recommendations_what_they_end(graph: Estate) -> None:
    build(graph, LOGON, HOLDS, SIGNS, RULES)
    chokes = {row["node_name"]: row for row in graph.rows("from choke_points")}
    assert (chokes["web01"]["paths_through"], chokes["web01"]["share_of_paths"], chokes["web01"]["is_entry"]) == (
        2,
        1.0,
        True,
    )
    assert (chokes["eva"]["paths_through"], chokes["eva"]["targets_reached"]) == (1, 1)
    assert chokes["web01"]["critical_in_blast_radius"] == 2
    advice = {row["title"]: row for row in graph.rows("from recommendations")}
    assert advice["Patch web01 or take it off the internet"]["paths_removed"] == 2
    assert advice["Take the role Contributor on vault from web01-identity"]["severity"] == "high"
    for row in advice.values():
        assert row["paths_removed"] <= 2


def test_the_best_of_several_edges_between_two_nodes_is_told_and_the_others_are_mentioned(graph: Estate) -> None:
    build(
        graph,
        SIGNS,
        RULES,
        link("agent", "contains", "vault", ("identity", "cloud_resource")),
        link("agent", "can authenticate to", "vault", ("identity", "cloud_resource")),
    )
    assert graph.row("from attack_paths")["explanation"].endswith("may change vault (Contributor).")
    assert graph.rows("from recommendations where title like '%1 other way%'")


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"devices": [APP]}, "entry points"),
        ({"cloud_resources": [{**VAULT, "criticality": None}], "identities": [USER, AGENT]}, "critical assets"),
        ({"relationships": []}, "steps an attacker can take"),
        ({"relationships": [SIGNS]}, "attack paths"),
        ({"devices": [], "identities": [], "cloud_resources": []}, "assets"),
    ],
)
def test_where_there_is_no_path_the_first_missing_precondition_says_what_to_do(
    graph: Estate, changed: dict[str, Any], missing: str
) -> None:
    build(graph, SIGNS, RULES, **changed)
    assert graph.rows("from attack_paths") == []
    unmet = graph.rows("from attack_path_preconditions where not is_met")
    assert unmet[0]["precondition"] == missing
    assert len(unmet[0]["advice"]) > 20


def test_the_history_keeps_every_day_once(graph: Estate) -> None:
    build(graph, SIGNS, RULES)
    build(graph, SIGNS, day=DAY + timedelta(days=1))
    build(graph, SIGNS, RULES, day=DAY + timedelta(days=2))
    paths = graph.rows("select day, value from exposure_history where metric = 'attack_paths' order by day")
    assert [row["value"] for row in paths] == [1, 0, 1]


@pytest.mark.fault(
    "half of the graph is gone from one day to the next",
    "the check fails, the day is not published, the snapshot before stays",
)
def test_a_graph_that_lost_half_of_its_nodes_fails_its_guard_on_that_day_alone(graph: Estate) -> None:
    def failing(count: int, day: int) -> list[str]:
        many = [observation(f"acme:prod:{number}", serial_number=f"N{number}") for number in range(count)]
        results = graph.build(devices=many, day=DAY + timedelta(days=day))
        return [check.name for check in results["exposure_history"].checks if not check.passed]

    assert failing(1100, 0) == []
    assert failing(500, 1) == ["graph_did_not_lose_half"]
    assert failing(500, 2) == []


def test_braces_in_a_name_are_letters(graph: Estate) -> None:
    build(graph, SIGNS, RULES, devices=[{**WEB, "display_name": "{target.__class__} {0}"}])
    assert "{target.__class__} {0} holds" in graph.row("from attack_paths")["explanation"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: [{label: x, says: '{source.__class__}'}]", "nothing else in braces"),
        ("steps: [{label: x, says: '{nobody}'}]", "{source}, {target}, {roles}, {permissions}"),
        ("disable: [nothing]", "there is no rule 'nothing'"),
        ("hop_limit: 0", "greater than or equal to 1"),
        (
            "entries: [{name: x, asset_kinds: [car], likelihood: high, when: {column: a, is: 1}, says: a, fix: b}]",
            "'device'",
        ),
        ("targets: [{name: x, asset_kinds: [device], when: {column: a, matches: '(?!x)'}}]", "looks around"),
    ],
)
def test_a_bad_rule_file_is_refused_with_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "attack_paths.yaml").write_text(text)
    with pytest.raises(AttackRuleError) as error:
        load_attack_rules(tmp_path)
    assert said in str(error.value)


def test_a_home_changes_a_rule_by_its_name_and_adds_its_own(graph: Estate) -> None:
    assert graph.home is not None
    (graph.home / "attack_paths.yaml").write_text(
        """
        disable: [has role on]
        targets: [{name: crown jewel, asset_kinds: [identity], when: {column: NodeName, is: web01-identity}}]
        """
    )
    build(graph, SIGNS, RULES)
    assert [row["scenario"].split(" reaches a ")[1] for row in graph.rows("from attack_paths")] == ["crown jewel"]
