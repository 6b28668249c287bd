"""Each rule against each identifier: what is as good as the value of the rule keeps apart, what is weaker does not; and what
shows a value to be no identifier leaves a record that has nothing else to nobody."""

# ruff: noqa: E501
from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from case_table import Case, CaseTable, observations_of, ordinary, record_of
from resolution_kit import Outcome

from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.forms.seeds import ALLOW_LISTS
from dbt_like_transforms.resolution.kinds import Kind
from dbt_like_transforms.resolution.observations import shape_of, to_table
from dbt_like_transforms.resolution.resolve import resolve

Row = dict[str, Any]


def guid(own: str) -> str:
    return f"0a~{own}00-12f4-4e74-af7c-3b54377d00~"


T1, T2 = ("aaaaaaaa-0000-4000-8000-00000000000" + end for end in "12")
ARM = "/subscriptions/s~/resourcegroups/r/providers/microsoft.compute/virtualmachines/"
ARN = "arn:aws:iam::{}:user/u~"

#: What two records agree on, so that the rule joins them.
AGREE: dict[Kind, dict[str, tuple[Row, Row]]] = {
    "device": {
        "entra_device_id": ({"entra_device_id": guid("01")},) * 2,
        "ad_object_guid": ({"ad_object_guid": guid("02")},) * 2,
        "entra_device_id=ad_object_guid": ({"entra_device_id": guid("03")}, {"ad_object_guid": guid("03")}),
        "cloud_instance_id+account": ({"cloud_instance_id": "i-0aa10000~", "cloud_account_id": "111122~3~333"},) * 2,
        "cloud_instance_id": ({"cloud_instance_id": "i-0aa10000~"},) * 2,
        "cloud_resource_id": ({"cloud_resource_id": "projects/p~/zones/z/instances/a"},) * 2,
        "ad_sid": ({"ad_sid": "S-1-5-21-9-8-¤-1101"},) * 2,
        "serial_number+manufacturer": ({"serial_number": "AGR~X", "manufacturer": "Dell"},) * 2,
        "serial_number": ({"serial_number": "AGR~X"},) * 2,
        "smbios_uuid": ({"smbios_uuid": guid("04")},) * 2,
        "imei": ({"imei": "35209900¤4711"},) * 2,
        "agent_id": ({"agent_ids": {"aid": "~1" * 16}},) * 2,
        "mac_address+name": ({"mac_addresses": ["3c:7c:3f:~:00:0a"], "hostnames": ["r~"]},) * 2,
        "mac_address+mac_address": ({"mac_addresses": ["3c:7c:3f:~:00:0a", "3c:7c:3f:~:00:0b"]},) * 2,
        "fqdn": ({"fqdns": ["mx~.corp.example"]},) * 2,
        "name_in_domain": ({"netbios_name": "mx~", "domain": "CORP"},) * 2,
    },
    "identity": {
        "entra_object_id": ({"entra_object_id": guid("01")},) * 2,
        "ad_object_guid=immutable_id": ({"ad_object_guid": guid("02")}, {"immutable_id": guid("02")}),
        "immutable_id": ({"immutable_id": "anchor-no-guid-~"},) * 2,
        "ad_sid": ({"ad_sid": "S-1-5-21-9-8-¤-1101"},) * 2,
        "sid_history": ({"ad_sid": "S-1-5-21-9-8-¤-1101"}, {"sid_history": ["S-1-5-21-9-8-¤-1101"]}),
        "okta_id": ({"okta_id": "00uok~tester"},) * 2,
        "upn": ({"upn": "jo~@corp.example"},) * 2,
        "mail=upn": ({"upn": "jo~@corp.example"}, {"emails": ["jo~@corp.example"]}),
        "logon_name_in_domain": ({"sam_account_name": "jo~", "domain": "CORP"},) * 2,
        "logon_name_in_domain=upn": ({"sam_account_name": "jo~", "domain": "corp.example"}, {"upn": "jo~@corp.example"}),
        "mail": ({"emails": ["jo~@corp.example"]},) * 2,
    },
    "application": {
        "object_id": ({"object_id": guid("01")},) * 2,
        "cmdb_id": ({"cmdb_id": "APP~"},) * 2,
        "app_id+tenant": ({"app_id": guid("02"), "tenant_id": T1},) * 2,
        "app_id": ({"app_id": guid("03")},) * 2,
        "entity_id": ({"entity_id": "https://app~.example/saml"},) * 2,
        "cpe": ({"cpe": "vendor~:product"},) * 2,
        "reply_url": ({"reply_urls": ["https://app~.example/cb"], "name": "App ~"},) * 2,
    },
}  # fmt: skip

