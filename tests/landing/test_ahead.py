"""One answer with the records of two streams: what a pull gives for a stream that is to come."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit import Api, FixPermission, Incremental, Page, RetryLater, Stream
from exposure_pipelines.landing.manifest import Manifest
from exposure_pipelines.landing.spool import INDEX_FILE
from tests.landing.conftest import Pull, Workbench, pages, stream

ASSETS = [{"id": "a"}, {"id": "b"}]
FINDINGS = [{"id": "a-1"}, {"id": "a-2"}, {"id": "b-1"}]


def giving(*ending: Any, total: int | None = None, records: list[dict[str, str]] = ASSETS) -> Stream:
    """A stream that gives two pages for `findings`, between them its own, and then ends, well or with an error."""

    def pull(api: Api) -> Iterator[Page]:
        yield Page(FINDINGS[:2], stream="findings", total=total)
        if records:
            yield Page(records)
        yield Page(FINDINGS[2:], stream="findings")
        for error in ending:
            raise error

    return stream(pull, "assets")


def taking(pull: Pull | None = None, **settings: Any) -> Stream:
    return stream(pull or pages(), "findings", **{"may_be_empty": True, **settings})


def raising(error: Exception) -> Pull:
    def pull(api: Api) -> Iterator[Page]:
        raise error
        yield

    return pull


def both(bench: Workbench, *streams: Stream, **options: Any) -> tuple[Manifest, Manifest]:
    found = {manifest.stream: manifest for manifest in bench.sync(*streams, **options).streams}
    return found["assets"], found["findings"]


def no_spool_left(bench: Workbench) -> bool:
    spools = bench.lake.landed("acme_main", "findings")
    return not any(thread.name == "spool" for thread in threading.enumerate()) and not [
        *Path(spools).parents[1].glob(".spool/acme_main/*")
    ]


def test_pages_for_a_stream_to_come_are_landed_with_it_and_those_of_its_own_pull(bench: Workbench) -> None:
    assets, findings = both(bench, giving(), taking(pages([{"id": "more"}])))
    assert (assets.state, assets.records) == ("complete", 2)
    assert (findings.state, findings.records, findings.pages) == ("complete", 4, 3)
    assert [row[0] for row in bench.rows(findings, "id")] == ["a-1", "a-2", "b-1", "more"]
    index = json.loads((bench.folder(findings) / INDEX_FILE).read_text())
    assert [(page["first_row"], page["rows"]) for page in index] == [(0, 2), (2, 1), (3, 1)]
    assert no_spool_left(bench)


def test_a_page_for_oneself_is_an_ordinary_page(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page(ASSETS, stream="assets")

    assert bench.one(stream(pull, "assets")).records == 2


def test_a_secret_in_a_page_given_ahead_is_dropped_as_the_taking_stream_says(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page([{"id": "a-1", "proof": "hunter2"}], stream="findings")

    bench.sync(stream(pull, "assets", may_be_empty=True), taking(drop_fields=("proof",)))
    assert not [file for file in bench.home.root.rglob("*") if file.is_file() and b"hunter2" in file.read_bytes()]


def test_the_total_claimed_with_a_page_given_ahead_is_held_against_the_taking_stream(bench: Workbench) -> None:
    assets, findings = both(bench, giving(total=5), taking())
    assert assets.state == "complete"
    assert (findings.state, findings.records) == ("partial", 3)
    assert "counts 5 records, 3 came" in (findings.reason or "")


@pytest.mark.parametrize("needs", [(), ("assets",)])
def test_a_giving_stream_that_breaks_off_leaves_the_taking_one_partial(
    bench: Workbench, needs: tuple[str, ...]
) -> None:
    assets, findings = both(bench, giving(RetryLater("no answer")), taking(needs=needs))
    assert (assets.state, assets.records) == ("partial", 2)
    assert (findings.state, findings.records) == ("partial", 3)
    assert "assets" in (findings.reason or "")


def test_a_giving_stream_that_fails_with_nothing_of_its_own_proves_nothing_for_the_other(bench: Workbench) -> None:
    assets, findings = both(bench, giving(RetryLater("no answer"), records=[]), taking())
    assert (assets.state, findings.state) == ("failed", "partial")
    assert not findings.proves_absence
    needing = both(bench, giving(RetryLater("no answer"), records=[]), taking(needs=("assets",)))
    assert [manifest.state for manifest in needing] == ["failed", "failed"]
    assert no_spool_left(bench)


def test_a_taking_stream_that_is_skipped_lands_nothing_of_what_was_given(bench: Workbench) -> None:
    skipped = raising(FixPermission("no licence", status=403))
    assets, findings = both(bench, giving(), taking(lambda api: api.skip("no licence")))
    assert (assets.state, findings.state, findings.records) == ("complete", "skipped", 0)
    assert no_spool_left(bench)
    # with records at hand a refusal is a failure in the middle
    _, findings = both(bench, giving(), taking(skipped, optional=True))
    assert (findings.state, findings.records) == ("partial", 3)


def test_a_taking_stream_that_cannot_be_reached_closes_what_was_kept_for_it(bench: Workbench) -> None:
    first = stream(raising(FixPermission("HTTP 403", status=403)), "first")
    report = bench.sync(giving(), first, taking(needs=("first",)))
    assert {manifest.stream: manifest.state for manifest in report.streams} == {
        "assets": "complete",
        "first": "failed",
        "findings": "failed",
    }
    assert no_spool_left(bench)


def test_a_stream_that_the_sync_does_not_pull_is_given_nothing(bench: Workbench) -> None:
    report = bench.sync(giving(), taking(), streams=["assets"])
    assert [(manifest.stream, manifest.records) for manifest in report.streams] == [("assets", 2)]
    assert no_spool_left(bench)


def test_a_page_for_a_stream_that_was_read_before_is_a_defect_and_not_a_loss(bench: Workbench) -> None:
    assets, findings = both(bench, taking(), giving())
    assert (findings.state, findings.records) == ("complete", 0)
    assert assets.state == "failed"
    assert "which was read before assets" in (assets.reason or "")


def test_a_page_for_a_stream_there_is_none_of_is_a_defect_and_not_a_loss(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page(ASSETS)
        yield Page(FINDINGS, stream="finding")

    manifest = bench.one(stream(pull, "assets"))
    assert manifest.state == "partial"
    assert "no stream 'finding'" in (manifest.reason or "")


def test_a_sync_killed_between_the_two_streams_shows_the_first_alone_and_the_next_one_is_whole(
    bench: Workbench,
) -> None:
    class Killed(BaseException):
        pass

    def killed(api: Api) -> Iterator[Page]:
        raise Killed
        yield

    with pytest.raises(Killed):
        bench.sync(giving(), taking(killed))
    assert not list(bench.lake.manifests("acme_main", "findings"))
    assert [manifest.state for manifest in bench.lake.manifests("acme_main", "assets")] == ["complete"]
    with pytest.raises(Killed):
        bench.sync(giving(Killed()), taking())
    assert no_spool_left(bench)
    _, findings = both(bench, giving(), taking())
    assert (findings.state, findings.records) == ("complete", 3)


def test_what_a_pull_gave_before_it_was_repeated_is_not_given_twice(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page([{"id": "changed-1"}] if api.since else FINDINGS, stream="findings")
        yield Page(ASSETS)
        if api.since:
            api.ask_for_everything("the position is gone")

    assets = stream(pull, "assets", incremental=Incremental(timedelta(0)))
    text = "product: acme\nfull_every_hours: 100\n"
    bench.at("2026-11-23T06:30:00Z")
    both(bench, assets, taking(), text=text)
    bench.at("2026-11-23T08:30:00Z")
    _, findings = both(bench, assets, taking(), text=text)
    assert [row[0] for row in bench.rows(findings, "id")] == ["a-1", "a-2", "b-1"]
    assert findings.duplicates == 0


def test_a_stream_that_was_given_pages_is_read_whole_and_not_by_its_changes(bench: Workbench) -> None:
    asked: list[Any] = []

    def pull(api: Api) -> Iterator[Page]:
        asked.append(api.since)
        yield from ()

    findings = taking(pull, incremental=Incremental(timedelta(0)))
    text = "product: acme\nfull_every_hours: 100\n"
    for hour in (6, 8):
        bench.at(f"2026-11-23T{hour:02}:30:00Z")
        _, landed = both(bench, giving(), findings, text=text)
        assert (landed.kind, landed.records) == ("full", 3)
    assert asked == [None, None]
