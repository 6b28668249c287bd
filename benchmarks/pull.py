"""A pull through the kit and the landing against a bare requests + orjson loop over the same pages.

    python benchmarks/pull.py --records 1000000

Both read the same pages from a server in a process of its own, one after the other, in this run. Printed: records a second
of each, their ratio, and the peak memory of a whole sync (fetch, land, type) in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import requests

from connector_assets.kit import Api, Connector, NoAuth, Page, Settings, Stream, next_link_pages
from connector_assets.kit.api import open_api
from connector_assets.kit.settings import Secrets

PAGE_RECORDS = 1000
#: Stands for the page number in the prepared page.
MARK = "P" * 20


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


class Pages(BaseHTTPRequestHandler):
    """The same prepared page again and again, each with a link to the next."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20
    body = b""
    pages = 0

    def do_GET(self) -> None:
        page = int(self.path.rpartition("=")[2]) if "=" in self.path else 0
        following = (
            b',"@odata.nextLink":"http://127.0.0.1:%d/machines?page=%d"' % (self.server.server_address[1], page + 1)
            if page + 1 < self.pages
            else b""
        )
        # every page has ids of its own: the page number replaces a mark of the same length
        body = b'{"value":' + self.body.replace(MARK.encode(), b"%020d" % page) + following + b"}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def serve(pages: int, ready: Any) -> None:
    Pages.pages = pages
    Pages.body = orjson.dumps([record(number) for number in range(PAGE_RECORDS)])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    ready.put(server.server_address[1])
    server.serve_forever()


def bare(address: str) -> int:
    """What anybody would write in five lines."""
    session, url, records = requests.Session(), f"{address}/machines", 0
    while url:
        answer = orjson.loads(session.get(url, timeout=60).content)
        records += len(answer["value"])
        url = answer.get("@odata.nextLink")
    return records


def machines(api: Api) -> Iterator[Page]:
    yield from next_link_pages(api, "/machines")


CONNECTOR = Connector(
    product="benchmark",
    title="Benchmark",
    description="",
    base_url="",
    auth=lambda options, secrets: NoAuth(),
    streams=(
        Stream(
            "machines",
            machines,
            "id",
            {
                "id": "text",
                "computerDnsName": "text",
                "firstSeen": "timestamp",
                "lastSeen": "timestamp",
                "osPlatform": "text",
                "version": "text",
                "osBuild": "integer",
                "healthStatus": "text",
                "isAadJoined": "boolean",
                "aadDeviceId": "text",
                "machineTags": ["text"],
                "ipAddresses": [{"ipAddress": "text", "macAddress": "text", "type": "text"}],
                "vmMetadata": {"vmId": "text"},
            },
            "",
        ),
    ),
    credentials=(),
    permissions=(),
    asset_kinds=("device",),
    billable_kinds=(),
    evidence="unverified",
)


def pull(address: str, folder: Path) -> int:
    """Fetch and spool, as a sync does before it types what came."""
    from exposure_pipelines.landing.spool import Spool

    settings = Settings("benchmark", address, CONNECTOR.options(), Secrets({}))
    api = open_api(CONNECTOR, settings, datetime.now(UTC))
    spool = Spool(folder)
    with api.client:
        for page in machines(api):
            spool.add(page.records, page.scope, page.cursor)
    spool.close()
    return spool.rows


def whole_sync(address: str, home: str, result: Any) -> None:
    """Fetch, land and type in a process of its own, for its peak memory."""
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.landing.sync import run_sync

    os.environ["EXPOSURE_HOME"] = home
    place = Home.from_env().ensure()
    connection = Connection.model_construct(
        instance="benchmark",
        product="benchmark",
        base_url=address,
        streams=None,
        volume_guard=0.5,
        window_days=90,
        credentials={},
        options={},
        ca_file=None,
    )
    object.__setattr__(connection, "settings", lambda: Settings("benchmark", address, CONNECTOR.options(), Secrets({})))
    before = peak_megabytes()
    started = time.perf_counter()
    report = run_sync(connection, CONNECTOR, place, Lake.of(place))
    seconds = time.perf_counter() - started
    manifest = report.streams[0]
    result.put(
        {
            "records": manifest.records,
            "state": manifest.state,
            "seconds": seconds,
            "peak_mb": peak_megabytes(),
            "imports_mb": before,
        }
    )


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    pages = max(1, arguments.records // PAGE_RECORDS)
    spawn = multiprocessing.get_context("spawn")
    ready, result = spawn.Queue(), spawn.Queue()
    server = spawn.Process(target=serve, args=(pages, ready), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{ready.get()}"
    try:
        bare(address)  # the server's first answers are slower
        times: dict[str, list[float]] = {"bare": [], "pull": []}
        with tempfile.TemporaryDirectory() as folder:
            for turn in range(arguments.rounds):
                for name in times:
                    started = time.perf_counter()
                    count = bare(address) if name == "bare" else pull(address, Path(folder) / str(turn))
                    times[name].append(time.perf_counter() - started)
                    assert count == pages * PAGE_RECORDS, (name, count)
            sync = spawn.Process(target=whole_sync, args=(address, f"{folder}/home", result))
            sync.start()
            whole = result.get()
            sync.join()
    finally:
        server.terminate()
    best = {name: min(seconds) for name, seconds in times.items()}
    rates = {name: pages * PAGE_RECORDS / seconds for name, seconds in best.items()}
    print(
        json.dumps(
            {
                "records": pages * PAGE_RECORDS,
                "sync": {k: v if isinstance(v, str) else round(v, 1) for k, v in whole.items()},
            }
        )
    )
    print(f"bare loop  {rates['bare']:>10,.0f} records/s")
    print(f"pull       {rates['pull']:>10,.0f} records/s")
    print(f"ratio      {rates['pull'] / rates['bare']:.2f}   (at least 0.70 wanted)")
    print(
        f"whole sync {whole['records']:,.0f} records in {whole['seconds']:.1f} s, peak memory {whole['peak_mb']:.0f} MB"
    )


if __name__ == "__main__":
    main()