#: What two records differ on, named as in `Ladder.identifiers`. `type` is what staging tells.
DIFFER: dict[Kind, dict[str, tuple[Row, Row]]] = {
    "device": {
        "entra": ({"entra_device_id": guid("0a")}, {"entra_device_id": guid("0b")}),
        "adguid": ({"ad_object_guid": guid("0c")}, {"ad_object_guid": guid("0d")}),
        "sid_account": ({"ad_sid": "S-1-5-21-7-7-¤-1101"}, {"ad_sid": "S-1-5-21-7-7-¤-1102"}),
        "sid_machine": ({"ad_sid": "S-1-5-21-17-77-¤"}, {"ad_sid": "S-1-5-21-17-78-¤"}),
        "cloud": ({"cloud_instance_id": "i-0ab10000~"}, {"cloud_instance_id": "i-0ab20000~"}),
        "cloudq": ({"cloud_instance_id": "i-0ac10000~", "cloud_account_id": "111122223333"}, {"cloud_instance_id": "i-0ac10000~", "cloud_account_id": "444455556666"}),
        "path": ({"cloud_resource_id": ARM + "a"}, {"cloud_resource_id": ARM + "b"}),
        "serial": ({"serial_number": "5CG~A"}, {"serial_number": "5CG~B"}),
        "serialq": ({"serial_number": "5CH~A", "manufacturer": "Dell"}, {"serial_number": "5CH~A", "manufacturer": "Lenovo"}),
        "uuid": ({"smbios_uuid": guid("0e")}, {"smbios_uuid": guid("0f")}),
        "imei_model": ({"imei": "35209900¤1234"}, {"imei": "86209911¤1234"}),
        "longname": ({"hostnames": ["longname-~-abc-one"]}, {"hostnames": ["longname-~-abc-two"]}),
    },
    "identity": {
        "entra": ({"entra_object_id": guid("0a")}, {"entra_object_id": guid("0b")}),
        "entraq": ({"entra_tenant_id": T1}, {"entra_tenant_id": T2}),
        "directory": ({"immutable_id": guid("0c")}, {"immutable_id": guid("0d")}),
        "objectguid": ({"ad_object_guid": guid("0e")}, {"ad_object_guid": guid("0f")}),
        "sid": ({"ad_sid": "S-1-5-21-7-6-¤-1101"}, {"ad_sid": "S-1-5-21-7-7-¤-1102"}),
        "okta": ({"okta_id": "00uaa~tester"}, {"okta_id": "00ubb~tester"}),
        "type": ({"type": "user"}, {"type": "service_principal"}),
        "own_upn": ({"upn": "ann~@corp.example"}, {"upn": "bob~@corp.example"}),
        "arn": ({"login_names": [ARN.format("111122223333")]}, {"login_names": [ARN.format("444455556666")]}),
        "netbios": ({"domain": "CORP"}, {"domain": "DEV"}),
        "realm": ({"domain": "a.example"}, {"domain": "b.example"}),
        "logon": ({"sam_account_name": "ann~"}, {"sam_account_name": "bob~"}),
        "employee": ({"employee_id": "E1¤1"}, {"employee_id": "E1¤2"}),
    },
    "application": {
        "own_guid": ({"object_id": guid("0a")}, {"object_id": guid("0b")}),
        "own_other": ({"object_id": "0oaaa~abc"}, {"object_id": "0oabb~abc"}),
        "app_guid": ({"app_id": guid("0c")}, {"app_id": guid("0d")}),
        "app_other": ({"app_id": "0oacc~abc"}, {"app_id": "0oadd~abc"}),
        "appq": ({"app_id": guid("0e"), "tenant_id": T1}, {"app_id": guid("0e"), "tenant_id": T2}),
        "tenant": ({"tenant_id": T1}, {"tenant_id": T2}),
        "cmdb": ({"cmdb_id": "CI~A"}, {"cmdb_id": "CI~B"}),
        "type": ({"type": "saas"}, {"type": "business_application"}),
        "entity": ({"entity_id": "https://a~.example/saml"}, {"entity_id": "https://b~.example/saml"}),
        "cpe": ({"cpe": "vendor~:one"}, {"cpe": "vendor~:two"}),
        "title": ({"name": "One ~"}, {"name": "Two ~"}),
    },
}  # fmt: skip

