"""Exports a vendor prepares in chunks: start the job, poll it, fetch each chunk once as it appears."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector_assets.kit.declaration import Page, Record
from connector_assets.kit.errors import BadRequest, BrokenAnswer, BudgetExceeded, ConnectorError, NotFound, RetryLater

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

FINISHED = frozenset({"FINISHED", "COMPLETED", "COMPLETE", "DONE", "SUCCESS", "SUCCEEDED"})
FAILED = frozenset({"ERROR", "FAILED", "CANCELLED", "CANCELED", "ABORTED"})
ENDED = FINISHED | FAILED
POLL_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
#: Tries for a chunk the vendor names as available and then refuses (400) as not ready.
CHUNK_TRIES = 4
#: Tries to start a job the vendor's rate limit turned away without beginning it.
START_TRIES = 5

Chunk = int | str


@dataclass(frozen=True, slots=True)
class JobState:
    """What a vendor says of an export job.

    state: the vendor's word; FINISHED, ERROR, CANCELLED and the like end it, any other means "go on polling".
    chunks: available so far. failed: chunks that will not come. expected: number of chunks the vendor claims in all.
    """

    state: str
    chunks: Sequence[Chunk] = ()
    failed: Sequence[Chunk] = ()
    reason: str | None = None
    expected: int | None = None


def export_job(
    api: Api,
    *,
    start: Callable[[], str],
    status: Callable[[str], JobState | tuple[str, Sequence[Chunk], Sequence[Chunk]]],
    fetch: Callable[[str, Chunk], Sequence[Record] | None],
    adopt: Callable[[ConnectorError], str | None] | None = None,
    scope: str = "default",
    poll_seconds: Iterable[float] = POLL_SECONDS,
    limit_seconds: float = 3 * 3600,
) -> Iterator[Page]:
    """The chunks of an export as pages, in the order in which they become available, none twice.

    start: begins the job and returns its id; it is not repeated after a failure that may have begun the job.
    status: job id -> JobState, or (state, chunks, failed).
    fetch: (job id, chunk) -> records; None counts as none.
    adopt: the error of `start` (its `status`, and `answer`, the vendor's body) -> id of the job that runs already, or
    None when the error is none of that kind.
    poll_seconds: pauses between polls that bring nothing new; the last one repeats. limit_seconds: for the whole job.

    A failed, cancelled, expired or unreadable chunk makes the scope partial, as does a job that ends in failure after
    some chunks. Raises RetryLater when it ends without any, BudgetExceeded when it takes too long.
    """
    job = begin(api, start, adopt)
    pauses = tuple(poll_seconds)
    done: set[Chunk] = set()
    refused: dict[Chunk, int] = {}
    pages = idle = 0
    deadline = api.client.clock() + limit_seconds
    while True:
        try:
            said = status(job)
        except NotFound as error:
            if not pages:
                raise
            api.partial(f"the vendor forgot the export after {pages} chunks: {error.message}", scope)
            return
        state = said if isinstance(said, JobState) else JobState(*said)
        fresh = [chunk for chunk in state.chunks if chunk not in done]
        for chunk in fresh:
            try:
                records = fetch(job, chunk)
            except (NotFound, BrokenAnswer) as error:
                done.add(chunk)
                api.partial(f"chunk {chunk} of the export cannot be read: {error.message}", scope)
                continue
            except BadRequest as error:
                refused[chunk] = refused.get(chunk, 0) + 1
                if refused[chunk] >= CHUNK_TRIES:
                    done.add(chunk)
                    api.partial(f"chunk {chunk} of the export stays refused: {error.message}", scope)
                continue
            done.add(chunk)
            pages += 1
            yield Page(list(records or ()), scope, cursor=f"chunk {chunk}")
            api.progress(f"{pages} chunks of the export")
        if state.failed:
            api.partial(f"the vendor could not prepare chunk {', '.join(map(str, state.failed))} of its export", scope)
        ended = state.state.upper() in ENDED
        if ended and all(chunk in done for chunk in state.chunks):
            judge_end(api, state, len(done), pages, scope)
            return
        if api.client.clock() > deadline:
            raise BudgetExceeded(
                f"the export was not ready after {limit_seconds / 60:.0f} min (state {state.state}, {pages} chunks read)",
                hint="what came is kept as partial; the vendor's export queue is busy, sync at another hour",
            )
        idle = 0 if len(done) and fresh else idle + 1
        api.pause(pauses[min(idle, len(pauses) - 1)])


def begin(api: Api, start: Callable[[], str], adopt: Callable[[ConnectorError], str | None] | None) -> str:
    """The job's id, of a new job or of the one that runs already.

    A 429 says that nothing was begun, so the start is tried again after it; any other failure is final.
    """
    for attempt in range(1, START_TRIES + 1):
        try:
            return start()
        except ConnectorError as error:
            running = adopt(error) if adopt else None
            if running:
                api.progress("an export of the same kind runs already and is used")
                return running
            if error.status != 429 or attempt == START_TRIES:
                raise
            api.wait(error.retry_after if error.retry_after is not None else 2.0**attempt)
    raise AssertionError("unreachable: the last try returns or raises")


def judge_end(api: Api, state: JobState, chunks: int, pages: int, scope: str) -> None:
    """What the end of a job says about the completeness of its scope."""
    if state.state.upper() in FAILED:
        why = f"{state.state}{f': {api.mask(state.reason)[:300]}' if state.reason else ''}"
        if not pages:
            raise RetryLater(f"the export ended without data, {why}", hint="the next sync starts a new one")
        api.partial(f"the vendor ended the export with {why}", scope)
    if state.expected is not None and chunks + len(state.failed) < state.expected:
        api.partial(f"only {chunks} of {state.expected} chunks of the export came", scope)
