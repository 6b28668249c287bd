"""What every connector must do, whatever its vendor: over real HTTP against the demo estate, with every fault of the plan.

The calls of each product on the known estate lie in calls.json; `EXPOSURE_UPDATE_CALLS=1 pytest tests/connectors/
test_conformance.py -n0 -k calls` writes it anew after a change that is meant to change them.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from connector_assets import registry
from connector_assets.kit.budgets import Allowance
from connector_assets.kit.client import HINTS
from connector_assets.kit.transport import GENERIC
from demo_estate.lenses import discover
from exposure_pipelines import clock
from exposure_pipelines.landing.manifest import Manifest
from exposure_pipelines.landing.sync import SyncReport, run_sync

from .conformance import CONNECTORS, Conformant
from .microsoft import Bench, bench, holds

#: Days of a window that cuts through what the demo estate shows, and products that tell no activity of what they list.
WINDOW = 5
WITHOUT_ACTIVITY = ("defender_cloud",)
CALLS = Path(__file__).with_name("calls.json")
LINES = pytest.mark.parametrize("line", CONNECTORS, ids=[line.product for line in CONNECTORS])

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "throttled": {"fault": 429, "retry_after": 1, "every": 3, "times": 3},
    "unavailable_for_a_moment": {"fault": 503, "nth": [2, 4]},
    "broken_from_the_third_request_on": {"fault": 500, "after": 3},
    "html_with_status_200": {"fault": "html", "every": 3, "times": 2},
    "html_for_ever": {"fault": "html", "after": 2},
    "sent_elsewhere": {"fault": "redirect", "every": 4, "times": 1},
    "connection_reset": {"fault": "reset", "every": 3, "times": 2},
    "truncated_answer": {"fault": "truncate", "every": 3, "times": 2},
    "truncated_for_ever": {"fault": "truncate", "after": 2},
    "body_shorter_than_announced": {"fault": "cut", "every": 3, "times": 2},
    "credentials_expire_in_mid_pull": {"fault": "expire_tokens", "every": 3, "times": 2},
    "error_text_where_records_belong": {"fault": "string_result", "every": 3, "times": 2},
    "records_given_twice": {"fault": "duplicate_row", "always": True},
}


@contextmanager
def served(line: Conformant, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The product's demo instance; what the connector would wait passes on the estate's clock at once."""
    with bench(line.product, folder, patch, **line.served) as found:
        patch.setattr(Allowance, "pause", lambda self, seconds: found.estate.advance_clock(seconds))
        yield found


@pytest.fixture
def found(line: Conformant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with served(line, tmp_path, monkeypatch) as made:
        yield made


def landed_folder(found: Bench, manifest: Manifest) -> Path:
    return Path(found.lake.landed(manifest.instance, manifest.stream)) / manifest.sync


def ids(found: Bench, report: SyncReport) -> dict[str, frozenset[str]]:
    """Record ids that each stream of a sync landed."""
    landed = {}
    for manifest in report.streams:
        file = landed_folder(found, manifest) / "records.parquet"
        columns = pq.read_table(file, columns=["_record_id"]).column(0).to_pylist() if file.exists() else []
        landed[manifest.stream] = frozenset(columns)
    return landed


def whole(line: Conformant) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """(record ids, states) of a sync in which nothing goes wrong."""
    return whole_of(line.product)


@cache
def whole_of(product: str) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    (line,) = [line for line in CONNECTORS if line.product == product]
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        served(line, Path(folder), patch) as found,
    ):
        report = found.sync(**line.options)
        return ids(found, report), {m.stream: m.state for m in report.streams}


def assert_nothing_is_claimed_that_did_not_come(found: Bench, report: SyncReport, line: Conformant) -> None:
    """A stream that calls itself complete has exactly the records there are; any other says why it is not."""
    expected, states = whole(line)
    landed = ids(found, report)
    for manifest in report.streams:
        if manifest.state == "complete":
            assert landed[manifest.stream] == expected[manifest.stream], manifest.stream
        elif states[manifest.stream] != manifest.state:
            assert manifest.reason, manifest.stream
        assert landed[manifest.stream] <= expected[manifest.stream], manifest.stream


def test_every_connector_with_a_demo_lens_is_under_this_suite() -> None:
    lenses = discover(registry.products())
    assert sorted(line.product for line in CONNECTORS) == sorted(lenses)


