"""Resolution of observations in a JSON lines file; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import pyarrow as pa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dbt_like_transforms.resolution.intake import COMMON
from dbt_like_transforms.resolution.resolve import COLUMNS, Kind, resolve

#: Products that look at addresses from outside: what they see without a name in a domain, MAC or id of its own is no
#: asset, only an address that answered.
SCANNERS = frozenset(
    {"tenable", "nessus", "qualys", "rapid7", "nexpose", "openvas", "nmap", "ip_scanner", "scanner",
     "masscan", "shodan", "censys", "network_scanner", "dhcp", "dns", "netflow"}
)  # fmt: skip
_SCANNED_BY = (
    "serial_number", "smbios_uuid", "mac_addresses", "fqdns", "entra_device_id", "ad_object_guid", "ad_sid",
    "cloud_instance_id", "imei", "agent_ids",
)  # fmt: skip


#: Records of an asset up to which all are named as possible matches.
MEMBERS_SHOWN = 32


class InvalidObservation(ValueError):
    """A line is no observation; the message names file, line, what is wrong and what is expected."""


def _listed(value: object) -> object:
    """A single value where a list is expected counts as a list of one; NULLs in a list are left out."""
    if value is None:
        return []
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return [value]


Texts = Annotated[list[str], BeforeValidator(_listed)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class DeviceIdentifiers(_Strict):
    """`identifiers` of a device."""

    serial_number: str | None = None
    manufacturer: str | None = None
    smbios_uuid: str | None = None
    mac_addresses: Texts = []
    hostnames: Texts = []
    fqdns: Texts = []
    netbios_name: str | None = None
    domain: str | None = None
    entra_device_id: str | None = None
    ad_object_guid: str | None = None
    ad_sid: str | None = None
    cloud_provider: str | None = None
    cloud_account_id: str | None = None
    cloud_instance_id: str | None = None
    cloud_resource_id: str | None = None
    imei: str | None = None
    agent_ids: dict[str, Texts] | None = None
    ip_addresses: Texts = []
    asset_tag: str | None = None


class IdentityIdentifiers(_Strict):
    """`identifiers` of an identity."""

    entra_object_id: str | None = None
    entra_tenant_id: str | None = None
    ad_object_guid: str | None = None
    ad_sid: str | None = None
    sid_history: Texts = []
    immutable_id: str | None = None
    upn: str | None = None
    emails: Texts = []
    employee_id: str | None = None
    sam_account_name: str | None = None
    domain: str | None = None
    login_names: Texts = []
    okta_id: str | None = None


class ApplicationIdentifiers(_Strict):
    """`identifiers` of an application."""

    app_id: str | None = None
    tenant_id: str | None = None
    object_id: str | None = None
    service_principal_id: str | None = None
    entity_id: str | None = None
    reply_urls: Texts = []
    name: str | None = None
    cmdb_id: str | None = None


class Attributes(_Strict):
    """`attributes`: descriptive, never identifying."""

    os: str | None = None
    os_version: str | None = None
    model: str | None = None
    owner: str | None = None


class Observation(_Strict):
    """What every line has."""

    record: str = Field(min_length=1, pattern=r"\S")
    product: str = Field(min_length=1, pattern=r"\S")
    observed_at: datetime | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    scope: str | None = None
    state: Literal["active", "retired"] | None = None
    attributes: Attributes | None = None


class DeviceObservation(Observation):
    """One line about a device."""

    identifiers: DeviceIdentifiers | None = None


class IdentityObservation(Observation):
    """One line about an account."""

    identifiers: IdentityIdentifiers | None = None


class ApplicationObservation(Observation):
    """One line about an application."""

    identifiers: ApplicationIdentifiers | None = None


IDENTIFIERS: dict[str, type[_Strict]] = {
    "device": DeviceIdentifiers,
    "identity": IdentityIdentifiers,
    "application": ApplicationIdentifiers,
}
EXAMPLE = '{"record": "tenable:prod:17", "product": "tenable", "identifiers": {}}'
AnyObservation = DeviceObservation | IdentityObservation | ApplicationObservation
SHAPES: dict[str, type[AnyObservation]] = {
    "device": DeviceObservation,
    "identity": IdentityObservation,
    "application": ApplicationObservation,
}


def read_observations(path: Path, kind: Kind) -> list[AnyObservation]:
    """The observations of a file; blank lines are skipped.

    Raises:
        InvalidObservation: the first line that is none.
    """
    found = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            if not line.strip():
                continue
            place = f"{path.name}, line {number}"
            try:
                found.append(SHAPES[kind].model_validate(orjson.loads(line)))
            except orjson.JSONDecodeError as error:
                raise InvalidObservation(f"{place} is not valid JSON: {error}") from error
            except ValidationError as error:
                problems = [_problem(kind, problem) for problem in error.errors(include_input=False)]
                more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
                raise InvalidObservation(
                    f"{place} is no {kind} observation: {'; '.join(problems[:5])}{more}"
                ) from error
    return found


def _problem(kind: Kind, problem: Any) -> str:
    """One mistake of a line: where, what, and what is expected."""
    loc = [str(part) for part in problem["loc"]]
    place, text = ".".join(loc), problem["msg"]
    if problem["type"] == "extra_forbidden":
        shape: Any = SHAPES[kind]
        if loc[0] == "identifiers" and len(loc) > 1:
            shape = IDENTIFIERS[kind]
        elif loc[0] == "attributes" and len(loc) > 1:
            shape = Attributes
        text = f"unknown key; expected are {', '.join(shape.model_fields)}"
    elif problem["type"] == "string_pattern_mismatch":
        text = "expected some text, not blanks"
    elif problem["type"] in ("model_type", "dict_type"):
        text = "expected an object with keys" if place else "expected one JSON object a line, such as " + EXAMPLE
    return f"{place}: {text}" if place else text


def _moment(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is None:
        return value
    try:
        return value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # 0001-01-01 and 9999-12-31 with an offset: "no date" and "never"
        return value.replace(tzinfo=None)


def _row(observation: AnyObservation, kind: Kind) -> dict[str, Any]:
    """An observation as the models know it."""
    product, instance = observation.product, "default"
    parts = observation.record.split(":", 2)
    if len(parts) == 3 and parts[0] == product:
        instance = parts[1]
    row: dict[str, Any] = dict.fromkeys(COMMON | COLUMNS[kind])
    row |= {
        "record": observation.record,
        "product": product,
        "instance": instance,
        "record_id": parts[-1],
        "scope": observation.scope,
        "observed_at": _moment(observation.observed_at),
        "first_seen": _moment(observation.first_seen),
        "last_seen": _moment(observation.last_seen),
        "state": observation.state or "active",
        "authority": "create",
    }
    identifiers = observation.identifiers
    given = identifiers.model_dump() if identifiers is not None else {}
    if kind == "device":
        agents = given.pop("agent_ids", None) or {}
        given["agent_ids"] = [f"{name}={value}" for name, values in agents.items() for value in values]
        if product.lower() in SCANNERS and not any(given.get(name) for name in _SCANNED_BY):
            row["authority"] = "update"
        attributes = observation.attributes or Attributes()
        given |= {"os_platform": attributes.os, "os_version": attributes.os_version, "model": attributes.model,
                  "owner": attributes.owner}  # fmt: skip
    return row | given


def to_table(observations: list[AnyObservation], kind: Kind) -> pa.Table:
    """Observations as an Arrow table with the columns of the models."""
    types = {
        "VARCHAR": pa.string(),
        "VARCHAR[]": pa.list_(pa.string()),
        "TIMESTAMP": pa.timestamp("us"),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
    }
    schema = pa.schema([(name, types[sql]) for name, sql in (COMMON | COLUMNS[kind]).items()])
    return pa.Table.from_pylist([_row(observation, kind) for observation in observations], schema=schema)


def resolve_jsonl(path: Path | str, kind: Kind, explain: bool = False) -> Iterator[dict[str, Any]]:
    """Resolves the observations of a file: one result a record, in the order of the file.

    Each result: record, asset, state (resolved, or held when the record makes no asset; `asset` is then the id it would
    get), review (records it might belong with), links; with `explain` also decisions and contradictions.

    Raises:
        InvalidObservation: a line is no observation of the kind.
    """
    observations = read_observations(Path(path), kind)
    return resolve_observations(observations, kind, explain)


def resolve_observations(
    observations: list[AnyObservation], kind: Kind, explain: bool = False
) -> Iterator[dict[str, Any]]:
    """As `resolve_jsonl`, for observations already read."""
    if not observations:
        return
    outcome = resolve(kind, to_table(observations, kind))
    con = outcome.connection
    rows = con.execute(
        "SELECT r.record, r.idx, a.asset_id, a.held FROM _records r JOIN _clusters USING (idx) JOIN _assets a USING (cluster)"
    ).fetchall()
    by_record = {record: (idx, asset, held) for record, idx, asset, held in rows}
    name_of = {idx: record for record, idx, _, _ in rows}
    reviews = _reviews(outcome)
    links = _links(outcome, name_of, explain)
    decisions = _decisions(outcome) if explain else {}
    contradictions = outcome.contradictions() if explain else {}
    for record in dict.fromkeys(observation.record for observation in observations):
        idx, asset, held = by_record[record]
        line: dict[str, Any] = {
            "record": record,
            "asset": asset,
            "state": "held" if held else "resolved",
            "review": [name_of[other] for other in sorted(reviews.get(idx, ()))],
            "links": links.get(record, []),
        }
        if explain:
            line["decisions"] = decisions.get(record, [])
            line["contradictions"] = contradictions.get(record, [])
        yield line


def _reviews(outcome: Any) -> dict[int, set[int]]:
    """Possible matches of every record: all records of the asset that one of its own might belong with."""
    label = outcome.clusterer.partition.label.tolist()
    pairs = outcome.reviews()
    wanted = {label[row] for row in pairs}
    members: dict[int, list[int]] = {}
    for row, cluster in enumerate(label):
        if cluster in wanted:
            members.setdefault(cluster, []).append(row)
    found: dict[int, set[int]] = {}
    for row, others in pairs.items():
        for other in others:
            # Of an asset with very many records those that agree will do.
            few = len(members[label[other]]) <= MEMBERS_SHOWN
            for own in members[label[row]] if len(members[label[row]]) <= MEMBERS_SHOWN else [row]:
                found.setdefault(own, set()).update(members[label[other]] if few else [other])
    return found


def _links(outcome: Any, name_of: dict[int, str], explain: bool) -> dict[str, list[dict[str, str]]]:
    """Links of every record: those of its asset, to all records of the other asset."""
    label = outcome.clusterer.partition.label.tolist()
    wanted = {label[row] for link in outcome.link_list for row in (link.source, link.target)}
    members: dict[int, list[int]] = {}
    for row, cluster in enumerate(label):
        if cluster in wanted:
            members.setdefault(cluster, []).append(row)

    def shown(row: int) -> list[int]:
        return members[label[row]] if len(members[label[row]]) <= MEMBERS_SHOWN else [row]

    found: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for link in outcome.link_list:
        for source in shown(link.source):
            for target in shown(link.target):
                entry = {"record": name_of[target], "relationship": link.relationship}
                if explain:
                    entry["reason"] = link.reason
                found.setdefault(name_of[source], {}).setdefault((name_of[target], link.relationship), entry)
    return {record: list(entries.values()) for record, entries in found.items()}


def _decisions(outcome: Any) -> dict[str, list[dict[str, Any]]]:
    """Decisions by record; a pair is told from both sides."""
    found: dict[str, list[dict[str, Any]]] = {}
    query = outcome.decisions(with_seeds=True).order("record, verdict, rule, value, other_record")
    for record, rule, value, other, verdict, against, sentence in query.fetchall():
        entry = {"rule": rule, "value": value, "other_record": other, "verdict": verdict, "reason": sentence}
        if against is not None:
            entry["against"] = against
        found.setdefault(record, []).append(entry)
        if other is not None:
            mirrored = {**entry, "other_record": record, "reason": sentence.replace(f" as {other}", f" as {record}")}
            found.setdefault(other, []).append(mirrored)
    return found