_MACHINE = "entra adguid sid_account sid_machine cloud cloudq path serial uuid imei_model"
_APP = "own_guid own_other app_guid app_other"
#: Rule -> what keeps apart two that it would join.
APART: dict[Kind, dict[str, str]] = {
    "device": {
        "entra_device_id": "adguid cloud cloudq serial",
        "ad_object_guid": "entra cloud cloudq serial",
        "entra_device_id=ad_object_guid": "cloud cloudq serial",
        "cloud_instance_id+account": "entra adguid serial",
        "cloud_instance_id": "entra adguid serial",
        "cloud_resource_id": "entra adguid cloud cloudq serial uuid",
        "ad_sid": "entra adguid cloud cloudq path serial uuid imei_model",
        "serial_number+manufacturer": _MACHINE,
        "serial_number": _MACHINE,
        "smbios_uuid": _MACHINE,
        "imei": _MACHINE,
        "agent_id": _MACHINE,
        "mac_address+name": _MACHINE + " longname",
        "mac_address+mac_address": _MACHINE,
        "fqdn": _MACHINE + " serialq",
        "name_in_domain": _MACHINE + " serialq longname",
    },
    "identity": {
        "entra_object_id": "entraq",
        "ad_object_guid=immutable_id": "entra",
        "immutable_id": "entra sid",
        "ad_sid": "entra objectguid netbios",
        "sid_history": "entra",
        "okta_id": "entra objectguid",
        "upn": "entra directory objectguid sid okta type employee",
        "mail=upn": "entra directory objectguid sid okta type arn netbios logon employee",
        "logon_name_in_domain": "entra directory objectguid sid okta type own_upn employee",
        "logon_name_in_domain=upn": "entra directory objectguid sid okta type employee",
        "mail": "entra directory objectguid sid okta type own_upn arn netbios logon employee",
    },
    "application": {
        "object_id": "app_guid app_other appq cmdb",
        "cmdb_id": _APP,
        "app_id+tenant": "own_guid own_other cmdb type",
        "app_id": "own_guid own_other tenant cmdb type",
        "entity_id": _APP + " appq cmdb type",
        "cpe": _APP + " appq cmdb type entity",
        "reply_url": _APP + " appq cmdb type entity",
    },
}  # fmt: skip


#: Rule -> what keeps apart and shows that the value is no identifier.
SHOWN: dict[Kind, dict[str, str]] = {
    "device": APART["device"] | {
        "entra_device_id=ad_object_guid": "",    # one of the two is an id that only the one of them has
        "cloud_resource_id": "cloud serial uuid",
        "mac_address+name": _MACHINE,
        "fqdn": "",
        "name_in_domain": "",
    },
    "identity": dict.fromkeys(APART["identity"], "") | {
        "entra_object_id": "entraq",
        "immutable_id": "entra sid",
        "ad_sid": "entra objectguid",
        "okta_id": "entra objectguid",
    },
    "application": dict.fromkeys(APART["application"], "") | {
        "object_id": "app_guid app_other appq cmdb",
        "cmdb_id": _APP,
        "entity_id": _APP + " appq cmdb type",
    },
}  # fmt: skip


def pairs(kind: Kind) -> dict[tuple[str, str], tuple[Row, Row]]:
    """Two records that agree by a rule and differ on an identifier, by both."""
    return {
        (rule, name): ({**one, **left}, {**other, **right})
        for rule, (one, other) in AGREE[kind].items()
        for name, (left, right) in DIFFER[kind].items()
        if not (one.keys() & left.keys() or other.keys() & right.keys())
    }


@cache
def outcome(kind: Kind) -> Outcome:
    """The pairs resolved at once. What they agree on is allowed, so that nothing but the difference is against it."""
    rows, allowed = ordinary(kind), set()
    for number, ((rule, _), (one, other)) in enumerate(pairs(kind).items(), start=1):
        found = observations_of(Case({"edr.a": one, "cmdb.b": other}, ""), number)
        for row, agreed in zip(found, AGREE[kind][rule], strict=True):
            for field in agreed.keys() & ALLOW_LISTS.keys():
                told = row["identifiers"][field]
                values = [f"{key}={value}" for key, value in told.items()] if isinstance(told, dict) else told
                allowed |= {(field, value) for value in ([values] if isinstance(values, str) else values)}
        rows += found
    types = [row["identifiers"].pop("type", None) for row in rows]
    table = to_table([shape_of(kind).validate_python(row) for row in rows], kind)
    if kind != "device":
        table = table.append_column(f"{kind}_type", pa.array(types, pa.string()))
    resolution = resolve(kind, table, config=ResolutionConfig(allowed=allowed))
    told = resolution.assignments().project("record, coalesce(asset_id, record), state").fetchall()
    return Outcome({"record": record, "asset": asset, "state": state} for record, asset, state in told)


