"""Tables of resolution traps: short to write, resolved together with an ordinary estate around them, in several orders.

In every text of a case, `~` stands for two hex digits and `¤` for three decimal ones that no other case of the table
has, so that all cases of a table live in one run and only meet where they are meant to (placeholders, shared values).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from resolution_kit import Outcome, resolved, seen

#: Identifiers and top-level values of one record.
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One trap.

    rows: "product.letter" (or "product.instance.letter") -> identifiers. assets: the right partition, letters of one
    asset written together, e.g. "ab c". held: letters that make no asset. review: pairs that a person must be shown,
    e.g. "ab cd". links: "a part of b". words: letter -> text that its explanation must hold.
    """

    rows: Mapping[str, Row]
    assets: str
    held: str = ""
    review: str = ""
    links: tuple[str, ...] = ()
    unlinked: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


def _filled(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("~", f"{number:02x}").replace("¤", f"{number:03}")
    if isinstance(value, Mapping):
        return {_filled(key, number): _filled(item, number) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, number) for item in value]
    return value


def record_of(case: Case, number: int, letter: str) -> str:
    """The record that a letter of the case stands for."""
    for name in case.rows:
        product, *instance, own = name.split(".")
        if own == letter:
            return f"{product}:{instance[0] if instance else 'p'}:{number}{own}"
    raise KeyError(letter)


def observations_of(case: Case, number: int) -> list[dict[str, Any]]:
    """The lines of one case."""
    rows = []
    for name, given in case.rows.items():
        *_, letter = name.split(".")
        record = record_of(case, number, letter)
        rows.append(seen(record, name.split(".")[0], **_filled(dict(given), number)))
    return rows


def ordinary(kind: str) -> list[dict[str, Any]]:
    """300 records of an estate in which nothing is wrong."""
    rows = []
    for i in range(100):
        if kind == "device":
            both = {"serial_number": f"ORD{i:05}", "hostnames": [f"ord-{i}"], "domain": "ordinary.example"}
            mac = f"3c:d9:2b:f0:{i >> 8:02x}:{i & 255:02x}"
            rows += [
                seen(f"edr:p:ord{i}", mac_addresses=[mac], agent_ids={"aid": f"{i + 1:032x}"}, **both),
                seen(f"cmdb:p:ord{i}", manufacturer="Dell", **both),
                seen(f"tenable:p:ord{i}", fqdns=[f"ord-{i}.ordinary.example"], mac_addresses=[mac]),
            ]
        elif kind == "identity":
            upn, guid = f"ord{i}@ordinary.example", f"0dd00000-0000-4000-8000-{i:012}"
            rows += [
                seen(f"entra:p:ord{i}", upn=upn, entra_object_id=guid, ad_object_guid=guid, employee_id=f"ord{i}"),
                seen(f"ad:p:ord{i}", ad_object_guid=guid, sam_account_name=f"ord{i}", domain="ORDINARY"),
                seen(f"okta:p:ord{i}", okta_id=f"00uord{i}", login_names=[upn], emails=[upn]),
            ]
        else:
            guid = f"0dd00000-0000-4000-8000-{i:012}"
            rows += [
                seen(f"entra:p:ord{i}", app_id=guid, object_id=f"1{guid[1:]}", name=f"Ordinary {i}"),
                seen(f"cmdb:p:ord{i}", cmdb_id=f"ord{i}", name=f"Business {i}"),
                seen(f"okta:p:ord{i}", entity_id=f"https://ordinary{i}.example/saml", name=f"Single sign-on {i}"),
            ]
    return rows


def outcomes_of(kind: str, cases: Mapping[str, Case]) -> dict[str, Outcome]:
    """All cases of a table resolved at once among ordinary records: as written, the other way round, shuffled with
    every third line twice."""
    rows = [row for number, case in enumerate(cases.values(), start=1) for row in observations_of(case, number)]
    rows = [*ordinary(kind), *rows]
    mixed = [*rows, *rows[::3]]
    random.Random(7).shuffle(mixed)
    return {
        "as written": resolved(kind, *rows),
        "reversed": resolved(kind, *reversed(rows)),
        "shuffled and repeated": resolved(kind, *mixed),
    }


def alone(kind: str, case: Case, number: int = 1) -> Outcome:
    """One case with nothing around it."""
    return resolved(kind, *observations_of(case, number))


def mistakes(case: Case, number: int, out: Outcome) -> list[str]:
    """What the outcome has wrong about the case."""
    records = {name.split(".")[-1]: record_of(case, number, name.split(".")[-1]) for name in case.rows}
    letters = {record: letter for letter, record in records.items()}
    wanted = {frozenset(part) for part in case.assets.split()}
    groups = {out.group(record) & set(letters) for record in letters}
    got = {frozenset(letters[record] for record in group) for group in groups}
    found = []
    if got != wanted:
        found.append(f"assets are {' '.join(sorted(''.join(sorted(group)) for group in got))}, not {case.assets}")
    held = {letter for letter, record in records.items() if out.held(record)}
    if held != set(case.held):
        found.append(f"held are {''.join(sorted(held))!r}, not {case.held!r}")
    for one, other in case.review.split():
        if records[other] not in out.review(records[one]) or records[one] not in out.review(records[other]):
            found.append(f"{one} and {other} are not for review")
    for link in case.links:
        source, *relationship, target = link.split()
        if (" ".join(relationship), records[target]) not in out.links(records[source]):
            found.append(f"no link {link!r}, only {sorted(out.links(records[source]))}")
    for link in case.unlinked:
        source, *relationship, target = link.split()
        if (" ".join(relationship), records[target]) in out.links(records[source]):
            found.append(f"there is a link {link!r}")
    for letter, record in records.items():
        assets = {out.lines[target]["asset"] for _, target in out.links(record)}
        if out.lines[record]["asset"] in assets:
            found.append(f"{letter} has a link to itself")
    for letter, record in records.items():
        decisions = [tuple(map(str, decision.items())) for decision in out.lines[record]["decisions"]]
        if len(set(decisions)) < len(decisions):
            found.append(f"{letter} is told something twice: {out.words(record)}")
    for letter, text in case.words.items():
        if text not in out.words(records[letter]):
            found.append(f"{letter} is not told {text!r} but: {out.words(records[letter])}")
    return found


@cache
def _cached(kind: str, table: CaseTable) -> dict[str, Outcome]:
    return outcomes_of(kind, table.cases)


@dataclass(frozen=True, eq=False)
class CaseTable:
    """Cases of one kind, resolved once for all their tests."""

    kind: str
    cases: Mapping[str, Case]

    def outcomes(self) -> dict[str, Outcome]:
        """The outcome of all its cases together, by the order of the input."""
        return _cached(self.kind, self)

    def check(self, name: str) -> None:
        """Fails with everything that is wrong about the case, in any order of the input."""
        number = list(self.cases).index(name) + 1
        wrong = {order: mistakes(self.cases[name], number, out) for order, out in self.outcomes().items()}
        assert not any(wrong.values()), {order: found for order, found in wrong.items() if found}
