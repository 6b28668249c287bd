"""Values that identify nothing: the seed list, as DuckDB macros, and what an installation adds or allows.

What the data itself shows to be unusable (one value on many machines) is found while clustering, see `cluster`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

SEED_FILE = Path(__file__).with_name("seeds.yaml")


@dataclass(frozen=True, slots=True)
class SeedList:
    """Placeholders of one kind of identifier. compared_as: macro giving the form that is compared, '' for as it is."""

    name: str
    values: tuple[str, ...]
    patterns: tuple[str, ...]
    compared_as: str = ""
    repeated_character: bool = False


@dataclass(frozen=True, slots=True)
class Seeds:
    """All seed lists and the spellings of makers (alias -> name)."""

    lists: dict[str, SeedList] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)


@cache
def load_seeds(path: Path = SEED_FILE) -> Seeds:
    """Reads the seed file.

    Raises:
        ValueError: a pattern is not anchored at both ends, so that it would drop real values.
    """
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    makers = {alias: name for name, aliases in raw.pop("makers").items() for alias in aliases}
    lists = {}
    for name, entry in raw.items():
        for pattern in entry["patterns"]:
            if not (pattern.startswith("^") and pattern.endswith("$")):
                raise ValueError(f"{path.name}: pattern {pattern!r} of {name} must start with ^ and end with $")
        lists[name] = SeedList(
            name,
            tuple(str(value) for value in entry["values"]),
            tuple(entry["patterns"]),
            entry["compared_as"],
            bool(entry["repeated_character"]),
        )
    return Seeds(lists, makers)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def install_seeds(connection: duckdb.DuckDBPyConnection, allowed: Iterable[tuple[str, str]] = ()) -> None:
    """Makes `seeded_<name>(v)` macros: whether the normal form v is a placeholder. NULL is none.

    allowed: (identifier, value) pairs that a person declared to be real values; see ALLOW_LISTS for the names.
    """
    seeds = load_seeds()
    by_list: dict[str, list[str]] = {}
    for identifier, value in allowed:
        by_list.setdefault(ALLOW_LISTS.get(identifier, identifier), []).append(value)
    for seed in seeds.lists.values():
        compared = f"{seed.compared_as}(v)" if seed.compared_as else "v"
        tests = []
        if seed.values:
            wanted = [_text(value) for value in seed.values]
            if seed.compared_as == "n_uuid":
                wanted = [f"n_uuid({value})" for value in wanted]
            tests.append(f"{compared} IN ({', '.join(wanted)})")
        if seed.patterns:
            tests.append(f"regexp_matches({compared}, {_text('|'.join(seed.patterns))})")
        if seed.repeated_character:
            bare = f"regexp_replace({compared}, '[:-]', '', 'g')"
            tests.append(f"replace({bare}, {bare}[1], '') = ''")
        real = _allowed_sql(by_list.get(seed.name, ()))
        connection.execute(
            f"CREATE OR REPLACE TEMP MACRO seeded_{seed.name}(v) AS coalesce(({' OR '.join(tests)}){real}, false)"
        )
    connection.execute("CREATE OR REPLACE TEMP MACRO n_maker_word(x) AS regexp_extract(n_lower(x), '^([^ ,.]+)', 1)")
    cases = " ".join(f"WHEN {_text(alias)} THEN {_text(name)}" for alias, name in seeds.makers.items())
    connection.execute(
        "CREATE OR REPLACE TEMP MACRO n_maker(x) AS CASE WHEN n_lower(x) IS NULL OR seeded_manufacturer(n_lower(x)) "
        f"THEN NULL ELSE nullif(CASE n_maker_word(x) {cases} ELSE n_maker_word(x) END, '') END"
    )


def _allowed_sql(values: Sequence[str]) -> str:
    return f" AND lower(v) NOT IN ({', '.join(_text(value.lower()) for value in values)})" if values else ""


#: Identifier names of the observations, and the seed list that a value of theirs is compared with.
ALLOW_LISTS: dict[str, str] = {
    "serial_number": "serial_number",
    "smbios_uuid": "uuid",
    "mac_addresses": "mac_address",
    "imei": "imei",
    "agent_ids": "agent_id",
    "cloud_instance_id": "cloud_id",
    "hostnames": "host_name",
    "fqdns": "host_name",
    "netbios_name": "host_name",
    "domain": "host_domain",
    "ip_addresses": "ip_address",
    "emails": "address",
    "upn": "address",
    "employee_id": "employee_id",
    "name": "app_name",
    "entity_id": "entity_id",
}
