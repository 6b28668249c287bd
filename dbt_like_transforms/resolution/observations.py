"""Observations as JSON lines: what a line may say, and all lines as one table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Required

import orjson
import pyarrow as pa
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict, get_type_hints

from dbt_like_transforms.resolution.columns import TYPES
from dbt_like_transforms.resolution.intake import COMMON
from dbt_like_transforms.resolution.kinds import COLUMNS, Kind
from dbt_like_transforms.resolution.record_names import record_parts

#: Products that look at addresses from outside: what they see without a name in a domain, MAC or id of its own is no
#: asset, only an address that answered.
SCANNERS = frozenset(
    {"tenable", "nessus", "qualys", "rapid7", "insightvm", "nexpose", "openvas", "greenbone", "scanner", "dhcp", "dns", "ipam"}
)  # fmt: skip
#: Products that know nothing but what answers on an address: they never make an asset, they add to one.
LOOKERS = frozenset(
    {"nmap", "masscan", "zmap", "shodan", "censys", "netflow", "arp", "ping", "ipscan", "ipscanner", "netscan", "netscanner",
     "networkscanner", "portscan", "portscanner", "arpscan", "arpscanner", "pingsweep"}
)  # fmt: skip


#: A number of more digits than a floating-point number keeps, which the fast parser would round: two would become one.
LONG_NUMBER = re.compile(rb"[:,\[]\s*-?[0-9]{17}")
# looking for seventeen digits by pattern costs three times as much
_DIGITS, _SEVENTEEN = bytes(48 if 48 <= byte < 58 else 32 for byte in range(256)), b"0" * 17
EXAMPLE = '{"record": "tenable:prod:17", "product": "tenable", "identifiers": {}}'
SEPARATOR = re.compile(r"[,;|\n]")
STRICT = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class InvalidObservation(ValueError):
    """A line is no observation; the message names file, line, what is wrong and what is expected."""


def _listed(value: object) -> object:
    """A single value where a list is expected counts as a list of one; NULLs in a list are left out."""
    if value is None:
        return []
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return [value]


def _separated(value: object) -> object:
    """As `_listed`, for values that products also write into one text: 'aa:bb:.., cc:dd:..'."""
    found = _listed(value)
    if not isinstance(found, list) or not any(isinstance(item, str) and SEPARATOR.search(item) for item in found):
        return found
    return [part for item in found for part in (SEPARATOR.split(item) if isinstance(item, str) else [item])]


Text = str | None
Texts = Annotated[list[str], BeforeValidator(_listed)]
Separated = Annotated[list[str], BeforeValidator(_separated)]
Name = Annotated[str, Field(min_length=1, pattern=r"\S")]


@with_config(STRICT)
class DeviceIdentifiers(TypedDict, total=False):
    """`identifiers` of a device."""

    serial_number: Text
    manufacturer: Text
    smbios_uuid: Text
    mac_addresses: Separated
    hostnames: Texts
    fqdns: Texts
    netbios_name: Text
    domain: Text
    entra_device_id: Text
    ad_object_guid: Text
    ad_sid: Text
    cloud_provider: Text
    cloud_account_id: Text
    cloud_instance_id: Text
    cloud_resource_id: Text
    imei: Text
    agent_ids: dict[str, Texts] | None
    ip_addresses: Separated
    asset_tag: Text


@with_config(STRICT)
class IdentityIdentifiers(TypedDict, total=False):
    """`identifiers` of an identity."""

    entra_object_id: Text
    entra_tenant_id: Text
    ad_object_guid: Text
    ad_sid: Text
    sid_history: Separated
    immutable_id: Text
    upn: Text
    emails: Separated
    employee_id: Text
    sam_account_name: Text
    domain: Text
    login_names: Texts
    okta_id: Text


@with_config(STRICT)
class ApplicationIdentifiers(TypedDict, total=False):
    """`identifiers` of an application."""

    app_id: Text
    tenant_id: Text
    object_id: Text
    service_principal_id: Text
    entity_id: Text
    reply_urls: Texts
    name: Text
    cmdb_id: Text
    cpe: Text


@with_config(STRICT)
class Attributes(TypedDict, total=False):
    """`attributes`: descriptive, never identifying."""

    os: Text
    os_version: Text
    model: Text
    owner: Text


@with_config(STRICT)
class Observation(TypedDict, total=False):
    """What every line may have. `identifiers` are those of its kind."""

    record: Required[Name]
    product: Required[Name]
    observed_at: datetime | None
    first_seen: datetime | None
    last_seen: datetime | None
    scope: Text
    state: Literal["active", "retired"] | None
    attributes: Attributes | None


class DeviceObservation(Observation, total=False):
    """One line about a device."""

    identifiers: DeviceIdentifiers | None


class IdentityObservation(Observation, total=False):
    """One line about an account."""

    identifiers: IdentityIdentifiers | None


class ApplicationObservation(Observation, total=False):
    """One line about an application."""

    identifiers: ApplicationIdentifiers | None


AnyObservation = Mapping[str, Any]
IDENTIFIERS: dict[str, type] = {
    "device": DeviceIdentifiers,
    "identity": IdentityIdentifiers,
    "application": ApplicationIdentifiers,
}
SHAPES: dict[str, type] = {
    "device": DeviceObservation,
    "identity": IdentityObservation,
    "application": ApplicationObservation,
}


@cache
def shape_of(kind: Kind) -> TypeAdapter[AnyObservation]:
    """What checks the lines of a kind."""
    return TypeAdapter(SHAPES[kind])


def read_observations(path: Path, kind: Kind) -> list[AnyObservation]:
    """The observations of a file; blank lines are skipped.

    Raises:
        InvalidObservation: the first line that is none.
    """
    found = []
    validated = shape_of(kind).validate_python
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            if not line.strip():
                continue
            place = f"{path.name}, line {number}"
            try:
                observation = validated(orjson.loads(line))
                if _SEVENTEEN in line.translate(_DIGITS) and LONG_NUMBER.search(line):
                    observation = validated(json.loads(line, parse_int=_exactly))
                found.append(observation)
            except orjson.JSONDecodeError as error:
                raise InvalidObservation(
                    f"{place} is not valid JSON: {error.msg} at character {error.pos + 1}; "
                    f"expected one JSON object a line, such as {EXAMPLE}"
                ) from error
            except ValidationError as error:
                problems = [_problem(kind, problem) for problem in error.errors()]
                more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
                raise InvalidObservation(
                    f"{place} is no {kind} observation: {'; '.join(problems[:5])}{more}"
                ) from error
    return found


def _exactly(digits: str) -> int | str:
    """A whole number, as text where it is too long to count anything."""
    return int(digits) if len(digits) < 17 else digits


#: Characters of a wrong value that are shown.
MOST_SHOWN = 60


def _problem(kind: Kind, problem: Any) -> str:
    """One mistake of a line: where, what, and what is expected."""
    loc = [str(part) for part in problem["loc"]]
    place, text, given = ".".join(loc), problem["msg"], problem["input"]
    if problem["type"] == "extra_forbidden":
        shape = SHAPES[kind]
        if loc[0] == "identifiers" and len(loc) > 1:
            shape = IDENTIFIERS[kind]
        elif loc[0] == "attributes" and len(loc) > 1:
            shape = Attributes
        text = f"unknown key; expected are {', '.join(get_type_hints(shape))}"
    elif problem["type"] == "string_pattern_mismatch":
        text = "expected some text, not blanks"
    elif problem["type"].startswith("datetime"):
        text += f"; expected is a date such as 2026-11-20T10:00:00Z, not {_shown(given)}"
    elif problem["type"] == "dict_type":
        text = "expected an object with keys" if place else "expected one JSON object a line, such as " + EXAMPLE
    elif place and isinstance(given, str | int | float):
        text += f", not {_shown(given)}"
    return f"{place}: {text}" if place else text


def _shown(given: object) -> str:
    """A wrong value as it stands in the line."""
    return (
        orjson.dumps(given[:MOST_SHOWN]).decode()
        if isinstance(given, str)
        else orjson.dumps(given).decode()[:MOST_SHOWN]
    )


def _moment(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is None:
        return value
    try:
        return value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # 0001-01-01 and 9999-12-31 with an offset: "no date" and "never"
        return value.replace(tzinfo=None)


def _place(observation: AnyObservation) -> tuple[str, str]:
    """Instance and record id, as the record's key tells them."""
    parts = record_parts(observation["record"])
    return parts[1] if len(parts) == 3 and parts[0] == observation["product"] else "default", parts[-1]


