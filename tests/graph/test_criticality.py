"""Criticality: what products say, predefined and own rules, business context, levels set by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dbt_like_transforms.criticality.rules import CriticalityError, load_rules
from dbt_like_transforms.engine import ModelFailed
from tests.transforms.estate import Estate, observation
from tests.transforms.test_marts import edge

MODELS = Path(__file__).parents[2] / "dbt_like_transforms" / "models"
DC = observation("acme:prod:dc", serial_number="S1", properties='{"isDomainController": true}')
PC = observation("acme:prod:pc", serial_number="S2", criticality=3)
ROLE = observation("acme:prod:role", identity_type="role", display_name="Global Administrator")
GROUP = observation("acme:prod:group", identity_type="group", display_name="Tier 0")
ADMIN = observation("acme:prod:admin", identity_type="user", display_name="Admin")


def link(
    source: str, label: str, target: str, source_kind: str = "identity", target_kind: str = "identity"
) -> dict[str, Any]:
    return edge(f"acme:prod:{source}", f"acme:prod:{target}", label, source_kind=source_kind, target_kind=target_kind)


def levels(graph: Estate) -> dict[str, dict[str, Any]]:
    return {
        row["node_name"] or row["asset_id"]: row
        for row in graph.rows("select a.node_name, c.* from criticality c join assets a on a.node_id = c.asset_id")
    }


def level_of(graph: Estate, record: str) -> dict[str, Any]:
    return graph.row(
        f"select c.* from criticality c join int_record_assets a on a.asset_id = c.asset_id where a.record = 'acme:prod:{record}'"
    )


def test_a_predefined_rule_is_named_and_wins_over_a_lower_report(graph: Estate) -> None:
    graph.build(devices=[{**DC, "criticality": 2}, PC])
    found = level_of(graph, "dc")
    assert (found["criticality_level"], found["criticality"], found["reported_level"]) == (0, "very high", 2)
    assert found["rule_names"] == ["Domain Controller", "Reported by acme"]
    assert level_of(graph, "pc")["criticality_level"] == 3


def test_a_role_held_through_a_group_counts_and_so_does_the_machine_its_holder_uses(graph: Estate) -> None:
    graph.build(
        devices=[PC],
        identities=[ROLE, GROUP, ADMIN],
        relationships=[
            link("admin", "member of", "group"),
            link("group", "has role on", "role"),
            link("pc", "frequently logged in by", "admin", source_kind="device"),
        ],
    )
    assert level_of(graph, "admin")["rule_names"] == ["Very privileged directory role"]
    assert level_of(graph, "pc")["rule_names"] == ["Domain Admin Device", "Reported by acme"]


def test_software_counts_whether_it_is_called_as_people_do_or_as_its_cpe_does(graph: Estate) -> None:
    records = {"title": "Exchange Server 2019", "cpe": "exchange_server"}
    graph.build(
        devices=[PC, observation("acme:prod:mail", serial_number="S3")],
        applications=[observation(f"acme:prod:{r}", application_type="software", name=n) for r, n in records.items()],
        relationships=[
            link("title", "runs on", "pc", "application", "device"),
            link("cpe", "runs on", "mail", "application", "device"),
        ],
    )
    assert level_of(graph, "pc")["rule_names"] == ["Exchange Server", "Reported by acme"]
    assert level_of(graph, "mail")["rule_names"] == ["Exchange Server"]


def test_a_server_inherits_the_level_of_the_application_it_carries_and_says_so(graph: Estate) -> None:
    application = observation("acme:prod:app", application_type="business_application", name="Payroll", criticality=0)
    service = observation("acme:prod:svc", application_type="service", name="Pay day", criticality=1, owner="eva")
    graph.build(
        devices=[PC],
        applications=[application, service],
        relationships=[
            link("svc", "depends on", "app", "application", "application"),
            link("app", "runs on", "pc", "application", "device"),
        ],
    )
    found = level_of(graph, "pc")
    assert (found["criticality_level"], found["inherited_level"], found["is_inherited"]) == (0, 0, True)
    assert "Serves Payroll" in found["rule_names"]
    context = graph.rows(
        "select application_name, hops, owner from business_context where asset_kind = 'device' order by hops"
    )
    assert context == [
        {"application_name": "Payroll", "hops": 1, "owner": None},
        {"application_name": "Pay day", "hops": 2, "owner": "eva"},
    ]


def test_t106_a_retired_application_or_an_inactive_relation_gives_no_context(graph: Estate) -> None:
    gone = observation(
        "acme:prod:app", application_type="business_application", name="Old", criticality=0, state="retired"
    )
    live = observation("acme:prod:new", application_type="business_application", name="New", criticality=0)
    graph.build(
        devices=[PC],
        applications=[gone, live],
        relationships=[
            link("app", "runs on", "pc", "application", "device"),
            {**link("new", "runs on", "pc", "application", "device"), "is_active": False},
        ],
    )
    assert graph.rows("from business_context") == []
    assert level_of(graph, "pc")["criticality_level"] == 3


def test_applications_that_depend_on_each_other_in_a_circle_end(graph: Estate) -> None:
    graph.build(
        applications=[observation(f"acme:prod:{n}", application_type="service", name=n, criticality=1) for n in "ab"],
        relationships=[
            link("a", "depends on", "b", "application", "application"),
            link("b", "depends on", "a", "application", "application"),
        ],
    )
    assert len(graph.rows("from business_context")) == 2


def write(graph: Estate, text: str) -> None:
    assert graph.home is not None
    (graph.home / "criticality.yaml").write_text(text)


def test_a_level_set_by_hand_wins_in_both_directions(graph: Estate) -> None:
    write(
        graph,
        "levels:\n  - {record: 'acme:prod:dc', level: low, by: eva, reason: lab}\n  - {record: 'acme:prod:pc', level: very high}\n",
    )
    graph.build(devices=[DC, PC])
    assert level_of(graph, "dc")["criticality_level"] == 3
    assert level_of(graph, "pc")["manual_level"] == 0
    assert {"level": 3, "rule": "Set by hand by eva: lab", "source": "manual"} in json.loads(
        level_of(graph, "dc")["reasons"]
    )


def test_a_home_adds_rules_disables_others_and_maps_what_products_report(graph: Estate) -> None:
    write(
        graph,
        """
        imports: {acme: {3: 1}}
        disable: [Domain Controller]
        rules:
          - name: Names of tills
            kind: device
            level: high
            when: {all: [{column: hostnames, matches: '^till'}, {column: device_category, in: [endpoint]}]}
        """,
    )
    till = observation("acme:prod:till", serial_number="S3", hostnames=["TILL-7"], device_category="Endpoint")
    graph.build(devices=[DC, PC, till])
    assert level_of(graph, "till")["rule_names"] == ["Names of tills"]
    assert level_of(graph, "pc")["criticality_level"] == 1
    assert (
        graph.rows(
            "select 1 from criticality c join int_record_assets a using (asset_id) where a.record = 'acme:prod:dc'"
        )
        == []
    )


def test_what_a_product_reports_can_be_ignored(graph: Estate) -> None:
    write(graph, "imports: {acme: false}")
    graph.build(devices=[DC, PC])
    assert list(levels(graph)) == [DC["serial_number"]]


def test_every_product_that_reports_a_criticality_stands_in_the_file_where_it_can_be_switched_off() -> None:
    imported, staging = load_rules(None).imports, MODELS / "staging"
    reports = {
        model.parent.name
        for model in staging.glob("*/stg_*__*.sql")
        if re.search(r"(?<!cast\(null as integer\) as )criticality,$", model.read_text(), re.MULTILINE)
    }
    assert {"wiz", "prisma_cloud", "cortex_cloud", "tenable"} <= reports
    assert "intune" not in reports
    assert reports <= imported.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "rules: [{name: x, kind: device, level: high, when: {column: a}}]",
            "exactly one of is, in, at_least, matches, has",
        ),
        ("rules: [{name: x, kind: device, level: urgent, when: {column: a, is: 1}}]", "'very high', 'high'"),
        ("rules: [{name: x, kind: device, level: high, when: {column: a, matches: '('}}]", "no regular expression"),
        ("disable: [Domain Controler]", "did you mean 'Domain Controller'"),
        ("levels: [{level: high}]", "exactly one of asset (an id) and record"),
        ("imports: {acme: {9: 1}}", "levels go from 0"),
        ("rules: {", "not valid YAML"),
    ],
)
def test_a_bad_file_is_refused_with_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "criticality.yaml").write_text(text)
    with pytest.raises(CriticalityError) as error:
        load_rules(tmp_path)
    assert said in str(error.value)


def test_a_rule_over_an_unknown_column_stops_the_build_and_suggests_one(graph: Estate) -> None:
    write(graph, "rules: [{name: x, kind: device, level: high, when: {column: hostname, has: a}}]")
    with pytest.raises(ModelFailed, match="did you mean 'hostnames'"):
        graph.build(devices=[PC])


def test_a_quote_in_a_rule_is_a_letter(graph: Estate) -> None:
    write(
        graph,
        """rules: [{name: "o'rule", kind: device, level: high, when: {column: display_name, is: "x' or 'a'='a"}}]""",
    )
    graph.build(devices=[DC])
    assert level_of(graph, "dc")["rule_names"] == ["Domain Controller"]
