"""Records as they are landed: dates in one form, lists where lists belong, and of raw configurations only what is wanted.

Raw configurations and scan reports hold what nobody should land: start-up scripts, environments, secrets that were found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from connector_assets.kit import Record

#: A number from here on is milliseconds.
MILLISECONDS_FROM = 100_000_000_000
END_OF_TIME = 253402300800
ZERO = "0001-01-01"

#: Name of a member, in small letters -> the kind of address in it.
ADDRESSES = {
    **dict.fromkeys(("privateipaddress", "networkip"), "private"),
    **dict.fromkeys(("publicip", "publicipaddress", "natip", "ipaddress"), "public"),
    "macaddress": "mac",
}
NESTED = (dict, list)


def moment(value: Any) -> Any:
    """ISO 8601 in UTC of a date in any form the vendor uses; None for none of them said, what is no date as it came.

    Text in any precision, 'Oct 31 2025', seconds or milliseconds as number or text. Year 1, zero and '' are no date.
    """
    try:
        return dated(value)
    except TypeError:  # a list or an object, which nothing can remember
        return value


# a vulnerability's dates come again with every host that has it: they are read once; true is not 1
@lru_cache(maxsize=20_000, typed=True)
def dated(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    if not text or text.startswith(ZERO):
        return None
    try:
        number = float(text)
    except ValueError:
        return written(text) or value
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


def as_list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in as_list(value) if isinstance(item, dict)]


def names(value: Any) -> list[str]:
    """The names in a list of names, a map by name, or one name alone."""
    return [str(item) for item in (value if isinstance(value, dict) else as_list(value)) if item not in (None, "")]


def asset_key(record: Mapping[str, Any], name: str = "unifiedAssetId") -> str | None:
    """What an asset is known by in inventory, search and alerts: its unified id, or its resource name where it has none."""
    return record.get(name) or record.get("rrn") or None


def cloud_id(record: Mapping[str, Any]) -> Any:
    """An asset's id at its cloud, which is the last part of its resource name too, encoded."""
    parts = str(record.get("rrn") or "").split(":", 6)
    return record.get("id") or (unquote(parts[6]) if len(parts) == 7 else None)


def tagged(tags: Any, wanted: str) -> str | None:
    """The value of a tag, from a map or from a list of pairs; names are compared without case."""
    if not wanted:
        return None
    pairs = tags.items() if isinstance(tags, dict) else ((pair.get("key"), pair.get("value")) for pair in dicts(tags))
    return next((str(value) for key, value in pairs if str(key).lower() == wanted.lower() and value), None)


# Posture -------------------------------------------------------------------------------------------------------------


def asset(record: Any, snapshot: Any = None) -> Any:
    """An asset of the inventory with the policies it fails; those it passes are thousands, and say nothing."""
    if not isinstance(record, dict):
        return record
    kept = {name: value for name, value in record.items() if name != "scannedPolicies"}
    failed = [policy for policy in dicts(record.get("scannedPolicies")) if policy.get("passed") is False]
    return {
        **kept,
        "asset_key": asset_key(record),
        "id": cloud_id(record),
        "failedPolicies": failed,
        "snapshot": snapshot,
    }


