"""Azure Resource Graph's interface: the small part of its query language that the estate speaks, paging, quota."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from demo_estate.hashing import digest
from demo_estate.kit import Refusal, Request, Response, Service
from demo_estate.kit.buckets import BucketState
from demo_estate.lenses import View
from demo_estate.lenses.defender_cloud.records import SECURITY_TABLE, TABLES, Row, Rows, Unit, visible_subscriptions

DEFAULT_TOP, LARGEST = 100, 1000
EQUALS = re.compile(r"([\w.]+) =~ '([^']*)'")
IS_IN = re.compile(r"(?:tostring\()?([\w.]+)\)? in~ \(([^)]*)\)")
#: Tables whose rows may lie above a subscription: over named subscriptions they are left out unless asked for.
INHERITED_FROM_ABOVE = "authorizationresources"
NAME = re.compile(r"\w+")


class Query(NamedTuple):
    """table | where field =~ or in~ ... [or ...] | project columns | order by id asc.

    conditions: all must hold; of a condition's fields one must have one of its values.
    """

    table: str
    conditions: tuple[tuple[tuple[str, ...], frozenset[str]], ...]
    columns: tuple[str, ...]
    is_ordered: bool

    @property
    def types(self) -> frozenset[str]:
        """Types the result may hold; every query of the estate's callers names them."""
        return next((values for paths, values in self.conditions if paths == ("type",)), frozenset())

    def holds(self, row: Mapping[str, Any]) -> bool:
        return all(
            any(str(at(row, path) or "").lower() in values for path in paths) for paths, values in self.conditions
        )


def parse(text: str) -> Query:
    """Raises Refusal in the product's words for anything else."""
    table, *steps = [part.strip() for part in text.split("|")]
    conditions: list[tuple[tuple[str, ...], frozenset[str]]] = []
    columns: tuple[str, ...] = ()
    is_ordered = False
    for step in steps:
        if step == "order by id asc":
            is_ordered = True
        elif step.startswith("project "):
            columns = tuple(name.strip() for name in step.removeprefix("project ").split(","))
            if not all(NAME.fullmatch(name) for name in columns):
                raise invalid("InvalidQuery", "A column of project is not a name.")
        else:
            parts = [condition(part) for part in step.removeprefix("where ").split(" or ")]
            if len({values for _, values in parts}) > 1:
                raise invalid("InvalidQuery", "the estate serves only alternatives with the same values")
            conditions.append((tuple(path for path, _ in parts), parts[0][1]))
    return Query(table.lower(), tuple(conditions), columns, is_ordered)


def condition(text: str) -> tuple[str, frozenset[str]]:
    """(path, values in lower case)"""
    if found := EQUALS.fullmatch(text):
        return found[1], frozenset({found[2].lower()})
    if found := IS_IN.fullmatch(text):
        return found[1], frozenset(value.strip().strip("'").lower() for value in found[2].split(","))
    raise invalid("InvalidQuery", f"Query is invalid. Please refer to the documentation: {text}")


def invalid(code: str, message: str) -> Refusal:
    return Refusal(400, code, message)


