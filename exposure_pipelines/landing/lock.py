"""One sync of an instance at a time on this machine; a lock left by a process that died is taken over by the system."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from exposure_pipelines.errors import WorkFailed


@contextmanager
def instance_lock(folder: Path, instance: str) -> Iterator[None]:
    """Hold the instance for a sync. Raises WorkFailed when another process holds it.

    The operating system drops the lock with the process, so that a kill leaves nothing to clean up.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / f"{instance}.lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise WorkFailed(
                f"{instance} is being synced already ({handle.read().strip() or 'by another process'}); "
                "wait for it to end, or end that process."
            ) from None
        handle.truncate(0)
        handle.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        handle.flush()
        yield