@pytest.mark.parametrize(("kind", "rule", "name"), [(kind, *pair) for kind in AGREE for pair in pairs(kind)])
def test_what_is_as_good_keeps_apart_and_nothing_else_does(kind: Kind, rule: str, name: str) -> None:
    number = list(pairs(kind)).index((rule, name)) + 1
    records = f"edr:p:{number}a", f"cmdb:p:{number}b"
    if name in APART[kind][rule].split():
        assert outcome(kind).apart(*records)
    else:
        assert outcome(kind).together(*records)


TABLES = {
    kind: CaseTable(
        kind,
        {
            f"{rule} on two that differ on {name}": Case(
                {"edr.a": one, "cmdb.b": other, "mde.c": AGREE[kind][rule][1]}, "a b c", held="c"
            )
            for (rule, name), (one, other) in pairs(kind).items()
            if name in SHOWN[kind][rule].split() and name != "type"
        },
    )
    for kind in AGREE
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in TABLES.items() for name in table.cases])
def test_a_value_of_two_machines_leaves_what_has_nothing_else_to_nobody(kind: Kind, name: str) -> None:
    TABLES[kind].check(name)


#: Rules by what only one site or company knows.
SCOPED: dict[Kind, str] = {
    "device": "mac_address+name mac_address+mac_address fqdn name_in_domain",
    "identity": "immutable_id logon_name_in_domain",
    "application": "cmdb_id reply_url",
}
#: What one site or company knows in its own way.
OF_A_SITE = frozenset({"employee", "cmdb", "title", "type"})


def elsewhere(kind: Kind) -> dict[str, Case]:
    """Two records in two scopes that agree by each rule; and on everything that might differ besides."""
    found = {}
    for rule, (one, other) in AGREE[kind].items():
        scoped = rule in SCOPED[kind].split()
        found[rule] = Case({"edr.a": one, "cmdb.b": {**other, "scope": "plant"}}, "a b" if scoped else "ab")
        if not scoped:
            for name in set(APART[kind][rule].split()) - OF_A_SITE:
                same = {key: value for key, value in DIFFER[kind][name][0].items() if key not in one | other}
                rows = {"edr.a": {**one, **same}, "cmdb.b": {**other, **same, "scope": "plant"}}
                found[f"{rule}, and the same {name}"] = Case(rows, "ab")
    return dict(sorted(found.items()))


ELSEWHERE = {kind: CaseTable(kind, elsewhere(kind)) for kind in AGREE}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in ELSEWHERE.items() for name in table.cases])
def test_what_is_unique_in_the_world_agrees_in_two_scopes_and_differs_by_none(kind: Kind, name: str) -> None:
    ELSEWHERE[kind].check(name)


#: What settles that two records of one name are two.
SETTLED: dict[Kind, str] = {
    "device": _MACHINE.replace(" cloudq", ""),
    "identity": "entra directory objectguid sid okta netbios realm",
    "application": "own_guid own_other cmdb cpe",
}
NAMED: dict[Kind, Row] = {
    "device": {"hostnames": ["na~"]},
    "identity": {"sam_account_name": "na~"},
    "application": {"name": "Na ~"},
}
ALIKE = {
    kind: CaseTable(
        kind,
        {
            name: Case({"edr.a": {**NAMED[kind], **one}, "cmdb.b": {**NAMED[kind], **other}}, "a b")
            for name, (one, other) in named.items()
            if name != "type" and not one.keys() & NAMED[kind].keys()
        },
    )
    for kind, named in DIFFER.items()
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in ALIKE.items() for name in table.cases])
def test_a_name_alone_is_a_question_unless_something_settles_it(kind: Kind, name: str) -> None:
    ALIKE[kind].check(name)
    number = list(ALIKE[kind].cases).index(name) + 1
    for found in ALIKE[kind].outcomes().values():
        asked = f"cmdb:p:{number}b" in found.review(f"edr:p:{number}a")
        assert asked is (name not in SETTLED[kind].split())


