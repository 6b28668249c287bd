"""One demo home for all tests of this folder: a whole run over real HTTP, two days of a small company."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

DEVICES, DAYS = 200, 2
#: Seconds until a demo hangs. It takes a minute or two; on a machine busy with other work it took ten.
LONGEST = 1500


@dataclass(frozen=True)
class Demo:
    """A home after `exposure demo`, what it said, and the command lines of all its processes."""

    home: Path
    output: str
    commands: str = ""

    def environment(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("EXPOSURE_", "DAGSTER_", "ESTATE_"))
        }
        return {**kept, "EXPOSURE_HOME": str(self.home), "COLUMNS": "200"}

    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "exposure_pipelines.cli.main", *arguments],
            env={**self.environment(), **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`exposure demo` as a newcomer calls it."""
    home = tmp_path_factory.mktemp("demo") / "home"
    arguments = ["demo", "--devices", str(DEVICES), "--days", str(DAYS)]
    with (tmp_path_factory.mktemp("said") / "output").open("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "exposure_pipelines.cli.main", *arguments],
            env=Demo(home, "").environment(),
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        seen: set[str] = set()
        deadline = time.monotonic() + LONGEST
        while process.poll() is None and time.monotonic() < deadline:
            seen |= set(command_lines(process.pid))
            time.sleep(0.5)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        output = said.read()
    assert process.returncode == 0, output
    return Demo(home, output, "\n".join(seen))


def command_lines(session: int) -> Iterator[str]:
    """Of the processes of a session."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(folder.name)) == session:
                yield (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
