"""Pages that nobody looked at, from their lines to their columns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector_assets.kit import Api, Lines, Page
from exposure_pipelines.landing import spool
from exposure_pipelines.landing.spool import PAGES_FILE
from exposure_pipelines.landing.trace import landed_record
from tests.landing.conftest import Workbench, pages, stream
from tests.landing.test_sync import uncompressed


def lines(*records: bytes) -> Lines:
    return Lines(b"\n".join(records), len(records))


def landed(bench: Workbench, manifest: object) -> bytes:
    return uncompressed(bench.folder(manifest) / PAGES_FILE)  # type: ignore[arg-type]


def test_lines_land_as_they_came_and_lists_beside_them(bench: Workbench) -> None:
    first, second = (
        lines(b'{"id" : "a","count":12}', b'{"id":"\\u00e9","score":1.50}'),
        lines(b'{"id":"c"}', b'{"id":"d"}'),
    )
    second[0]["name"] = "changed"
    manifest = bench.one(stream(pages(first, [{"id": "b"}], second)))
    wanted = (
        b'{"id" : "a","count":12}\n{"id":"\\u00e9","score":1.50}\n{"id":"b"}\n{"id":"c","name":"changed"}\n{"id":"d"}\n'
    )
    assert landed(bench, manifest) == wanted
    rows = [("a", None, 12), ("b", None, None), ("c", "changed", None), ("d", None, None), ("é", None, None)]
    assert bench.rows(manifest, "id, name, count") == rows
    assert (manifest.records, manifest.pages) == (5, 3)


def test_a_large_page_of_lines_is_compressed_in_parts(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BLOCK_BYTES", 1000)
    records = [b'{"id":"%d"}' % number for number in range(5000)]
    manifest = bench.one(stream(pages(lines(*records)), drop_fields=("password",)))
    assert landed(bench, manifest) == b"\n".join(records) + b"\n"
    assert manifest.records == 5000


@pytest.mark.parametrize(
    "secret",
    [
        b'"password":"hunter2"',
        b'"password" : "hunter2"',
        b'"pass\\u0077ord":"hunter2"',
        b'"raw":[{"password"\t:"hunter2"}]',
        b'"password":1e400,"x":{"password":"hunter2"}',
        b'"password":"x","password":"hunter2"',
    ],
)
def test_a_secret_is_found_however_its_name_was_written(bench: Workbench, secret: bytes) -> None:
    manifest = bench.one(stream(pages(lines(b'{"id":"a",%b}' % secret, b'{"id":"b"}')), drop_fields=("password",)))
    assert [file for file in bench.folder(manifest).iterdir() if b"hunter2" in uncompressed(file)] == []
    assert bench.rows(manifest, "id") == [("a",), ("b",)]


def test_a_secret_nested_too_deep_to_be_looked_for_does_not_land(bench: Workbench) -> None:
    deep = b'{"id":"a","password":"hunter2","raw":' + b"[" * 5000 + b"]" * 5000 + b"}"
    manifest = bench.one(stream(pages(lines(deep, b'{"id":"b"}')), drop_fields=("password",)))
    assert b"hunter2" not in landed(bench, manifest)
    # newer Pythons read that deep, and keep what lies above
    assert (manifest.state, manifest.records + manifest.rejected) in (("complete", 2), ("partial", 2))
    assert ("b",) in bench.rows(manifest, "id")


def test_what_is_no_object_goes_into_quarantine(bench: Workbench) -> None:
    manifest = bench.one(stream(pages(lines(b'{"id":"a"}', b"null", b"5", b'"text"', b"[]", b'{"name":"x"}'))))
    assert (manifest.records, manifest.rejected) == (1, 5)


def test_numbers_beyond_all_numbers_cost_a_field_and_long_ones_keep_their_digits(bench: Workbench) -> None:
    seen = []

    def later(api: Api) -> Iterator[Page]:
        seen.extend(api.records("things"))
        yield Page([{"id": "z"}])

    odd = lines(b'{"id":"a","score":1e400,"count":12345678901234567890123}', b'{"id":12345678901234567890123}')
    report = bench.sync(stream(pages(odd)), stream(later, "later", needs=("things",)))
    things = report.streams[0]
    assert (things.state, things.records) == ("complete", 2)
    assert bench.rows(things, "id, score, count") == [("12345678901234567890123", None, None), ("a", None, None)]
    assert seen[0]["score"] is None
    assert landed_record(bench.lake, "acme_main", "things", things.sync, 0).record["score"] is None


ODD = rb"""
{"id":"plain","name":"n","seen":"2026-01-30T00:00:00Z","count":5,"score":1.5,"managed":true,"tags":["a"],"raw":{"k":1}}
{"id" : "spaces" , "tags" : [ "a" , "b" ] , "nics" : [ { "mac" : "m" , "ips" : [ ] } ] , "raw" : { "k" : [ 1 , 2 ] } }
{"id":"\u0065scapes","name":"\u00e9\/\"\\\n\ud83d\ude00\u2028","tags":["\u0041","\t"],"raw":{"\u006b":"\u00e9\/"},"cloud":{"id":"\/"}}
{"\u0069d":"an escaped name","\u006eame":"x"}
{"id":"numbers","score":1.10,"count":1E2,"name":1.50,"tags":[1.0,1e2,-0,0.1e-6],"raw":[1.10,1E5,-0,1e-7,100000000000000000000.0]}
{"id":"text for numbers","score":"1.10","count":"12","managed":"True","seen":"1767225600000"}
{"id":1.0,"name":{"a" : 1},"raw":" "}
{"id":18446744073709551615,"name":[ ],"cloud":null,"nics":null}
{"id":"nul \u0000","name":"\u0000","raw":"\u0000"}
""".strip().split(b"\n")


def test_the_columns_are_the_same_whether_lines_or_lists_came(bench: Workbench) -> None:
    came = bench.sync(stream(pages(lines(*ODD))), stream(pages([*lines(*ODD)]), "parsed"))
    one, other = (bench.rows(manifest, "* EXCLUDE (_page)") for manifest in came.streams)
    assert one == other
    assert len(one) == len(ODD)
    assert [manifest.field_issues for manifest in came.streams] == [0, 0]
