"""Host assets of the asset management API (QPS): every error comes with HTTP 200, lists come wrapped twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector_assets.kit import (
    Api,
    BadRequest,
    BrokenAnswer,
    ConnectorError,
    FixPermission,
    Page,
    Record,
    RepeatedCursor,
    UnexpectedContent,
)
from connector_assets.kit.answers import parse_json
from connector_assets.kit.xml_records import xml_records
from connector_assets.qualys.fo import LISTS

#: Times an answer that breaks off is asked for again.
BROKEN_TRIES = 2
#: Members that hold records: with them an answer without a code is none of the errors that come with one.
RECORDS = ("data", "assetListData")
NESTED = (dict, list)
NOT_ALLOWED = frozenset({"UNAUTHORIZED", "NOT_AUTHORIZED", "FORBIDDEN", "UNAUTHENTICATED"})


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: its assets, whether there are more, and the last id."""

    assets: list[Record]
    more: bool
    last_id: int | None


def path(api: Api) -> str:
    return f"/qps/rest/{api.options.host_assets_version}/search/am/hostasset"


def host_assets(api: Api) -> Iterator[Page]:
    """Every host asset the user may see, by rising id."""
    start: int | None = None
    while True:
        found = search(api, start, api.options.host_assets_page)
        ids = numbers(found.assets, "id")
        if start is not None and ids and min(ids) < start:
            raise RepeatedCursor(
                f"host assets: the vendor ignored startFromId {start} and began again",
                hint="what was read is kept as partial; report it to the vendor if it stays",
            )
        yield Page(found.assets, cursor=None if start is None else str(start))
        if not found.more:
            return
        last = found.last_id if found.last_id is not None else max(ids, default=None)
        if last is None or (start is not None and last < start):
            api.partial("the vendor says that there are more host assets and not after which id")
            return
        start = last + 1
        # the next page is parsed into the memory of this one
        del found


def search(api: Api, start: int | None, limit: int) -> Found:
    """The assets from an id on. Raises FixPermission, BadRequest for an error inside HTTP 200."""
    begin = f"<startFromId>{start}</startFromId>" if start is not None else ""
    body = (
        f"<ServiceRequest><preferences><limitResults>{limit}</limitResults>{begin}</preferences></ServiceRequest>"
    ).encode()
    headers = {"Content-Type": "text/xml", "Accept": "application/json"}
    tries = 0
    while True:
        tries += 1
        try:
            with api.response("POST", path(api), data=body, headers=headers, safe=True) as response:
                return read(api, response.content, api.client.where(response.url))
        except BrokenAnswer:
            if tries > BROKEN_TRIES:
                raise


def read(api: Api, body: bytes, url: str) -> Found:
    """An answer in JSON or, where the vendor keeps to it, in XML."""
    if body.lstrip()[:1] == b"<":
        answer = next((root for _, root in xml_records([body], ("ServiceResponse",), url, LISTS)), None)
    else:
        parsed = parse_json(body, url)
        answer = parsed.get("ServiceResponse") if isinstance(parsed, dict) else None
    if not isinstance(answer, dict) or not (answer.get("responseCode") or answer.get("data")):
        raise UnexpectedContent("host assets: the answer is no ServiceResponse", url=url, hint="check base_url")
    require_success(api, answer, url)
    data = answer.get("data") or []
    # JSON: [{"HostAsset": {}}]; XML: {"HostAsset": {} or [{}]}
    wrapped = data if isinstance(data, list) else [data]
    assets = [
        asset_record(asset)
        for item in wrapped
        if isinstance(item, dict)
        for asset in as_list(item.get("HostAsset", item))
    ]
    return Found(assets, str(answer.get("hasMoreRecords")).lower() in ("true", "1"), as_int(answer.get("lastId")))


def require_success(api: Api, answer: Mapping[str, Any], url: str) -> None:
    """Raise for a responseCode other than SUCCESS: HTTP says 200 all the same."""
    code = str(answer.get("responseCode") or "")
    if code.upper() == "SUCCESS" or (not code and any(answer.get(member) for member in RECORDS)):
        return
    details = answer.get("responseErrorDetails")
    said = " ".join(str(v) for v in details.values() if v) if isinstance(details, dict) else ""
    said = said or str(answer.get("responseMessage") or "")
    kind: type[ConnectorError] = FixPermission if code.upper() in NOT_ALLOWED else BadRequest
    topic, status = ("403", 403) if kind is FixPermission else ("400", None)
    message = f"{code} inside HTTP 200: {api.mask(said)[:300]}".rstrip(": ")
    raise kind(message, status=status, url=url, hint=api.client.advice(topic))


def asset_record(asset: Any) -> Any:
    """An asset with plain lists and `checked_in`, its agent's last call.

    Its vulnerabilities are left out: the detection list has them with their state.
    """
    if not isinstance(asset, dict):
        return asset
    record = {name: unwrapped(value) for name, value in asset.items() if name != "vuln"}
    agent = record.get("agentInfo")
    record["checked_in"] = agent.get("lastCheckedIn") if isinstance(agent, dict) else None
    return record


def unwrapped(value: Any) -> Any:
    """{"list": [{"TagSimple": {...}}]}, in either notation, as [{"kind": "TagSimple", ...}]; '' as None."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return [unwrapped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and "list" in value:
        return [
            members(item, {"kind": kind}) if isinstance(item, dict) else item
            for group in as_list(value["list"])
            if isinstance(group, dict)
            for kind, items in group.items()
            for item in as_list(items)
        ]
    return members(value, {})


def members(value: Record, into: Record) -> Record:
    """`into`, with all that is in an object, unwrapped."""
    for name, item in value.items():
        if isinstance(item, str):
            into[name] = item.strip() or None
        else:
            into[name] = unwrapped(item) if isinstance(item, NESTED) else item
    return into


def numbers(records: list[Any], name: str) -> list[int]:
    """The whole numbers under `name`, of the records that are records."""
    return [n for r in records if isinstance(r, dict) and (n := as_int(r.get(name))) is not None]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def as_int(value: Any) -> int | None:
    text = str(value) if value is not None else ""
    return int(text) if text.isdecimal() else None


def probe_host_assets(api: Api) -> None:
    search(api, None, 1)
