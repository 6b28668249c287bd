"""Records as they are landed: as they came, with a key of their own, and without what nobody should land.

Raw configurations and scan reports hold start-up scripts, environments, secrets that were found, and text for people by the
megabyte: that is taken out, in place. Dates, lists and names are read by the staging models, of all records at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from connector_assets.kit import Record

#: A number from here on is milliseconds.
MILLISECONDS_FROM = 100_000_000_000
END_OF_TIME = 253402300800
ZERO = "0001-01-01"

#: What tells a machine in the description that its cloud gives of it. Beside it lie start-up scripts and passwords.
TELLING = frozenset(
    "instanceId id arn selfLink hostname privateDnsName publicDnsName platformDetails instanceType machineType state "
    "powerState status vpcId subnetId networkInterfaces privateIpAddress publicIpAddress".split()
)


def moment(value: Any) -> Any:
    """ISO 8601 in UTC of a date in any form the vendor uses; None for none of them said, what is no date as it came.

    Text in any precision, 'Oct 31 2025', seconds or milliseconds as number or text. Year 1, zero and '' are no date.
    """
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    if not text or text.startswith(ZERO):
        return None
    try:
        number = float(text)
    except ValueError:
        return written(text.upper()) or value
    seconds = number / 1000 if number >= MILLISECONDS_FROM else number
    return stamp(datetime.fromtimestamp(seconds, UTC)) if 0 < seconds < END_OF_TIME else None


def written(text: str) -> str | None:
    for read in (datetime.fromisoformat, lambda day: datetime.strptime(day, "%b %d %Y")):
        try:
            found = read(text)
        except ValueError:
            continue
        return stamp(found if found.tzinfo else found.replace(tzinfo=UTC))
    return None


def stamp(found: datetime) -> str:
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dicts(value: Any) -> list[Record]:
    """The objects in a list, or the one that stands alone."""
    return [item for item in (value if isinstance(value, list) else (value,)) if isinstance(item, dict)]


def asset_key(record: Mapping[str, Any], name: str = "unifiedAssetId") -> str | None:
    """What an asset is known by in inventory, search and alerts: its unified id, or its resource name where it has none."""
    return record.get(name) or record.get("rrn") or None


def name_by_rrn(record: Record) -> None:
    """Give an asset without its id at its cloud the last part of its resource name, which is the same, encoded."""
    if not record.get("id"):
        parts = str(record.get("rrn") or "").split(":", 6)
        record["id"] = unquote(parts[6]) if len(parts) == 7 else None


def tagged(tags: Any, wanted: str) -> str | None:
    """The value of a tag, from a map or from a list of pairs; names are compared without case."""
    if not wanted:
        return None
    pairs = tags.items() if isinstance(tags, dict) else ((pair.get("key"), pair.get("value")) for pair in dicts(tags))
    return next((str(value) for key, value in pairs if str(key).lower() == wanted.lower() and value), None)


# Posture -------------------------------------------------------------------------------------------------------------


def read_assets(records: list[Any], snapshot: Any) -> None:
    """Assets of the inventory with the policies they fail; those they pass are thousands, and say nothing."""
    for record in dicts(records):
        policies = record.pop("scannedPolicies", None)
        record["failedPolicies"] = [policy for policy in dicts(policies) if policy.get("passed") is False]
        record["asset_key"] = asset_key(record)
        record["snapshot"] = snapshot
        name_by_rrn(record)


def read_alerts(records: list[Any]) -> None:
    """Alerts without the raw configuration of what they are about."""
    for record in dicts(records):
        resource = record.get("resource")
        if isinstance(resource, dict):
            resource.pop("data", None)
            resource.pop("additionalInfo", None)
            record["asset_key"] = asset_key(resource)
            name_by_rrn(resource)


def read_configurations(records: list[Any], api_name: str, criticality_tag: str) -> None:
    """Resources of the config search; of the cloud's own JSON only what tells a machine."""
    for record in dicts(records):
        given = record.pop("data", None)
        data = given if isinstance(given, dict) else {}
        record["asset_key"] = asset_key(record, "assetId")
        record["api_name"] = api_name
        record["tags"] = tags = record.get("tags") or data.get("tags") or data.get("labels")
        record["criticality"] = tagged(tags, criticality_tag)
        record["machine"] = machine(data)
        name_by_rrn(record)


def machine(data: Mapping[str, Any]) -> Record:
    """What tells a machine, of the description that its cloud gives of it."""
    told = {name: value for name, value in data.items() if name in TELLING}
    if "properties" in "".join(data):
        told["vmId"] = prop(data, "vmId")
        told["computerName"] = prop(data, "osProfile", "computerName")
        told["osType"] = prop(data, "storageProfile", "osDisk", "osType")
        told["vmSize"] = prop(data, "hardwareProfile", "vmSize")
        told["cards"] = prop(data, "networkProfile", "networkInterfaces")
    return told


def prop(data: Mapping[str, Any], first: str, *below: str) -> Any:
    """A property of an Azure resource: nested under properties, or flattened into "['properties.osProfile']"."""
    inner = data.get("properties")
    value = inner.get(first) if isinstance(inner, dict) else None
    if value is None:
        value = data.get(f"['properties.{first}']", data.get(f"properties.{first}"))
    for name in below:
        value = value.get(name) if isinstance(value, dict) else None
    return value


# Compute -------------------------------------------------------------------------------------------------------------

#: Of a scan, beside what is too much of it: what the stream drops anyway, which costs less here than once it is written.
LEFT_OUT = ("packages", "history", "binaries", "Secrets", "foundSecrets", "secret")
IMAGE_LEFT_OUT = ("env", "entrypoint", "healthcheck", "history")
CONTAINER = ("_id", "hostname", "scanTime", "agentless")
CONTAINER_INFO = (
    *("name", "image", "imageID", "imageName", "cluster", "clusterType", "namespace", "app", "infra", "id"),
    *("startTime", "cloudMetadata"),
)


def leave_out(record: Record, names: tuple[str, ...]) -> None:
    for name in names:
        record.pop(name, None)


def read_hosts(records: list[Any], criticality_tag: str) -> None:
    read_scans(records)
    if criticality_tag:
        for record in dicts(records):
            cloud = record.get("cloudMetadata")
            labels = dicts(cloud.get("labels")) if isinstance(cloud, dict) else []
            record["criticality"] = tagged([*labels, *dicts(record.get("externalLabels"))], criticality_tag)


def read_scans(records: list[Any]) -> None:
    """Hosts or images without what was found of secrets, and without the text on each weakness, megabytes on an image."""
    for record in dicts(records):
        leave_out(record, LEFT_OUT)
        if isinstance(image := record.get("image"), dict):
            leave_out(image, IMAGE_LEFT_OUT)
        for weakness in record.get("vulnerabilities") or ():
            if isinstance(weakness, dict):
                weakness.pop("description", None)


def read_containers(records: list[Any]) -> None:
    """Containers cut to what says which image runs where: commands and environments are all around it."""
    for place, record in enumerate(records):
        if isinstance(record, dict):
            given = record.get("info")
            info = given if isinstance(given, dict) else {}
            records[place] = kept = {name: record.get(name) for name in CONTAINER}
            kept["info"] = {name: info[name] for name in CONTAINER_INFO if name in info}