OLD = {"first_seen": "2025-01-01T00:00:00Z", "last_seen": "2025-03-01T00:00:00Z", "observed_at": "2025-03-01T00:00:00Z"}
NEW = {"first_seen": "2026-10-01T00:00:00Z"}
CARDS = {"mac_addresses": ["3c:7c:3f:~:01:0a"]}, {"mac_addresses": ["3c:7c:3f:~:01:0b"]}
NAMES = {"hostnames": ["c~a"]}, {"hostnames": ["c~b"]}
BOTH = {**NAMES[0], **CARDS[0]}, {**NAMES[1], **CARDS[1]}
NUMBERS = {"employee_id": "E1¤1"}, {"employee_id": "9-1¤1"}
_BY_NAME = "fqdn name_in_domain"
_BY_LOGON = "upn mail=upn logon_name_in_domain logon_name_in_domain=upn mail"
_BY_ID = (
    "entra_device_id ad_object_guid entra_device_id=ad_object_guid cloud_instance_id+account cloud_instance_id "
    "cloud_resource_id serial_number+manufacturer serial_number smbios_uuid"
)
#: Circumstances of two records, whether one product tells both, and the rules that do not join them then.
CIRCUMSTANCES: dict[Kind, dict[str, tuple[tuple[Row, Row], bool, str]]] = {
    "device": {
        "two agents at work": (({"agent_ids": {"s1": "~3" * 16}}, {"agent_ids": {"s1": "~4" * 16}}), False, "mac_address+name mac_address+mac_address " + _BY_NAME),
        "other cards": (CARDS, False, _BY_NAME),
        "other names": (NAMES, False, ""),
        "other domains": (({"fqdns": ["mx~.eu.corp.example"]}, {"fqdns": ["mx~.us.corp.example"]}), False, "name_in_domain"),
        "other names and cards": (BOTH, False, "agent_id mac_address+mac_address " + _BY_NAME),
        "one product": (({}, {}), True, "mac_address+mac_address " + _BY_NAME),
        "one product, which has retired the one": (({"state": "retired"}, {}), True, ""),
        "one product, which has retired the other": (({}, {"state": "retired"}), True, ""),
        "one product, other cards": (CARDS, True, "agent_id mac_address+mac_address " + _BY_NAME),
        "one product, other names and cards": (BOTH, True, f"{_BY_ID} agent_id mac_address+mac_address {_BY_NAME}"),
        "one after the other": ((OLD, NEW), False, _BY_NAME),
    },
    "identity": {
        "numbers of other forms": (NUMBERS, False, ""),
        "one product": (({}, {}), True, ""),
        "one product, which has retired the one with another number": (({"state": "retired", **NUMBERS[0]}, NUMBERS[1]), True, ""),
        "one product, numbers of other forms": (NUMBERS, True, _BY_LOGON),
        "one after the other": ((OLD, NEW), False, _BY_LOGON),
    },
    "application": {
        "one product": (({}, {}), True, "entity_id cpe reply_url"),
        "one product, which has retired the one": (({"state": "retired"}, {}), True, ""),
        "one product, which has retired the other": (({}, {"state": "retired"}), True, ""),
        "one after the other": ((OLD, NEW), False, ""),
    },
}  # fmt: skip


#: What is a copy of the other, and no question.
CLONES = {
    *(f"{rule}, one product, other names and cards" for rule in ("serial_number+manufacturer", "serial_number", "smbios_uuid")),
    *(f"agent_id, {what}other names and cards" for what in ("", "one product, ")),
}  # fmt: skip
LISTS = {"hostnames", "mac_addresses", "fqdns"}


def _both(one: Row, other: Row) -> Row:
    lists = {key: one[key] + other[key] for key in one.keys() & other.keys() & LISTS}
    return {**one, **other, **lists}


TOLD = {
    kind: CaseTable(
        kind,
        {
            f"{rule}, {name}": Case(
                {"edr.a": _both(one, left), f"{'edr' if at_one else 'cmdb'}.b": _both(other, right)},
                "a b" if rule in rules.split() else "ab",
            )
            for rule, (one, other) in AGREE[kind].items()
            for name, ((left, right), at_one, rules) in named.items()
            if not one.keys() & left.keys() - LISTS
        },
    )
    for kind, named in CIRCUMSTANCES.items()
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in TOLD.items() for name in table.cases])
def test_circumstances_keep_apart_where_the_rule_asks_for_them_and_are_a_question(kind: Kind, name: str) -> None:
    case, number = TOLD[kind].cases[name], list(TOLD[kind].cases).index(name) + 1
    one, other = (record_of(case, number, letter) for letter in "ab")
    for out in TOLD[kind].outcomes().values():
        assert out.together(one, other) is (case.assets == "ab")
        assert (other in out.review(one)) is (case.assets == "a b" and name not in CLONES)
