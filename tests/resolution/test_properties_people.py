"""What must hold for any accounts and applications: what a value means counts, not how it is written or left out."""

from __future__ import annotations

import base64
import itertools
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resolution_kit import Outcome, identities, resolved, seen

ZEROS = str(uuid.UUID(int=0))
G1, G2, G3 = (str(uuid.UUID(f"8f2d1c34-5a6b-4c7d-9e8f-00112233445{i}")) for i in range(3))

#: Of each kind what records may say. Everything collides with everything.
POOLS: dict[str, dict[str, list[Any]]] = {
    "identity": {
        "entra_object_id": [G1, G2],
        "ad_object_guid": [G2, G3],
        "immutable_id": [base64.b64encode(uuid.UUID(guid).bytes_le).decode() for guid in (G2, G3)],
        "ad_sid": ["S-1-5-21-1-2-3-1101", "S-1-5-21-1-2-4-1102"],
        "sid_history": [["S-1-5-21-1-2-3-1101"]],
        "okta_id": ["00u1abc", "00u2abc"],
        "upn": ["jdoe@corp.com", "a-jdoe@corp.com", "jdoe_corp.com#EXT#@t.onmicrosoft.com"],
        "emails": [["jdoe@corp.com"], ["jdoe@corp.com", "info@corp.com"], ["info@corp.com"]],
        "sam_account_name": ["jdoe", "svc_jdoe"],
        "domain": ["CORP", "dev.example"],
        "login_names": [["CORP\\jdoe"], ["jdoe"], ["jdoe@corp.com"]],
        "employee_id": ["E1001", "E1002"],
    },
    "application": {
        "app_id": [G1, G2],
        "tenant_id": [G2, G3],
        "object_id": [G3, "0oa1abc"],
        "service_principal_id": [G1, G3],
        "entity_id": ["https://acme.example/saml", "https://other.example/saml"],
        "reply_urls": [["https://acme.example/cb"]],
        "name": ["Payroll", "Jira"],
        "cmdb_id": ["CI0001", "CI0002"],
    },
}
#: What products write where they have nothing to say.
NOTHING: dict[str, list[Any]] = {
    **{name: [ZEROS, "{" + ZEROS + "}", "N/A", "null"] for name in ("entra_object_id", "ad_object_guid", "app_id", "tenant_id")},
    **{name: [ZEROS, "-", "none"] for name in ("object_id", "service_principal_id")},
    "immutable_id": ["A" * 22 + "==", "none", ""],
    "ad_sid": ["S-1-0-0", "N/A", "-"],
    "sid_history": [["N/A"], [""], "S-1-0-0; -"],
    "upn": ["N/A", "-", "unknown", "none@none"],
    "emails": [["N/A"], ["noreply@corp.com"], [""]],
    "login_names": [["N/A"], ["-"], ["Unknown"]],
    "reply_urls": [["N/A"], ["none"], ["http://localhost"]],
    **{name: ["N/A", "-", "unknown", ""] for name in ("sam_account_name", "domain", "okta_id", "name")},
    **{name: ["N/A", "0", "TBD", "null"] for name in ("employee_id", "cmdb_id")},
    "entity_id": ["N/A", "none", "-"],
}  # fmt: skip


