"""Cortex Cloud: searches by window, and vulnerability findings as one stream or by page tokens that end.

What is wrong with a request is told with HTTP 400 and an error in the reply. A search without an order begins somewhere
else each time. What may go wrong is told by `service.state`: "answers" is a list of answers given instead, in turn (None:
the true one; a function changes the true one), "inactive" names assets that are gone at their cloud.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, CursorExpired, Refusal, Request, Response, Route, Service
from demo_estate.lenses import Answer, Lens, View
from demo_estate.lenses.cortex_cloud import records
from demo_estate.truth import Truth

MOST_ASSETS, MOST_ISSUES, MOST_FINDINGS = 1000, 100, 10_000
#: As few findings come as one list instead of lines (option of an instance: inline).
INLINE = 10
#: Seconds for which a page token is good.
TOKEN_LIFE = 300.0
#: Seconds by which a signature's time may be off.
SKEW = 300.0
DAY = 86400.0
SHOWN = frozenset({"replaced_instance"})


def covers(truth: Truth, index: int) -> bool:
    return truth.device_kind(index) == "cloud_vm"


def credentials(view: View) -> Mapping[str, str]:
    return {"api_key": view.truth.hex_id(128, view.instance.name, "api key")}


def key_type(view: View) -> str:
    return str(view.instance.options.get("key_type", "advanced"))


def key_id(view: View) -> str:
    return str(view.truth.number(view.instance.name, "key id") % 900 + 100)


def options(view: View, base_url: str) -> Mapping[str, Any]:
    return {"api_key_id": key_id(view), "key_type": key_type(view)}


def authenticate(request: Request, service: Service) -> None:
    key, told = service.credentials["api_key"], request.header("Authorization")
    good = request.header("x-xdr-auth-id") == key_id(service.view)
    if key_type(service.view) == "advanced":
        nonce, stamp = request.header("x-xdr-nonce"), request.header("x-xdr-timestamp")
        used = service.state.setdefault("nonces", set())
        timely = stamp.isdecimal() and abs(time.time() - int(stamp) / 1000) <= SKEW
        signed = hashlib.sha256(f"{key}{nonce}{stamp}".encode()).hexdigest()
        good = good and told == signed and len(nonce) == 64 and timely and nonce not in used
        used.add(nonce)
    else:
        good = good and told == key
    if not good:
        raise Refusal(401, "unauthorized", "Public API request unauthorized")
    request.caller = request.header("x-xdr-auth-id")


def error(request: Request, status: int, reason: str, message: str) -> Response:
    return Response({"reply": {"err_code": status, "err_msg": message, "err_extra": None}}, status)


def planned(handler: Callable[[Request, Service], Any]) -> Callable[[Request, Service], Any]:
    def answer(request: Request, service: Service) -> Any:
        plans = service.state.get("answers") or []
        plan = plans.pop(0) if plans else None
        if plan is not None and not callable(plan):
            return plan
        found = handler(request, service)
        return plan(found) if plan is not None else found

    return answer


def asked(request: Request) -> dict[str, Any]:
    body = request.json()
    data = body.get("request_data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise Refusal(400, "bad_request", "request_data is missing")
    return data


def window(data: Mapping[str, Any], most: int) -> tuple[int, int]:
    start, end = data.get("search_from", 0), data.get("search_to", most)
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end or end - start > most:
        raise Refusal(400, "bad_request", f"search_from and search_to must span 1 to {most} records")
    return start, end


Unit = tuple[str, Any]
Test = Callable[[records.Record], bool]


def units(service: Service) -> Iterator[tuple[str, Unit]]:
    """(asset id, what it is of) of every asset."""
    view = service.view
    for found in view.truth.cloud_accounts:
        yield records.account_id(view, found[1]), ("account", found)
        yield records.role(view, found[0], found[1])["xdm.asset.id"], ("role", found)
    for number in range(view.truth.cloud_resource_count):
        yield records.resource_id(view, number), ("resource", number)
    for index in service.device_indexes():
        yield records.machine_id(view, index), ("machine", index)


def record(service: Service, unit: Unit, on_demand: frozenset[str] = frozenset()) -> records.Record:
    view, (kind, what) = service.view, unit
    if kind == "account":
        found = records.account(view, *what)
    elif kind == "role":
        found = records.role(view, what[0], what[1])
    elif kind == "resource":
        found = records.resource(view, view.truth.cloud_resource(what))
    else:
        found = records.machine(view, view.device(what), on_demand)
    if found["xdm.asset.id"] in service.state.get("inactive", ()):
        found["xdm.asset.insights.is_inactive"] = True
    return found


def assets(request: Request, service: Service) -> Any:
    data = asked(request)
    start, end = window(data, MOST_ASSETS)
    on_demand = frozenset(map(str, data.get("on_demand_fields") or ()))
    ordered = service.cached("assets", lambda: [unit for _, unit in sorted(units(service), key=lambda one: one[0])])
    total = len(ordered)
    if filters := data.get("filters"):
        wanted = tests(filters)
        ordered = service.cached(
            ("assets", orjson.dumps(filters)),
            lambda: [unit for unit in ordered if all(test(record(service, unit)) for test in wanted)],
        )
    sort = data.get("sort")
    if not sort:
        turn = service.state["turn"] = service.state.get("turn", 0) + 7
        ordered = ordered[turn % max(1, len(ordered)) :] + ordered[: turn % max(1, len(ordered))]
    elif sort == [{"FIELD": "xdm.asset.strong_id", "ORDER": "ASC"}]:
        # every asset has one, and no two of an instance share it
        ordered = sorted(ordered, key=lambda unit: str(record(service, unit)["xdm.asset.strong_id"]))
    elif sort != [{"FIELD": "xdm.asset.id", "ORDER": "ASC"}]:
        raise Refusal(400, "bad_request", "sort must be a list of FIELD and ORDER")
    rows = [record(service, unit, on_demand) for unit in ordered[start:end]]
    return {"reply": {"data": rows, "metadata": {"filter_count": len(ordered), "total_count": total}}}


def tests(filters: Any) -> list[Test]:
    """Conditions joined by AND. Raises Refusal for anything else."""
    found: list[Test] = []
    for one in filters.get("AND", ()) if isinstance(filters, dict) and set(filters) == {"AND"} else (None,):
        if not isinstance(one, dict) or set(one) != {"SEARCH_FIELD", "SEARCH_TYPE", "SEARCH_VALUE"}:
            raise Refusal(
                400, "bad_request", "a filter must have the form AND of SEARCH_FIELD, SEARCH_TYPE, SEARCH_VALUE"
            )
        field, kind, value = one["SEARCH_FIELD"], one["SEARCH_TYPE"], one["SEARCH_VALUE"]
        if (field, kind) == ("xdm.asset.type.category", "EQ"):
            found.append(lambda row, value=value: row["xdm.asset.type.category"] == value)  # type: ignore[misc]
        elif kind == "GTE" and field in ("xdm.asset.last_observed", "LAST_OBSERVED") and isinstance(value, int):
            name = "last_observed" if field == "LAST_OBSERVED" else field
            found.append(lambda row, name=name, value=value: row[name] >= value)  # type: ignore[misc]
        else:
            raise Refusal(400, "bad_request", f"unsupported filter {kind} on {field}")
    return found


def issues(request: Request, service: Service) -> Any:
    data = asked(request)
    start, end = window(data, MOST_ISSUES)
    if data.get("sort") not in (None, {"field": "id", "keyword": "asc"}):
        raise Refusal(400, "bad_request", "sort must be an object of field and keyword")
    domains: set[str] = set()
    for one in data.get("filters") or ():
        if not isinstance(one, dict) or one.get("field") != "issue_domain" or one.get("operator") != "in":
            raise Refusal(400, "bad_request", "unsupported filter")
        domains |= {str(value).upper() for value in one["value"]}
    found = service.cached("issues", lambda: all_issues(service))
    fitting = [row for row in found if not domains or row["domain"] in domains]
    if not data.get("sort"):
        fitting = fitting[::-1]
    return {"reply": {"DATA": fitting[start:end], "TOTAL_COUNT": len(found), "FILTER_COUNT": len(fitting)}}


def all_issues(service: Service) -> list[records.Record]:
    rows = (row for _, unit in units(service) for row in records.issues(service.view, record(service, unit)))
    return sorted(rows, key=lambda row: int(row["id"]))


def all_findings(service: Service, filters: Any) -> Iterator[records.Record]:
    wanted = tests(filters) if filters else []
    for index in service.device_indexes():
        for row in records.findings(service.view, service.view.device(index)):
            if all(test(row) for test in wanted):
                yield row


def snapshot(request: Request, service: Service) -> Response:
    data = asked(request)
    most = data.get("limit")
    rows = list(all_findings(service, data.get("filter")))
    rows = rows if most is None else rows[: int(most)]
    if len(rows) <= int(service.instance.options.get("inline", INLINE)):
        return Response(rows)
    lines = [orjson.dumps(row) + b"\n" for row in rows]
    # a blank line now and then keeps the connection open
    lines.insert(len(lines) // 2, b"\n")
    return Response(b"".join(lines) + b"\n", content_type="application/x-ndjson")


def search(request: Request, service: Service) -> Any:
    data = asked(request)
    size = data.get("page_size", 1000)
    if not isinstance(size, int) or not 1 <= size <= MOST_FINDINGS:
        raise Refusal(400, "bad_request", f"page_size must be between 1 and {MOST_FINDINGS}")
    start = 0
    if token := data.get("next_page_token"):
        try:
            start = int(service.cursors.decode(token)["row"])
        except CursorExpired as late:
            raise Refusal(400, "bad_request", "Invalid filter parameters or expired page token") from late
        except ValueError as wrong:
            raise Refusal(400, "bad_request", "The page token is not valid") from wrong
    rows = list(all_findings(service, data.get("filter")))
    following = service.cursors.encode({"row": start + size}) if start + size < len(rows) else None
    counts = {"filter_count": len(rows), "total_count": len(rows)}
    return {"reply": {"data": rows[start : start + size], **counts, "next_page_token": following}}


def reset(service: Service) -> None:
    service.cursors.ttl = TOKEN_LIFE
    # the next day of the timeline begins without any time having passed
    service.buckets = buckets()


def buckets() -> Mapping[str, Bucket]:
    return {"api": Bucket(600, 60.0), "search": Bucket(1000, DAY), "snapshot": Bucket(10, DAY)}


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for device in view.devices():
        cloud = device.cloud
        assert cloud is not None
        tags = truth.quirks(device.index) & SHOWN
        # Azure's name of a machine stands for its id, unless the next machine has it again
        named = cloud.provider == "gcp" or (cloud.provider == "azure" and bool(tags))
        proof = machine_evidence(
            names=[device.hostname] if cloud.provider != "aws" else [],
            ids=[cloud.resource_id if named else cloud.instance_id],
        )
        yield Answer("device", records.machine_id(view, device.index), device.truth_id, tags, proof)
    for found in truth.cloud_resources():
        yield Answer("cloud_resource", records.resource_id(view, found.index), found.truth_id)
    for _, account, _ in truth.cloud_accounts:
        yield Answer("cloud_resource", records.account_id(view, account), f"acc-{account}")


def rows(body: Any) -> list[Any] | None:
    if isinstance(body, list):
        return body
    reply = body.get("reply") if isinstance(body, dict) else None
    found = (reply.get("data", reply.get("DATA")) if isinstance(reply, dict) else None) or None
    return found if isinstance(found, list) else None


FINDINGS = "/vulnerability-management/v1/vulnerability-finding"

LENS = Lens(
    product="cortex_cloud",
    routes=(
        Route("POST", "/public_api/v1/assets", planned(assets), bucket="api"),
        Route("POST", "/public_api/v1/issue/search", planned(issues), bucket="api"),
        Route("POST", f"{FINDINGS}/snapshot", planned(snapshot), bucket="snapshot"),
        Route("POST", f"{FINDINGS}/search", planned(search), bucket="search"),
    ),
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    authenticate=authenticate,
    error=error,
    rows=rows,
    reset=reset,
    buckets=buckets,
)
