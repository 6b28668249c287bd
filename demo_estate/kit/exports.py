"""Export jobs: started, polled until their chunks are ready, kept for a while, then gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from demo_estate.kit.clock import VirtualClock

Chunk = Callable[[], Any]


@dataclass(slots=True, eq=False)
class ExportJob:
    """One job. `order`: chunk ids in the order in which they become available, which need not be ascending.

    Progress is by polls, so it is the same on every run: QUEUED at the first, then a share of the chunks at each.
    """

    id: str
    kind: str
    parameters: Mapping[str, Any]
    created_at: float
    chunks: dict[int, Chunk]
    order: Sequence[int]
    polls_until_done: int
    polls: int = 0
    finished_at: float | None = None
    cancelled: bool = False
    failed_chunks: set[int] = field(default_factory=set)

    @property
    def status(self) -> Literal["QUEUED", "PROCESSING", "FINISHED", "CANCELLED"]:
        if self.cancelled:
            return "CANCELLED"
        if self.finished_at is not None:
            return "FINISHED"
        return "PROCESSING" if self.polls > 1 else "QUEUED"

    @property
    def available(self) -> list[int]:
        """Ids of the chunks that can be downloaded now, in order of appearance."""
        if self.polls >= self.polls_until_done:
            ready = len(self.order)
        else:
            ready = len(self.order) * max(0, self.polls - 1) // max(1, self.polls_until_done - 1)
        return [chunk for chunk in self.order[:ready] if chunk not in self.failed_chunks]


class ExportJobs:
    """All jobs of one service. retention: seconds a finished job can still be read."""

    def __init__(self, clock: VirtualClock, retention: float = 86400.0, polls_until_done: int = 3) -> None:
        self.clock = clock
        self.retention = retention
        self.polls_until_done = polls_until_done
        self._jobs: dict[str, ExportJob] = {}
        self._lock = threading.Lock()

    def start(
        self,
        job_id: str,
        kind: str,
        parameters: Mapping[str, Any],
        chunks: Mapping[int, Chunk],
        order: Sequence[int] | None = None,
    ) -> ExportJob:
        """Open a job. A chunk is a function that makes its body when it is downloaded, so nothing is held in memory."""
        job = ExportJob(
            id=job_id,
            kind=kind,
            parameters=dict(parameters),
            created_at=self.clock.time(),
            chunks=dict(chunks),
            order=list(chunks) if order is None else list(order),
            polls_until_done=self.polls_until_done,
        )
        with self._lock:
            self._jobs[job_id] = job
        return job

    def running(self, kind: str, parameters: Mapping[str, Any]) -> ExportJob | None:
        """An unfinished job of the same kind and parameters: what makes a second start a duplicate."""
        with self._lock:
            return next(
                (
                    job
                    for job in self._jobs.values()
                    if job.kind == kind
                    and job.finished_at is None
                    and not job.cancelled
                    and job.parameters == parameters
                ),
                None,
            )

    def poll(self, job_id: str) -> ExportJob | None:
        """The job after one more step of progress; None when unknown or past its retention."""
        with self._lock:
            job = self._find(job_id)
            if job is not None and not job.cancelled:
                job.polls += 1
                if job.finished_at is None and job.polls >= job.polls_until_done:
                    job.finished_at = self.clock.time()
            return job

    def find(self, job_id: str) -> ExportJob | None:
        """The job as it is, without progress; None when unknown or past its retention."""
        with self._lock:
            return self._find(job_id)

    def cancel(self, job_id: str) -> ExportJob | None:
        with self._lock:
            job = self._find(job_id)
            if job is not None:
                job.cancelled = True
            return job

    def all(self) -> list[ExportJob]:
        with self._lock:
            return list(self._jobs.values())

    def clear(self) -> None:
        with self._lock:
            self._jobs.clear()

    def _find(self, job_id: str) -> ExportJob | None:
        job = self._jobs.get(job_id)
        if job is None or (job.finished_at is not None and self.clock.time() > job.finished_at + self.retention):
            return None
        return job