@LINES
def test_the_declaration_is_complete(line: Conformant) -> None:
    connector = registry.load(line.product)
    assert connector.title
    assert connector.description
    assert connector.permissions
    assert connector.asset_kinds
    assert set(connector.billable_kinds) <= set(connector.asset_kinds)
    assert missing_answers(connector.troubleshooting) == []
    assert connector.changes, "say what the vendor tells of changes and deletions"
    for stream in connector.streams:
        assert stream.description, stream.name
        assert stream.evidence in ("recorded", "documented", "client_code", "unverified")
        keys = (stream.key,) if isinstance(stream.key, str) else stream.key
        assert set(keys) <= set(stream.fields), stream.name
        assert all(connector.stream(name) for name in stream.needs)


def missing_answers(answers: Mapping[str, str]) -> list[str]:
    """What `exposure connectors check` must answer in the product's own words, where it would only have general ones."""
    general = {**HINTS, **GENERIC}
    topics = ("401", "403", "404", "409", "429", "dns", "tls", "connect")
    missing = [topic for topic in topics if answers.get(topic, general[topic]) == general[topic]]
    # an address that is not allowed shows as a refusal or as silence
    is_told = any("address" in answers.get(topic, "") for topic in ("401", "403", "connect"))
    return missing + ([] if is_told else ["IP allow list"])


@LINES
def test_the_calls_to_each_route_are_these_and_no_others(line: Conformant, found: Bench) -> None:
    found.sync(**line.options)
    calls = dict(sorted(found.requests().items()))
    if os.environ.get("EXPOSURE_UPDATE_CALLS"):
        known = json.loads(CALLS.read_text()) if CALLS.exists() else {}
        CALLS.write_text(json.dumps({**known, line.product: calls}, indent=2, sort_keys=True) + "\n")
    assert calls == json.loads(CALLS.read_text())[line.product]
    assert found.service.journal.problems == []
    if line.paged:
        assert calls[line.paged] > 1, "the estate is too small to page: make the pages smaller"


@LINES
def test_the_pull_is_whole_and_has_every_record_of_the_answer_key(line: Conformant, found: Bench) -> None:
    report = found.sync(**line.options)
    assert {m.state for m in report.streams} <= {"complete", "skipped"}
    assert not any(m.rejected or m.field_issues for m in report.streams)
    landed = frozenset().union(*ids(found, report).values())
    with found.staged() as staged:
        assert staged.failing() == []
        assert staged.columns_differ() == []
        inventories = staged.making_assets()
    answers = [row for row in found.estate.answer_key().rows() if row.product == line.product]
    assert answers
    assert landed
    connector = registry.load(line.product)
    assert not any(connector.stream(name).may_be_empty for name in inventories), (
        "an empty answer would retire all of them"
    )


def activity(found: Bench, manifest: Manifest, field: str) -> dict[str, str]:
    """By record id, when each landed record was last active; a dotted field is a part of a struct."""
    file = landed_folder(found, manifest) / "records.parquet"
    if not file.exists():
        return {}
    path = ".".join(f'"{part}"' for part in field.split("."))
    query = f"SELECT _record_id, coalesce(CAST({path} AS VARCHAR), '') FROM read_parquet('{file}')"
    with duckdb.connect() as database:
        return dict(database.execute(query).fetchall())


@LINES
def test_the_window_is_the_instances_and_goes_by_the_vendors_own_field(line: Conformant, found: Bench) -> None:
    """What lies beyond is left out or not asked for, and the streams are as whole as with everything."""
    connector = registry.load(line.product)
    declared = {stream.name: stream.activity_field for stream in connector.streams if stream.activity_field}
    assert line.product in WITHOUT_ACTIVITY or declared

    def sync(window_days: int | None) -> dict[str, Manifest]:
        connection = found.connection(**line.options).model_copy(update={"window_days": window_days})
        report = run_sync(connection, connector, found.home, found.lake, accept_volume=True)
        assert {one.state for one in report.streams} <= {"complete", "skipped"}
        return {one.stream: one for one in report.streams}

    everything, recent = sync(None), sync(WINDOW)
    start = clock.now() - timedelta(days=WINDOW)
    for name, field in declared.items():
        landed = activity(found, everything[name], field)
        left_out = landed.keys() - activity(found, recent[name], field).keys()
        late = [key for key in left_out if landed[key] >= f"{start:%Y-%m-%d %H:%M:%S}"]
        assert late == [], f"{name}: active within the window and left out"


