"""Values that identify nothing: the seed list, as DuckDB macros, and what an installation adds or allows.

What the data itself shows to be unusable (one value on many machines) is found while clustering, see `crowded` and `contests`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import duckdb

from dbt_like_transforms.resolution.forms.normalise import install, normalised
from dbt_like_transforms.yaml_text import load_yaml

_MARKS = r"[ -/:-@\[-`{-~]"
#: Forms of hex digits: what repeats there is a byte.
_HEX = ("n_uuid", "n_mac")
SEED_FILE = Path(__file__).with_name("seeds.yaml")

#: A record with more values than this of one kind describes no single machine or account; see `few`.
MOST_VALUES = 64

#: What staging gives for a field that the source emptied on purpose. As an identifier it is a placeholder.
CLEARED = "(cleared)"


def few(column: str) -> str:
    """SQL of a list column, empty where one record claims more values than any machine or account has."""
    return f"CASE WHEN len({column}) <= {MOST_VALUES} THEN {column} ELSE [] END"


def silent(columns: tuple[str, ...]) -> str:
    """SQL of the texts (`given`) in the columns that are only a word for nothing: each is looked at once."""
    texts = " UNION ".join(f"SELECT {name} AS given FROM _keyed WHERE strlen({name}) <= 32" for name in columns)
    return f"SELECT given FROM ({texts}) WHERE NOT n_says(given)"


@dataclass(frozen=True, slots=True)
class SeedList:
    """Placeholders of one kind of identifier. compared_as: macro giving the form that is compared, '' for as it is.

    words: values that say "nothing" in whatever punctuation, for lists that are compared as they are.
    """

    name: str
    values: tuple[str, ...]
    patterns: tuple[str, ...]
    compared_as: str = ""
    repeated_character: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seeds:
    """All seed lists, the spellings of makers (alias -> name), and words that say "nothing"."""

    lists: dict[str, SeedList] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    nothing: tuple[str, ...] = ()


@cache
def load_seeds(path: Path = SEED_FILE) -> Seeds:
    """Reads the seed file.

    Raises:
        ValueError: a pattern is not anchored at both ends, so that it would drop real values; a value is no text.
    """
    raw: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"))
    makers = {alias: name for name, aliases in raw.pop("makers").items() for alias in aliases}
    nothing = tuple(str(word) for row in raw.pop("nothing") for word in row)
    lists = {}
    for name, entry in raw.items():
        for pattern in entry["patterns"]:
            if not (pattern.startswith("^") and pattern.endswith("$")):
                raise ValueError(f"{path.name}: pattern {pattern!r} of {name} must start with ^ and end with $")
        if numbers := [value for value in entry["values"] if not isinstance(value, str)]:
            raise ValueError(f"{path.name}: {numbers[0]!r} of {name} is a number to YAML; put it in quotes")
        values, compared_as = tuple(entry["values"]), entry["compared_as"]
        # what staging gives for an emptied field is a value of the field, and identifies nothing
        words = (*nothing, CLEARED) if entry.get("nothing") else ()
        lists[name] = SeedList(
            name,
            (*values, *words) if compared_as else values,
            tuple(entry["patterns"]),
            compared_as,
            bool(entry["repeated_character"]),
            () if compared_as else words,
        )
    return Seeds(lists, makers, nothing)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


#: The allow list with which the macros of a connection were made.
_INSTALLED: WeakKeyDictionary[duckdb.DuckDBPyConnection, tuple[tuple[str, str], ...]] = WeakKeyDictionary()


def install_macros(connection: duckdb.DuckDBPyConnection, allowed: tuple[tuple[str, str], ...]) -> None:
    """Makes the macros of the normal forms and those of `install_seeds`, once a connection: reading them costs as much as
    resolving a few records."""
    if _INSTALLED.get(connection) != allowed:
        install(connection)
        install_seeds(connection, allowed)
        _INSTALLED[connection] = allowed


def install_seeds(connection: duckdb.DuckDBPyConnection, allowed: Iterable[tuple[str, str]] = ()) -> None:
    """Makes the macros of `_of_list` for every seed list, and those of `_of_words`.

    allowed: (identifier, value) pairs that a person declared to be real values; see ALLOW_LISTS for the names.
    """
    seeds = load_seeds()
    real: dict[str, list[str]] = {}
    for identifier, value in allowed:
        real.setdefault(ALLOW_LISTS[identifier], []).append(value)
    macros = [macro for seed in seeds.lists.values() for macro in _of_list(seed, tuple(real.get(seed.name, ())))]
    macros += _of_words(seeds)
    connection.execute(";".join(f"CREATE OR REPLACE TEMP MACRO {macro}" for macro in macros))


def _of_list(seed: SeedList, allowed: tuple[str, ...]) -> Iterator[str]:
    """`allowed_<name>(v)`: whether a person declared v, in the form in which the list is compared, to be real; and
    `seeded_<name>(v)`: whether it is a placeholder. NULL is none."""
    real = _compared(seed, allowed)
    is_real = f"v IN ({', '.join(map(_text, real))})" if real else "false"
    yield f"allowed_{seed.name}(v) AS {is_real}"
    values = [re.escape(value) for value in _compared(seed, seed.values) if value not in real]
    # One expression over all costs a third of what looking through a list of them does.
    parts = [*dict.fromkeys(values), *(f"(?:{pattern[1:-1]})" for pattern in seed.patterns)]
    if seed.words:
        parts.append(_punctuated(seed.words))
    tests = [f"regexp_matches(v, {_text('^(?:' + '|'.join(parts) + ')$')})"] if parts else []
    if seed.repeated_character:
        digits = 2 if seed.compared_as in _HEX else 1
        tests.append(f"replace(v, left(v, {digits}), '') = ''")
    but = f" AND NOT ({is_real})" if real else ""
    yield f"seeded_{seed.name}(v) AS coalesce(({' OR '.join(tests)}){but}, false)"


def _of_words(seeds: Seeds) -> Iterator[str]:
    """`n_says(x)`: whether a text says anything, other than in a word for nothing; `l_maker_word(y)`: the first word of a
    maker's name, and `w_maker(word)`: the maker that it stands for, to be given a column (see `normalise`)."""
    yield f"n_says(x) AS n_has(x) AND NOT regexp_matches(lower(x), {_text(f'^{_punctuated(seeds.nothing)}$')})"
    # registered companies of China have their city in front: 'Hangzhou Hikvision Digital Technology', 'New H3C Technologies'
    yield (
        r"l_maker_word(y) AS regexp_extract(y, '^[^\pL\d]*(?:(?:hangzhou|zhejiang|shenzhen|beijing|shanghai|guangzhou|new|the)"
        r"[^\pL\d]+)?([\pL\d]+)', 1)"
    )
    cases = " ".join(f"WHEN {_text(alias)} THEN {_text(name)}" for alias, name in seeds.makers.items())
    yield f"w_maker(word) AS CASE word WHEN '' THEN NULL {cases} ELSE word END"