def alert(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    resource = record.get("resource")
    resource = resource if isinstance(resource, dict) else {}
    history = [{**entry, "modifiedOn": moment(entry.get("modifiedOn"))} for entry in dicts(record.get("history"))]
    about = {**resource, "id": cloud_id(resource)}
    return {**record, "asset_key": asset_key(resource), "resource": about, "history": history}


def configuration(record: Any, api_name: str, criticality_tag: str) -> Any:
    """A resource of the config search; of the cloud's own JSON only what tells a machine."""
    if not isinstance(record, dict):
        return record
    given = record.get("data")
    data = given if isinstance(given, dict) else {}
    tags = record.get("tags") or data.get("tags") or data.get("labels")
    return {
        **{name: value for name, value in record.items() if name != "data"},
        "asset_key": asset_key(record, "assetId"),
        "id": cloud_id(record),
        "api_name": api_name,
        "tags": tags,
        "criticality": tagged(tags, criticality_tag),
        "machine": machine(data),
    }


def machine(data: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a machine, from the description that its cloud gives of it."""
    system = prop(data, "osProfile")
    cards = [data.get("networkInterfaces"), prop(data, "networkProfile", "networkInterfaces")]
    found = addresses([cards, {name: data.get(name) for name in ("privateIpAddress", "publicIpAddress")}])
    hosts = (
        system.get("computerName") if isinstance(system, dict) else None,
        data.get("hostname"),
        data.get("privateDnsName"),
    )
    state = data.get("state")
    return {
        "id": next(
            (str(value) for value in (data.get("instanceId"), prop(data, "vmId"), data.get("id")) if value), None
        ),
        "arn": data.get("arn"),
        "selfLink": data.get("selfLink"),
        "hostNames": [host for host in hosts if isinstance(host, str) and host],
        "ipAddresses": sorted(found["private"] | found["public"]),
        "publicIpAddresses": sorted(found["public"]),
        "publicDnsName": data.get("publicDnsName") or None,
        "macAddresses": sorted(found["mac"]),
        "operatingSystem": prop(data, "storageProfile", "osDisk", "osType") or data.get("platformDetails"),
        "size": data.get("instanceType") or prop(data, "hardwareProfile", "vmSize") or data.get("machineType"),
        "state": state.get("name") if isinstance(state, dict) else data.get("powerState") or data.get("status"),
        "vpcId": data.get("vpcId"),
        "subnetId": data.get("subnetId"),
    }


def prop(data: Mapping[str, Any], first: str, *below: str) -> Any:
    """A property of an Azure resource: nested under properties, or flattened into "['properties.osProfile']"."""
    inner = data.get("properties")
    value = inner.get(first) if isinstance(inner, dict) else None
    if value is None:
        value = data.get(f"['properties.{first}']", data.get(f"properties.{first}"))
    for name in below:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def addresses(value: Any) -> dict[str, set[str]]:
    """The addresses at any depth, by their kind; a link in place of an address is none."""
    found: dict[str, set[str]] = {"private": set(), "public": set(), "mac": set()}
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, str):
                    if (kind := ADDRESSES.get(name.lower())) and item and "/" not in item:
                        found[kind].add(item)
                elif isinstance(item, NESTED):
                    waiting.append(item)
    return found


# Compute -------------------------------------------------------------------------------------------------------------


def cloud(metadata: Any) -> dict[str, Any]:
    """Where a host runs. The provider comes as text or as a list of one."""
    given = metadata if isinstance(metadata, dict) else {}
    return {**given, "provider": next(iter(names(given.get("provider"))), None)}


#: Of a scan, beside what is too much of it: what the stream drops anyway, which costs less here than once it is nested.
LEFT_OUT = frozenset({"packages", "history", "binaries", "Secrets", "foundSecrets", "secret"})
IMAGE_LEFT_OUT = frozenset({"env", "entrypoint", "healthcheck", "history"})


def without(record: Record, names: frozenset[str]) -> Record:
    return {name: value for name, value in record.items() if name not in names}


def scanned(record: Any, criticality_tag: str = "") -> Any:
    """A host or an image: its vulnerabilities cut to what tells one, its tags and places as lists."""
    if not isinstance(record, dict):
        return record
    where = cloud(record.get("cloudMetadata"))
    labels = [*dicts(where.get("labels")), *dicts(record.get("externalLabels"))]
    kept = without(record, LEFT_OUT)
    if isinstance(image := kept.get("image"), dict):
        kept["image"] = without(image, IMAGE_LEFT_OUT)
    return {
        **kept,
        "cloudMetadata": where,
        "vulnerabilities": [vulnerability(one) for one in dicts(record.get("vulnerabilities"))],
        # one tag as an object, several as a list, and null on a host
        "tags": [*dicts(record.get("repoTag")), *dicts(record.get("tags"))],
        "instances": [{**one, "modified": moment(one.get("modified"))} for one in dicts(record.get("instances"))],
        "hostNames": names(record.get("hosts")),
        "criticality": tagged(labels, criticality_tag),
    }


def vulnerability(record: Record) -> Record:
    """What tells a vulnerability; the rest is text for people, megabytes of it on an image."""
    get = record.get
    risks, is_exploited = risks_of(get("riskFactors"))
    kind, known = get("exploit"), get("exploits")
    if not is_exploited and (kind or known):
        is_exploited = bool(names(kind)) or any(map(names, dicts(known)))
    return {
        "cve": get("cve"),
        "severity": get("severity"),
        "cvss": get("cvss"),
        "status": get("status"),
        "packageName": get("packageName"),
        "packageVersion": get("packageVersion"),
        "link": get("link"),
        "vecStr": get("vecStr"),
        "discovered": moment(get("discovered")),
        "published": moment(get("published")),
        "fixDate": moment(get("fixDate")),
        "riskFactors": risks,
        "hasExploit": is_exploited,
    }


def risks_of(given: Any) -> tuple[list[str], bool]:
    """The names of the risks, and whether one of them is an exploit."""
    if not given:
        return [], False
    try:
        return risks_named(tuple(given) if isinstance(given, dict | list) else (given,))
    except TypeError:  # an object in the list, which nothing can remember
        return risks_named.__wrapped__(given)


@lru_cache(maxsize=2000)
def risks_named(given: Any) -> tuple[list[str], bool]:
    risks = names(list(given))
    return risks, any("exploit" in risk.lower() for risk in risks)


def container(record: Any) -> Any:
    """A container cut to what says which image runs where."""
    if not isinstance(record, dict):
        return record
    given = record.get("info")
    info = given if isinstance(given, dict) else {}
    wanted = ("name", "image", "imageID", "imageName", "cluster", "clusterType", "namespace", "app", "infra", "id")
    kept = {name: info.get(name) for name in wanted}
    return {
        "_id": record.get("_id"),
        "hostname": record.get("hostname"),
        "scanTime": record.get("scanTime"),
        "agentless": record.get("agentless"),
        "info": {**kept, "cloudMetadata": cloud(info.get("cloudMetadata")), "startTime": moment(info.get("startTime"))},
    }