def at(row: Mapping[str, Any], path: str) -> Any:
    """A value by its path; property names are matched in their case."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def resources(request: Request, service: Service) -> Any:
    """One page. The token comes only with a query that keeps `id`; without an order every page has its own."""
    body = request.json() or {}
    options = body.get("options") or {}
    query = parse(str(body.get("query", "")))
    if query.table not in TABLES:
        raise invalid("UnknownTable", f"Table {query.table} is not known.")
    if options.get("resultFormat") != "objectArray":
        raise invalid("BadRequest", "the estate serves objectArray alone")
    wanted = options.get("$top", DEFAULT_TOP)
    if not isinstance(wanted, int) or not 1 <= wanted <= LARGEST:
        raise invalid("InvalidTopValue", "$top must be between 1 and 1000")
    size = min(wanted, int(service.instance.options.get("page_cap", LARGEST)))
    named = tuple(body.get("subscriptions") or ())
    walk = Walk.of(service, query, named, with_above=options.get("authorizationScopeFilter") == "AtScopeAboveAndBelow")
    start = start_of(service, options.get("$skipToken"))
    if not query.is_ordered:
        walk = walk.shuffled(start)
    page, following = walk.page(start, size)
    total = service.cached(("total", walk.key), lambda: sum(1 for _ in walk.rows()))
    names = query.columns or (tuple(page[0]) if page else ())
    cut = query.table in service.instance.options.get("truncated", ())
    answer: dict[str, Any] = {
        "totalRecords": total,
        "count": len(page),
        "data": [{name: row.get(name) for name in names} for row in page],
        "facets": [],
        # a text, and "false" also on a page that others follow
        "resultTruncated": "true" if cut else "false",
    }
    if following is not None and "id" in names and not cut:
        answer["$skipToken"] = service.cursors.encode({"unit": following[0], "row": following[1]})
    headers = {"x-ms-tenant-subscription-limit-hit": "true"} if service.instance.options.get("too_many") else {}
    return Response(answer, headers=headers)


#: A place in a result: number of the unit, and of the row in it.
Place = tuple[int, int]


def start_of(service: Service, token: str | None) -> Place:
    if not token:
        return 0, 0
    try:
        state = service.cursors.decode(token)
        return int(state["unit"]), int(state["row"])
    except ValueError as error:
        raise invalid("InvalidSkipToken", "The skip token is not valid.") from error


@dataclass(frozen=True)
class Walk:
    """A query's result, made unit by unit as far as it is asked for: what the caller may not see is simply not there."""

    view: View
    query: Query
    subscriptions: tuple[str, ...]
    units: Sequence[Unit]
    make: Rows
    with_above: bool = False

    @classmethod
    def of(cls, service: Service, query: Query, subscriptions: tuple[str, ...], *, with_above: bool = False) -> Walk:
        units, make = TABLES[query.table]
        hidden = query.table == SECURITY_TABLE and "Security Reader" in service.instance.options.get("without", ())
        found = [] if hidden else service.cached(units.__name__, lambda: units(service.view))
        return cls(service.view, query, subscriptions, found, make, with_above)

    @property
    def key(self) -> tuple[Query, tuple[str, ...], bool]:
        return self.query, self.subscriptions, self.with_above

    def shuffled(self, start: Place) -> Walk:
        return replace(self, units=sorted(self.units, key=lambda unit: digest(*start, unit.name)))

    def rows_of(self, unit: Unit) -> list[Row]:
        visible = {account for account, _ in visible_subscriptions(self.view)}
        wanted = visible & set(self.subscriptions) if self.subscriptions else visible
        found = [
            row
            for row in self.make(self.view, unit, self.query.types)
            if (row["subscriptionId"] in wanted if row["subscriptionId"] else self.shows_above(row))
            and self.query.holds(row)
        ]
        return sorted(found, key=lambda row: str(row["id"]))

    def shows_above(self, row: Row) -> bool:
        """Whether a row above all subscriptions is told: built-in roles always, the rest by where is looked."""
        is_above = "/roledefinitions/" not in str(row["id"]).lower()
        return not (self.subscriptions and is_above) or (self.with_above and self.query.table == INHERITED_FROM_ABOVE)

    def rows(self) -> Iterator[Row]:
        return (row for unit in self.units for row in self.rows_of(unit))

    def page(self, start: Place, size: int) -> tuple[list[Row], Place | None]:
        """`size` rows, and where the next ones begin (None: there are none)."""
        number, line = start
        found: list[Row] = []
        while number < len(self.units):
            rows = self.rows_of(self.units[number])[line:]
            if rows and len(found) == size:
                return found, (number, line)
            taken = rows[: size - len(found)]
            found += taken
            number, line = (number, line + len(taken)) if len(taken) < len(rows) else (number + 1, 0)
        return found, None


def quota_headers(state: BucketState) -> dict[str, str]:
    headers = {
        "x-ms-user-quota-remaining": str(state.remaining),
        "x-ms-user-quota-resets-after": f"00:00:{state.retry_after:02d}",
    }
    return headers if state.allowed else {**headers, "Retry-After": str(state.retry_after)}