def compared_forms(identifier: str, value: str) -> list[str]:
    """A value of an identifier (see ALLOW_LISTS) in the forms in which its seed list is compared."""
    return _compared(load_seeds().lists[ALLOW_LISTS[identifier]], (value,))


@cache
def _punctuated(words: tuple[str, ...]) -> str:
    """Expression for words with any punctuation around them and between their parts, and for punctuation alone."""
    parts = [
        f"{_MARKS}+".join(
            f"{_MARKS}*".join(map(re.escape, part.split())) for part in re.split(r"[./]", word.strip("."))
        )
        for word in words
    ]
    return f"{_MARKS}*(?:{'|'.join(dict.fromkeys(parts))})?{_MARKS}*"


@cache
def _compared(seed: SeedList, values: tuple[str, ...]) -> list[str]:
    """The values in the form in which the list is compared."""
    if not values or not seed.compared_as:
        return [value.lower() for value in values]
    return [form for form in normalised(seed.compared_as, values, _spelling()) if form is not None]


@cache
def _spelling() -> duckdb.DuckDBPyConnection:
    """A connection that spells the values of the seed lists, made once."""
    connection = duckdb.connect()
    install(connection)
    return connection


#: Identifier names of the observations, and the seed list that a value of theirs is compared with.
ALLOW_LISTS: dict[str, str] = {
    "serial_number": "serial_number",
    "smbios_uuid": "uuid",
    "mac_addresses": "mac_address",
    "imei": "imei",
    "agent_ids": "agent_id",
    "cloud_instance_id": "cloud_id",
    "cloud_resource_id": "cloud_id",
    "hostnames": "host_name",
    "fqdns": "host_name",
    "netbios_name": "host_name",
    "domain": "host_domain",
    "ip_addresses": "ip_address",
    "emails": "address",
    "upn": "address",
    "employee_id": "employee_id",
    "okta_id": "record_id",
    "immutable_id": "record_id",
    "app_id": "record_id",
    "tenant_id": "record_id",
    "entra_tenant_id": "record_id",
    "object_id": "record_id",
    "service_principal_id": "record_id",
    "cmdb_id": "record_id",
    "reply_urls": "reply_url",
    "login_names": "login",
    "sam_account_name": "login",
    "name": "app_name",
    "entity_id": "entity_id",
}
