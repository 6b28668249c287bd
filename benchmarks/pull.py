"""Pulls through the kit and the landing's spool against a bare requests + orjson loop over the same answers.

    python benchmarks/pull.py                                        # every connector
    python benchmarks/pull.py --connector qualys --by-stream         # one, with its streams
    python benchmarks/pull.py --connector kit --size 1000000         # one prepared page, a million records

The answers come from the memory of a server in a process of its own; both sides read them one after the other, in this run.
Printed: records, seconds of each (the best of some rounds), their ratio, the ratio of the processor time of the two threads
that ask and parse (which other work on the machine does not distort), and the peak memory of a whole sync (fetch, land, type)
in a process of its own.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.bare_loop import bare
from benchmarks.replayed import Asked, Place, serve
from connector_assets import registry
from connector_assets.kit import Connector, NoAuth, Record, Settings, Stream, StreamSkipped, next_link_pages
from connector_assets.kit.api import open_api
from connector_assets.kit.settings import Secrets

WANTED = 0.70
NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
#: Devices of the demo estate, by product: as many as make it work for some tenths of a second, beside which fixed costs do
#: not weigh. Records of `kit`.
SIZES = {
    "kit": 100_000,
    "cortex_cloud": 20_000,
    "defender_cloud": 10_000,
    "defender_endpoint": 4_000,
    "defender_identity": 12_000,
    "entra_id": 4_000,
    "intune": 60_000,
    "prisma_cloud": 10_000,
    "qualys": 2_000,
    "rapid7": 6_000,
    "servicenow": 12_000,
    "tenable": 1_000,
    "wiz": 4_000,
}
#: Connector options, where those of a new connection would leave parts of the connector out.
OPTIONS: dict[str, dict[str, Any]] = {
    "defender_endpoint": {"logon_users": "none"},
    "defender_identity": {"exposure_graph": True},
}

KIT = Connector(
    product="kit",
    title="Benchmark",
    description="",
    base_url="",
    auth=lambda options, secrets: NoAuth(),
    streams=(
        Stream(
            "machines",
            lambda api: next_link_pages(api, "/machines", as_lines=True),
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


@dataclass
class Measured:
    """A stream, or all of them: records, seconds of each side, requests."""

    name: str
    records: int = 0
    bare: float = 0.0
    ours: float = 0.0
    bare_cpu: float = 0.0
    ours_cpu: float = 0.0
    requests: int = 0

    @property
    def ratio(self) -> float:
        return self.bare / self.ours if self.ours else 1.0

    @property
    def cpu_ratio(self) -> float:
        return self.bare_cpu / self.ours_cpu if self.ours_cpu else 1.0


@dataclass(frozen=True, slots=True)
class Pulled:
    """One stream of one pull."""

    stream: str
    records: int
    seconds: float
    cpu: float
    requests: int


def connector_of(product: str) -> Connector:
    return KIT if product == "kit" else registry.load(product)


def settings_of(product: str, place: Place) -> Settings:
    connector = connector_of(product)
    options = connector.options.model_validate({**place.options, **OPTIONS.get(product, {})})
    secrets = Secrets({name: (lambda value=value: value) for name, value in place.credentials.items()})
    return Settings(product, place.address, options, secrets)


def pull(product: str, place: Place, folder: Path) -> list[Pulled]:
    """Fetch and spool every stream, as a sync does before it types what came. What the vendor would have us wait is no work."""
    import orjson

    from exposure_pipelines.landing.collector import calm_collector
    from exposure_pipelines.landing.spool import Spool, read_lines

    connector, spools, ahead, found = connector_of(product), dict[str, Spool](), dict[str, Spool](), []

    def records(stream: str) -> Iterator[Record]:
        if stream not in spools:
            raise StreamSkipped(f"{stream} gave nothing")
        return (orjson.loads(line) for line in read_lines(spools[stream].path))

    settings = settings_of(product, place)
    api = open_api(connector, settings, NOW, records_reader=records, sleep=lambda seconds: None)
    with api.client, calm_collector():
        for stream in connector.streams:
            started, started_cpu, before = time.perf_counter(), time.thread_time(), api.statistics.requests
            spool = ahead.pop(stream.name, None) or Spool(folder / stream.name, stream.drop_fields)
            try:
                api.begin(stream.name)
                for page in stream.pull(api):
                    where = spool
                    if page.stream is not None and (where := ahead.get(page.stream)) is None:
                        dropped = connector.stream(page.stream).drop_fields
                        where = ahead[page.stream] = Spool(folder / page.stream, dropped)
                    where.add(page.records, page.scope, page.cursor)
                    del page
                spools[stream.name] = spool
            except StreamSkipped:
                pass
            finally:
                spool.close()
            seconds, cpu = time.perf_counter() - started, time.thread_time() - started_cpu
            found.append(Pulled(stream.name, spool.rows, seconds, cpu, api.statistics.requests - before))
    return found


@contextmanager
def served(product: str, size: int) -> Iterator[tuple[Place, Any]]:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(product, size, theirs, {}), daemon=True)
    server.start()
    try:
        yield ours.recv(), ours
        ours.send("end")
        server.join(10)
    finally:
        server.terminate()


def asked_since(pipe: Any) -> list[Asked]:
    pipe.send("asked")
    found: list[Asked] = pipe.recv()
    return found


def measure(product: str, size: int, rounds: int) -> tuple[list[Measured], dict[str, Any]]:
    """Each stream, and the whole sync."""
    with served(product, size) as (place, pipe), tempfile.TemporaryDirectory() as folder:
        pull(product, place, Path(folder) / "first")
        asked_since(pipe)
        known = pull(product, place, Path(folder) / "second")
        asked = asked_since(pipe)
        found = [Measured(one.stream, one.records, *[float("inf")] * 4, one.requests) for one in known]
        for turn in range(rounds):
            start = 0
            for measured in found:
                gc.collect()
                started, started_cpu = time.perf_counter(), time.thread_time()
                bare(place.address, asked[start : start + measured.requests])
                measured.bare = min(measured.bare, time.perf_counter() - started)
                measured.bare_cpu = min(measured.bare_cpu, time.thread_time() - started_cpu)
                start += measured.requests
            gc.collect()
            for measured, one in zip(found, pull(product, place, Path(folder) / str(turn)), strict=True):
                assert (one.records, one.requests) == (measured.records, measured.requests), one
                measured.ours = min(measured.ours, one.seconds)
                measured.ours_cpu = min(measured.ours_cpu, one.cpu)
        spawn = multiprocessing.get_context("spawn")
        result = spawn.Queue()
        sync = spawn.Process(target=whole_sync, args=(product, place, f"{folder}/home", result))
        sync.start()
        whole = result.get()
        sync.join()
    return found, whole


def whole_sync(product: str, place: Place, home: str, result: Any, streams: Sequence[str] | None = None) -> None:
    """Fetch, land and type in a process of its own, for its peak memory."""
    from connector_assets.kit.budgets import Allowance
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.landing.sync import run_sync

    os.environ |= {"EXPOSURE_HOME": home, "EXPOSURE_NOW": NOW.isoformat()}
    Allowance.pause = lambda self, seconds: None  # type: ignore[method-assign]
    where = Home.from_env().ensure()
    settings = settings_of(product, place)
    connection = Connection.model_construct(
        instance=product,
        product=product,
        base_url=place.address,
        options=settings.options.model_dump(),
    )
    object.__setattr__(connection, "settings", lambda: settings)
    before = peak_megabytes()
    started = time.perf_counter()
    report = run_sync(connection, connector_of(product), where, Lake.of(where), streams=streams)
    result.put(
        {
            "seconds": time.perf_counter() - started,
            "records": sum(one.records for one in report.streams),
            "states": {one.state for one in report.streams},
            "peak_mb": peak_megabytes(),
            "imports_mb": before,
        }
    )


def peak_megabytes() -> float:
    """Of this process alone: what getrusage tells may be the peak of the process that started it."""
    with suppress(OSError), open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(name: str, one: Measured, peak: float | None) -> str:
    memory = f"{peak:>8.0f}" if peak is not None else " " * 8
    is_measurable = one.bare >= 0.02 or peak is not None
    ratios = f"{one.ratio:>7.2f}{one.cpu_ratio:>7.2f}" if is_measurable else f"{'–':>7}{'–':>7}"
    return f"{name:<30}{one.records:>10,}{one.requests:>10,}{one.bare:>9.3f}{one.ours:>9.3f}{ratios}{memory}"


def total(streams: Sequence[Measured]) -> Measured:
    names = ("records", "bare", "ours", "bare_cpu", "ours_cpu", "requests")
    return Measured("all", *(sum(getattr(one, name) for one in streams) for name in names))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connector", choices=["all", *SIZES], default="all")
    parser.add_argument("--size", type=int, help="devices of the demo estate; records of kit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--by-stream", action="store_true")
    arguments = parser.parse_args()
    products = [*SIZES] if arguments.connector == "all" else [arguments.connector]
    print(f"{'':<30}{'records':>10}{'requests':>10}{'bare s':>9}{'ours s':>9}{'ratio':>7}{'cpu':>7}{'peak MB':>8}")
    slow = []
    for product in products:
        streams, whole = measure(product, arguments.size or SIZES[product], arguments.rounds)
        everything = total(streams)
        print(row(product, everything, whole["peak_mb"]), flush=True)
        if arguments.by_stream:
            for one in streams:
                print(row(f"  {one.name}", one, None))
        if not whole["states"] <= {"complete", "skipped"}:
            print(f"  the sync was {', '.join(sorted(whole['states']))}")
        if everything.ratio < WANTED:
            slow.append(product)
    print(f"wanted: at least {WANTED:.2f} of the bare loop" + (f"; below it: {', '.join(slow)}" if slow else ""))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