@pytest.mark.fault(
    "throttled, broken, truncated, HTML, foreign redirects, expired credentials, error text, doubled records, at every vendor",
    "the stream is whole or says why it is not; the next sync is whole",
)
@LINES
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_never_makes_a_stream_call_itself_complete_without_its_records(
    line: Conformant, fault: str, found: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    found.estate.fault({"product": line.product, "route": "*", **FAULTS[fault]})
    with caplog.at_level(logging.DEBUG):
        report = found.sync(**line.options)
    assert_nothing_is_claimed_that_did_not_come(found, report, line)
    secrets = [value for value in found.service.credentials.values() if len(value) >= 6]
    assert not [secret for secret in secrets if secret in caplog.text]
    assert holds(found.home.root, *secrets) == []
    found.estate.clear_faults()
    again = found.sync(**line.options)
    assert ids(found, again) == whole(line)[0]
    assert {m.stream: m.state for m in again.streams} == whole(line)[1]


@pytest.mark.fault("a vendor repeats a cursor", "the stream ends as partial or failed instead of turning in a circle")
@LINES
def test_a_repeated_cursor_ends_the_stream_and_is_named(line: Conformant, found: Bench) -> None:
    if not line.paged:
        pytest.skip("no route of this product pages by a cursor")
    found.estate.fault({"product": line.product, "route": line.paged, "fault": "repeat_cursor", "nth": [2, 3, 4, 5, 6]})
    report = found.sync(**line.options)
    assert_nothing_is_claimed_that_did_not_come(found, report, line)
    assert any(m.state in ("partial", "failed") and m.reason for m in report.streams)


@LINES
def test_a_sync_that_is_killed_leaves_nothing_and_the_next_one_is_whole(line: Conformant, found: Bench) -> None:
    pages = 0

    def kill(*_: Any) -> None:
        nonlocal pages
        pages += 1
        if pages == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found.sync(progress=kill, **line.options)
    assert ids(found, found.sync(**line.options)) == whole(line)[0]


@pytest.mark.fault("a bad record", "kept in quarantine with its page and line; that sync retires nothing")
@LINES
def test_a_record_without_its_key_is_kept_in_quarantine_and_nothing_is_retired_by_that_sync(
    line: Conformant, found: Bench
) -> None:
    if not line.key:
        pytest.skip("the vendor's records have no such member")
    drop_key_of_first_row(found, line)
    report = found.sync(**line.options)
    bad = [m for m in report.streams if m.rejected]
    assert bad
    assert all(m.state == "partial" and m.reason for m in bad)
    for manifest in bad:
        file = landed_folder(found, manifest) / "quarantine.parquet"
        assert pq.read_table(file).num_rows == manifest.rejected


def drop_key_of_first_row(found: Bench, line: Conformant) -> None:
    """From now on the first record of every listed page lacks its key."""
    import orjson

    from demo_estate.kit import faults
    from demo_estate.kit.http import Response

    def without_key(fault: Any, response: Response, previous: Response | None, rows_of: Any) -> Response:
        if not response.is_json:
            return response
        body = orjson.loads(response.encode()[0])
        rows = (rows_of or faults.find_rows)(body)
        for row in rows[:1] if rows else []:
            if isinstance(row, dict):
                row.pop(line.key, None)
        return Response(body, response.status, response.header_pairs(), response.content_type)

    found.monkeypatch.setattr("demo_estate.kit.service.change_answer", without_key)
    found.estate.fault({"product": line.product, "route": "*", "fault": "drop_key", "always": True})


@LINES
def test_rows_that_are_no_objects_are_kept_in_quarantine_and_the_rest_is_read(line: Conformant, found: Bench) -> None:
    add_rows_that_are_no_objects(found, line)
    report = found.sync(**line.options)
    landed, expected = ids(found, report), whole(line)[0]
    for manifest in report.streams:
        # read or left out as without such rows; the state says that nothing may be deleted by it
        assert manifest.state != "failed", f"{manifest.stream}: {manifest.reason}"
        assert bool(landed[manifest.stream]) == bool(expected[manifest.stream]), manifest.stream
        assert not (manifest.rejected and manifest.state == "complete"), manifest.stream


def add_rows_that_are_no_objects(found: Bench, line: Conformant) -> None:
    """From now on every listed page begins with a text, also those inside a batch."""
    import orjson

    from demo_estate.kit import faults
    from demo_estate.kit.http import Response

    def with_texts(fault: Any, response: Response, previous: Response | None, rows_of: Any) -> Response:
        if not response.is_json:
            return response
        body = orjson.loads(response.encode()[0])
        if isinstance(body, dict) and isinstance(body.get("responses"), list):
            bodies = [reply["body"] for reply in body["responses"]]
        else:
            bodies = [body]
        for one in bodies:
            rows = (rows_of or faults.find_rows)(one)
            if rows and isinstance(rows[0], dict):
                rows.insert(0, "no object")
        return Response(body, response.status, response.header_pairs(), response.content_type)

    found.monkeypatch.setattr("demo_estate.kit.service.change_answer", with_texts)
    found.estate.fault({"product": line.product, "route": "*", "fault": "drop_key", "always": True})
