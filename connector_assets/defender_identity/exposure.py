"""Rows of Microsoft's own exposure graph, unpacked from the several ways in which it writes one thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from connector_assets.defender_identity.hunting import Hunt
from connector_assets.kit import Record

#: Labels that become devices, identities and applications here. Without pruning, 99.7 % of a graph are CVEs and
#: recommendations, and a count of its edges alone runs into the time limit.
NODE_LABELS = (
    "device",
    "microsoft.compute/virtualmachines",
    "microsoft.hybridcompute/machines",
    "ec2.instance",
    "compute.instances",
    "user",
    "group",
    "serviceprincipal",
    "managedidentity",
    "Microsoft Entra OAuth App",
    "SaaS Application",
)
NESTED = (dict, list)
EDGE_LABELS = (
    "member of",
    "has role on",
    "has permissions to",
    "can authenticate as",
    "can authenticate to",
    "can impersonate as",
    "frequently logged in by",
    "runs on",
)


def one_of(column: str, labels: Iterable[str]) -> str:
    """A condition in KQL, whatever the case of the labels: documents and tenants differ in it."""
    return f"{column} in~ ({', '.join(literal(label) for label in labels)})"


def literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def nodes(labels: Iterable[str]) -> Hunt:
    return Hunt("ExposureGraphNodes", "NodeId", (f"where {one_of('NodeLabel', labels)}",))


def edges(labels: Iterable[str], between: Iterable[str]) -> Hunt:
    ends = " and ".join(one_of(f"{end}NodeLabel", between) for end in ("Source", "Target"))
    return Hunt("ExposureGraphEdges", "EdgeId", (f"where {ends}", f"where {one_of('EdgeLabel', labels)}"))


def node(row: Record) -> Record:
    """A node with its ids and properties as objects, and its effective criticality, 0 very high to 4 none."""
    raw = raw_data(row.get("NodeProperties"))
    row["Categories"] = listed(row.get("Categories"))
    row["EntityIds"] = [found for found in map(unpacked, listed(row.get("EntityIds"))) if isinstance(found, dict)]
    row["NodeProperties"] = {"rawData": raw}
    row["criticalityLevel"] = criticality(raw.get("criticalityLevel"))
    return row


def edge(row: Record) -> Record:
    """An edge with its properties as an object. They are kept as they are, so the notes on their types must go; those beside
    other columns, which have types of their own here, stay behind on the landed page."""
    row["EdgeProperties"] = plain(raw_data(row.get("EdgeProperties")))
    return row


def raw_data(properties: Any) -> Record:
    found = unpacked(properties)
    raw = unpacked(found.get("rawData")) if isinstance(found, dict) else None
    return raw if isinstance(raw, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list, or a list of one. Hunting writes a dynamic column without a value as an empty object."""
    found = unpacked(value)
    if isinstance(found, list):
        return found
    is_nothing = found is None or (isinstance(found, dict) and all("@" in name for name in found))
    return [] if is_nothing else [found]


def unpacked(value: Any) -> Any:
    """What a text holds where the text is JSON: the graph writes many objects and lists so."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def criticality(value: Any) -> int | None:
    """The level out of an object, of its JSON text, or of a plain number; the effective one, where a person set it too."""
    if value is None:
        return None
    found = unpacked(value)
    if isinstance(found, dict):
        found = found.get("criticalityLevel")
    text = str(found).strip() if isinstance(found, int | str) and not isinstance(found, bool) else ""
    return int(text) if text.isdecimal() and int(text) <= 4 else None


def plain(value: Any) -> Any:
    """A value without the notes on its types that lie beside every key ('Categories@odata.type')."""
    if isinstance(value, dict):
        return {
            name: plain(inner) if isinstance(inner, NESTED) else inner
            for name, inner in value.items()
            if "@" not in name
        }
    if isinstance(value, list):
        return [plain(inner) if isinstance(inner, NESTED) else inner for inner in value]
    return value
