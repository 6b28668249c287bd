"""The emulated answers of one product, made once and then served from memory, in a process of its own.

The first pull of a request has the demo estate make its answer; every later one gets the same bytes at once, so that what is
measured is the client and not the emulation. Rate limits are lifted: waiting is no work. `kit` is no product: it stands for
one prepared page of device records again and again, for any number of records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson

from demo_estate.kit import Bucket, Request, Response, Service
from demo_estate.kit.server import LoopbackServer
from demo_estate.lenses import discover
from demo_estate.truth import Truth

TODAY = date(2026, 11, 23)
PAGE_RECORDS = 1000
#: Stands for the page number in the prepared page of `kit`.
MARK = "P" * 20


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came, to be made again by whoever wants the same answer."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """What a client needs to know of the served product."""

    address: str
    options: Mapping[str, Any]
    credentials: Mapping[str, str]


class Replay:
    """Serves what `make` makes, each answer made once where it is kept, and writes down what was asked."""

    def __init__(self, make: Callable[[Request], Response], keep: bool) -> None:
        self.asked: list[Asked] = []
        self._make, self._keep = make, keep
        self._answers: dict[tuple[str, str, bytes], Response] = {}
        self.is_known = False

    def handle(self, request: Request) -> Response:
        self.asked.append(Asked(request.method, request.target, request.headers, request.body))
        key = (request.method, request.target, request.body)
        if self.is_known and (known := self._answers.get(key)) is not None:
            return known
        response = self._make(request)
        if self._keep:
            body, content_type = response.encode()
            response = Response(body, response.status, response.header_pairs(), content_type)
            # of a job that is polled its last state is kept: it is done
            self._answers[key] = response
        return response


def serve(product: str, size: int, pipe: Any, options: Mapping[str, Any]) -> None:
    """Serve until the pipe says "end". Sends the Place; on "asked" the requests since the last time, and forgets them.

    size: devices of the demo estate, records of `kit`. options: of the demo instance.
    """
    if product == "kit":
        replay, place = Replay(prepared_pages(max(1, size // PAGE_RECORDS)), keep=False), Place("", {}, {})
        server = LoopbackServer(replay.handle, gzip=False).start()
    else:
        service = emulated(product, size, options)
        replay = Replay(service.handle, keep=True)
        server = LoopbackServer(replay.handle, gzip=False).start()
        service.base_url = server.base_url
        place = Place("", service.lens.options(service.view, server.base_url), service.credentials)
    pipe.send(replace(place, address=server.base_url))
    while pipe.recv() != "end":
        pipe.send(replay.asked)
        replay.asked = []
        replay.is_known = True
    server.stop()


def emulated(product: str, devices: int, options: Mapping[str, Any]) -> Service:
    lens = discover([product])[product]
    instance = replace(lens.all_instances()[0], options=options)
    truth = Truth(seed=7, devices=devices, days=1, today=TODAY)
    service = Service(truth, replace(lens, instances=(instance,)), instance, 0)
    service.buckets = {name: Bucket(10**9, 1.0) for name in service.buckets}
    return service


# One page again and again ---------------------------------------------------------------------------------------------


def record(number: int) -> dict[str, Any]:
    """A device record of about 1 KB, like those of endpoint products."""
    return {
        "id": f"{MARK}{number:020x}",
        "computerDnsName": f"wks-{number:07d}.corp.example",
        "firstSeen": "2025-11-02T08:11:09.1234567Z",
        "lastSeen": "2026-02-01T06:30:00.7654321Z",
        "osPlatform": "Windows11",
        "version": "24H2",
        "osBuild": 26100,
        "healthStatus": "Active",
        "isAadJoined": True,
        "aadDeviceId": f"6f1c0000-0000-4000-8000-{number:012x}",
        "machineTags": ["office", f"site-{number % 50}"],
        "ipAddresses": [
            {
                "ipAddress": f"10.{number % 200}.{number % 250}.{number % 240}",
                "macAddress": f"{number:012X}",
                "type": kind,
            }
            for kind in ("Ethernet", "Wireless80211", "SoftwareLoopback")
        ],
        "vmMetadata": None,
        "notes": "x" * 250,
    }


def prepared_pages(pages: int) -> Callable[[Request], Response]:
    """Page after page, each with ids of its own and a link to the next."""
    body = orjson.dumps([record(number) for number in range(PAGE_RECORDS)])

    def make(request: Request) -> Response:
        page = int(request.query.get("page", 0))
        link = b',"@odata.nextLink":"%b/machines?page=%d"' % (request.base_url.encode(), page + 1)
        # the page number replaces a mark of the same length
        numbered = body.replace(MARK.encode(), b"%020d" % page)
        whole = b'{"value":' + numbered + (link if page + 1 < pages else b"") + b"}"
        return Response(whole, content_type="application/json")

    return make