def estates(kind: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A few records of the kind."""
    fields = {name: st.sampled_from(values) for name, values in POOLS[kind].items()}
    row = st.tuples(
        st.sampled_from(["entra_id", "active_directory", "okta"]), st.fixed_dictionaries({}, optional=fields)
    )
    return st.lists(row, min_size=2, max_size=8).map(
        lambda rows: [seen(f"{product}:p:{number}", **given) for number, (product, given) in enumerate(rows)]
    )


def decided(out: Outcome) -> tuple[object, ...]:
    """Everything that was decided but the words."""
    return (
        out.groups(),
        {record: (line["state"], sorted(line["review"]), out.links(record)) for record, line in out.lines.items()},
    )


def changed(rows: list[dict[str, Any]], change: Callable[[dict[str, Any]], dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "identifiers": change(row["identifiers"])} for row in rows]


@pytest.mark.parametrize("kind", POOLS)
@settings(max_examples=5, deadline=None)
@given(data=st.data(), dice=st.randoms(use_true_random=False))
def test_words_for_nothing_decide_what_nothing_decides(kind: str, data: st.DataObject, dice: random.Random) -> None:
    rows = data.draw(estates(kind))

    def filled(identifiers: dict[str, Any]) -> dict[str, Any]:
        return {**{name: dice.choice(NOTHING[name]) for name in POOLS[kind]}, **identifiers}

    assert decided(resolved(kind, *changed(rows, filled))) == decided(resolved(kind, *rows))


def _otherwise(name: str, value: Any, dice: random.Random) -> Any:
    """The same value as another product writes it."""
    if isinstance(value, list):
        return [_otherwise(name, item, dice) for item in value]
    if name == "immutable_id":
        raw = base64.b64decode(value)
        return dice.choice([value.rstrip("="), value.replace("=", "%3D"), str(uuid.UUID(bytes_le=raw)), raw.hex(" ")])
    if name == "okta_id":
        return f" {value}"
    if name in ("emails", "login_names", "upn") and "@" in value:
        value = dice.choice([value, f"{value}."]) if "#" not in value else value
    return dice.choice(
        [value.upper(), f" {value} ", "{" + value.upper() + "}" if value in (G1, G2, G3) else value.title()]
    )


@pytest.mark.parametrize("kind", POOLS)
@settings(max_examples=5, deadline=None)
@given(data=st.data(), dice=st.randoms(use_true_random=False))
def test_other_spellings_decide_the_same(kind: str, data: st.DataObject, dice: random.Random) -> None:
    rows = data.draw(estates(kind))

    def respelled(identifiers: dict[str, Any]) -> dict[str, Any]:
        return {name: _otherwise(name, value, dice) for name, value in identifiers.items()}

    assert decided(resolved(kind, *changed(rows, respelled))) == decided(resolved(kind, *rows))


#: How products list an account whose name is given.
LISTED: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "ad": lambda name, person: {"ad_object_guid": str(uuid.uuid5(uuid.NAMESPACE_DNS, name + person)), "upn": name},
    "entra": lambda name, person: {"entra_object_id": str(uuid.uuid5(uuid.NAMESPACE_URL, name + person)), "upn": name},
    "okta": lambda name, person: {"okta_id": f"00u{name[:4]}{person}", "login_names": [name], "emails": [name]},
    "snow": lambda name, person: {"upn": name},
    "workday": lambda name, person: {"employee_id": f"E{name[:4]}{person}", "emails": [name]},
}  # fmt: skip


def test_t93_a_name_that_passed_on_takes_nothing_of_its_former_owner_along_wherever_the_two_are_listed() -> None:
    known = [
        products
        for size in range(1, 6)
        for products in itertools.combinations(LISTED, size)
        if {"ad", "entra", "okta"} & set(products)
    ]
    pairs = [pair for pair in itertools.product(known, known) if {"ad", "entra", "okta"} & set(pair[0]) & set(pair[1])]
    rows, wanted = [], set()
    for number, pair in enumerate(pairs):
        for person, products, state in zip("ab", pair, ("retired", "active"), strict=True):
            name = f"{number:04}@corp.com"
            listed = [
                seen(f"{product}:p:{number}{person}", state=state, **LISTED[product](name, person))
                for product in products
            ]
            rows += listed
            wanted.add(frozenset(row["record"] for row in listed))
    assert identities(*rows).groups() == wanted


def test_a_word_for_nothing_is_no_other_logon_name() -> None:
    cases = list(
        itertools.product(
            ("sam_account_name", "upn", "login_names"), ("N/A", "-", "unknown", "none", "null", "nicht angegeben")
        )
    )
    rows = []
    for number, (field, word) in enumerate(cases):
        mail = f"jdoe{number}@corp.com"
        given = {field: [word] if field == "login_names" else word}
        rows.append(seen(f"ad:p:{number}", sam_account_name=f"jdoe{number}", domain="CORP", emails=[mail]))
        rows.append(seen(f"okta:p:{number}", okta_id=f"00u1abc{number:02}", emails=[mail], domain="CORP", **given))
    out = identities(*rows)
    for number, (_, word) in enumerate(cases):
        assert out.group(f"ad:p:{number}") == {f"ad:p:{number}", f"okta:p:{number}"}
        assert out.suppressed(f"okta:p:{number}") == {word.lower()}


@pytest.mark.parametrize(("accounts", "linked"), [(10, 9), (100, 0)])
@pytest.mark.parametrize("way", ["invited", "guest"])
def test_t89_an_address_of_very_many_accounts_links_no_two_of_them(way: str, accounts: int, linked: int) -> None:
    def told(number: int) -> dict[str, Any]:
        if way == "invited":
            return {"emails": ["joan.miller@partner.com"]}
        return {"upn": f"joan.miller_partner.com#EXT#@tenant{number}.onmicrosoft.com"}

    rows = [
        seen(f"entra:p:{number}", entra_object_id=f"0dd00000-0000-4000-8000-{number:012}", **told(number))
        for number in range(accounts)
    ]
    out = identities(*rows)
    assert all(len(out.links(row["record"])) == linked for row in rows)
    assert len(out.groups()) == accounts