@cache
def _looks_from_outside(product: str) -> Literal["", "scanner", "looker"]:
    words = re.split(r"[^a-z0-9]+", product.lower())
    names = {"".join(words), *words}
    if names & LOOKERS:
        return "looker"
    return "scanner" if names & SCANNERS or words[-1].endswith("scanner") else ""


def _authority(product: str) -> str:
    """What the records of a product may do, see `intake.number_records`."""
    return {"": "create", "scanner": "known", "looker": "update"}[_looks_from_outside(product)]


def to_table(observations: Sequence[AnyObservation], kind: Kind) -> pa.Table:
    """Observations as an Arrow table with those columns of the models that any of them tells."""
    given = [observation.get("identifiers") or {} for observation in observations]
    places = [_place(observation) for observation in observations]
    columns: dict[str, list[Any]] = {
        "record": [observation["record"] for observation in observations],
        "product": [observation["product"] for observation in observations],
        "instance": [instance for instance, _ in places],
        "record_id": [record_id for _, record_id in places],
        "scope": [observation.get("scope") for observation in observations],
        "state": [observation.get("state") or "active" for observation in observations],
        "authority": ["create"] * len(given),
    }
    for name in ("observed_at", "first_seen", "last_seen"):
        columns[name] = [_moment(observation.get(name)) for observation in observations]
    for name in get_type_hints(IDENTIFIERS[kind]):
        columns[name] = [identifiers.get(name) for identifiers in given]
    if kind == "device":
        columns["agent_ids"] = [
            [f"{name}={value}" for name, values in (agents or {}).items() for value in values]
            for agents in columns["agent_ids"]
        ]
        columns["authority"] = [_authority(product) for product in columns["product"]]
        attributes = [observation.get("attributes") or {} for observation in observations]
        for name in get_type_hints(Attributes):
            columns["os_platform" if name == "os" else name] = [told.get(name) for told in attributes]
    types = {name: TYPES[sql] for name, sql in (COMMON | COLUMNS[kind]).items()}
    return pa.table(
        {name: pa.array(values, types[name]) for name, values in columns.items() if name in COMMON or any(values)}
    )
