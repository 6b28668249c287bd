"""Export jobs: started once, adopted when they run already, each chunk once, an incomplete one never taken for whole."""

from __future__ import annotations

from typing import Any

import pytest

from connector_assets.kit import (
    BudgetExceeded,
    ConnectorError,
    JobState,
    NotFound,
    Page,
    RetryLater,
    export_job,
)

from .conftest import Api, Asked, Reply, Site, Time


class Exporter:
    """A vendor's export over HTTP: `states` are answered in turn, `chunks` hold their bodies or a Reply."""

    def __init__(self, site: Site, states: list[Any], chunks: dict[int, Any], start: list[Any] | None = None) -> None:
        self.states, self.chunks = states, chunks
        self.start = start or [{"export_uuid": "job-1"}]
        self.fetched: list[int] = []
        self.started = 0
        site.answer = self.handle

    def handle(self, asked: Asked) -> Any:
        if asked.method == "POST":
            self.started += 1
            return self.start.pop(0) if len(self.start) > 1 else self.start[0]
        if asked.path.endswith("/status"):
            return self.states.pop(0) if len(self.states) > 1 else self.states[0]
        chunk = int(asked.path.rpartition("/")[2])
        self.fetched.append(chunk)
        answer = self.chunks[chunk]
        return answer.pop(0) if isinstance(answer, list) and answer and isinstance(answer[0], Reply) else answer

    def pages(self, api: Api, **changes: Any) -> list[Page]:
        def status(job: str) -> JobState:
            said = api.get(f"/export/{job}/status")
            return JobState(
                said["status"],
                said.get("chunks_available") or (),
                said.get("chunks_failed") or (),
                said.get("reason"),
                said.get("total_chunks"),
            )

        given: dict[str, Any] = {
            "start": lambda: api.post("/export", {"chunk_size": 1000})["export_uuid"],
            "status": status,
            "fetch": lambda job, chunk: api.get(f"/export/{job}/chunks/{chunk}"),
        }
        return list(export_job(api, **{**given, **changes}))


def rows(pages: list[Page]) -> list[int]:
    return [record["id"] for page in pages for record in page.records]


def test_chunks_come_out_of_order_with_gaps_and_each_is_fetched_once(site: Site, time: Time, api: Api) -> None:
    states = [
        {"status": "QUEUED"},
        {"status": "PROCESSING", "chunks_available": [7]},
        {"status": "PROCESSING", "chunks_available": [7, 2]},
        {"status": "FINISHED", "chunks_available": [2, 7, 9]},
    ]
    exporter = Exporter(site, states, {7: [{"id": 7}], 2: [{"id": 2}], 9: [{"id": 9}]})
    assert rows(exporter.pages(api)) == [7, 2, 9]
    assert exporter.fetched == [7, 2, 9]
    assert exporter.started == 1
    assert api.verdict.partial == {}
    assert api.stats.retries == 0


def test_null_and_empty_chunks_are_chunks(site: Site, api: Api) -> None:
    exporter = Exporter(site, [{"status": "FINISHED", "chunks_available": [1, 2]}], {1: None, 2: []})
    site_answer = exporter.handle
    site.answer = lambda asked: (
        Reply(200, b"null", {"Content-Type": "application/json"}) if asked.path.endswith("/1") else site_answer(asked)
    )
    assert [len(page.records) for page in exporter.pages(api)] == [0, 0]
    assert api.verdict.partial == {}


def test_polling_backs_off(site: Site, time: Time, api: Api) -> None:
    exporter = Exporter(site, [{"status": "QUEUED"}] * 8 + [{"status": "FINISHED"}], {})
    assert exporter.pages(api) == []
    assert time.slept == [1, 2, 4, 8, 15, 30, 30, 30]


def test_failed_chunks_make_it_partial(site: Site, api: Api) -> None:
    states = [{"status": "FINISHED", "chunks_available": [1], "chunks_failed": [2]}]
    assert rows(Exporter(site, states, {1: [{"id": 1}]}).pages(api, scope="assets")) == [1]
    assert "chunk 2" in api.verdict.partial["assets"]


def test_an_export_that_breaks_off_keeps_what_came(site: Site, api: Api) -> None:
    for state in ("ERROR", "CANCELLED"):
        api.begin("assets")
        states = [{"status": state, "chunks_available": [1], "reason": "disk full"}]
        assert rows(Exporter(site, states, {1: [{"id": 1}]}).pages(api)) == [1]
        assert f"{state}: disk full" in api.verdict.partial["default"]


def test_an_export_that_fails_without_data_is_no_empty_estate(site: Site, api: Api) -> None:
    with pytest.raises(RetryLater, match="ERROR: disk full"):
        Exporter(site, [{"status": "ERROR", "reason": "disk full"}], {}).pages(api)


def test_fewer_chunks_than_claimed_is_partial(site: Site, api: Api) -> None:
    states = [{"status": "FINISHED", "chunks_available": [1], "total_chunks": 3}]
    Exporter(site, states, {1: [{"id": 1}]}).pages(api)
    assert "1 of 3" in api.verdict.partial["default"]


