"""CyberSecurity Asset Management: what agents and sensors know of hardware and software, from the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector_assets.kit import Api, CursorGuard, Page, Record, records_of
from connector_assets.qualys.gateway import Gateway
from connector_assets.qualys.qps import as_int, numbers, require_success

INSTANCE = ("instanceId", "vmId", "instance_id")
ACCOUNT = ("accountId", "subscriptionId", "projectId", "account_id")


def path(api: Api) -> str:
    return f"/rest/{api.options.csam_version}/search/am/asset"


def csam_assets(api: Api) -> Iterator[Page]:
    """Every asset of CSAM, by rising asset id; 204 without a body is the end too."""
    if not api.options.gateway_url:
        api.skip("no gateway_url is set: CyberSecurity Asset Management is not read")
    gateway = Gateway(api)
    guard = CursorGuard("CSAM assets")
    last = 0
    while True:
        answer = page(gateway, last, api.options.csam_page)
        if answer is None:
            return
        require_success(api, answer, api.client.where(gateway.url + path(api)))
        listed = answer.get("assetListData") or {"asset": []}
        records = records_of(listed, "asset", "CSAM assets", api.mask)
        yield Page([asset_record(record) for record in records], cursor=str(last))
        more = answer.get("hasMore")
        # the mark is missing at times, and a page that is full is then no end
        if len(records) < api.options.csam_page if more is None else str(more).lower() not in ("1", "true"):
            return
        following = as_int(answer.get("lastSeenAssetId")) or max(numbers(records, "assetId"), default=None)
        if following is None:
            api.partial("the vendor says that there are more assets and not after which id")
            return
        last = guard.follow(following)
        # the next page is parsed into the memory of this one
        del answer, listed, records


def page(gateway: Gateway, last: int, size: int) -> Any:
    """One answer; None for 204."""

    def call(url: str, request: Mapping[str, Any]) -> Any:
        params = {"pageSize": size, "lastSeenAssetId": last}
        return gateway.api.client.json("POST", url, params=params, safe=True, **request)

    return gateway.asked(call, path(gateway.api))


def asset_record(record: Record) -> Record:
    """The asset with `last_activity`, its agent's, and `cloud` (provider, instance_id, account_id).

    The vendor writes the cloud as an object, or as a name alone.
    """
    if not isinstance(record, dict):
        return record
    agent = record.get("agent")
    activity = (agent.get("lastActivity") or agent.get("lastCheckedIn")) if isinstance(agent, dict) else None
    record["last_activity"], record["cloud"] = activity, cloud_of(record.get("cloudProvider"))
    return record


def cloud_of(given: Any) -> dict[str, Any] | None:
    if isinstance(given, str):
        return {"provider": given.lower()} if given else None
    if not isinstance(given, dict):
        return None
    for provider, detail in given.items():
        if not isinstance(detail, dict) or not detail:
            continue
        machine = next((part for part in detail.values() if isinstance(part, dict)), detail)
        return {
            "provider": provider.lower(),
            "instance_id": first_of(machine, INSTANCE),
            "account_id": first_of(machine, ACCOUNT),
        }
    return None


def first_of(values: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((str(values[name]) for name in names if values.get(name) not in (None, "")), None)


def probe_csam(api: Api) -> None:
    if not api.options.gateway_url:
        api.skip("no gateway_url is set")
    page(Gateway(api), 0, 1)