def test_a_chunk_that_has_gone_is_partial_and_the_others_go_on(site: Site, api: Api) -> None:
    states = [{"status": "FINISHED", "chunks_available": [1, 2, 3]}]
    gone = Reply(404, {"error": "Chunk does not exist"})
    cut = Reply(200, b'[{"id": 3', {"Content-Type": "application/json"})
    exporter = Exporter(site, states, {1: gone, 2: [{"id": 2}], 3: cut})
    assert rows(exporter.pages(api)) == [2]
    assert "chunk 1 of the export cannot be read: HTTP 404" in api.verdict.partial["default"]
    assert "chunk 3 of the export cannot be read" in api.verdict.partial["default"]


def test_a_chunk_that_is_not_ready_is_asked_for_again(site: Site, api: Api) -> None:
    states = [{"status": "FINISHED", "chunks_available": [1]}]
    exporter = Exporter(site, states, {1: [Reply(400, {"error": "not ready"}), Reply(200, [{"id": 1}])]})
    assert rows(exporter.pages(api)) == [1]
    assert api.verdict.partial == {}


def test_a_chunk_that_stays_refused_does_not_hold_up_the_rest(site: Site, api: Api) -> None:
    states = [{"status": "FINISHED", "chunks_available": [1, 2]}]
    exporter = Exporter(site, states, {1: Reply(400, {"error": "not ready"}), 2: [{"id": 2}]})
    assert rows(exporter.pages(api)) == [2]
    assert exporter.fetched == [1, 2, 1, 1, 1]
    assert "stays refused" in api.verdict.partial["default"]


def test_a_truncated_chunk_is_fetched_again(site: Site, api: Api) -> None:
    states = [{"status": "FINISHED", "chunks_available": [1]}]
    exporter = Exporter(site, states, {1: [Reply(200, [{"id": 1}], cut=2), Reply(200, [{"id": 1}])]})
    assert rows(exporter.pages(api)) == [1]


def test_an_export_stuck_in_the_queue_ends_at_its_time(site: Site, time: Time, api: Api) -> None:
    with pytest.raises(BudgetExceeded, match="state QUEUED"):
        Exporter(site, [{"status": "QUEUED"}], {}).pages(api, limit_seconds=600)
    assert sum(time.slept) < 700


def test_a_job_forgotten_while_it_is_read_is_partial(site: Site, api: Api) -> None:
    states = [
        {"status": "PROCESSING", "chunks_available": [1]},
        Reply(404, {"message": "Export expired or not found"}),
    ]
    assert rows(Exporter(site, states, {1: [{"id": 1}]}).pages(api)) == [1]
    assert "forgot the export" in api.verdict.partial["default"]
    with pytest.raises(NotFound):
        Exporter(site, [Reply(404, {})], {}).pages(api)


def adopt(error: ConnectorError) -> str | None:
    if error.status == 409 and isinstance(error.answer, dict):
        return error.answer.get("active_job_id")
    said = error.answer.get("message", "") if isinstance(error.answer, dict) else ""
    return said.partition("job_uuid=")[2].partition(" ")[0] or None


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(409, {"active_job_id": "job-9", "failure_reason": "conflict with the ongoing export"}),
        Reply(429, {"status": 429, "message": "Duplicate export not allowed. (job_uuid=job-9 container_uuid=c)"}),
    ],
)
def test_a_job_that_runs_already_is_adopted(site: Site, api: Api, refusal: Reply) -> None:
    exporter = Exporter(site, [{"status": "FINISHED", "chunks_available": [1]}], {1: [{"id": 1}]}, [refusal])
    assert rows(exporter.pages(api, adopt=adopt)) == [1]
    assert exporter.started == 1
    assert {asked.path.split("/")[2] for asked in site.asked if asked.method == "GET"} == {"job-9"}


def test_a_start_turned_away_by_the_rate_limit_waits_and_starts_again(site: Site, time: Time, api: Api) -> None:
    limit = Reply(429, b"<html>nginx</html>", {"Retry-After": "30", "Content-Type": "text/html"})
    exporter = Exporter(site, [{"status": "FINISHED"}], {}, [limit, {"export_uuid": "job-1"}])
    assert exporter.pages(api, adopt=adopt) == []
    assert time.slept == [30]
    assert exporter.started == 2


@pytest.mark.parametrize("failure", [Reply(504, {"error": "Gateway Timeout"}), Reply(drop=True)])
def test_a_start_that_may_have_worked_is_not_repeated(site: Site, api: Api, failure: Reply) -> None:
    exporter = Exporter(site, [{"status": "FINISHED"}], {}, [failure])
    with pytest.raises(RetryLater, match="not repeated"):
        exporter.pages(api, adopt=adopt)
    assert exporter.started == 1


def test_a_plain_triple_is_a_state_too(api: Api) -> None:
    pages = export_job(
        api, start=lambda: "j", status=lambda job: ("finished", ["a"], []), fetch=lambda job, chunk: [{"id": chunk}]
    )
    assert [page.cursor for page in pages] == ["chunk a"]
