"""The Dagster web UI on a demo home, in a real browser. EXPOSURE_SCREENSHOTS=folder keeps the pictures."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exposure_pipelines.cli.services import free_port
from tests.demo.conftest import Demo

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def dagster_ui(demo: Demo) -> Iterator[str]:
    """`exposure up` after a sync that failed, and its end by Ctrl-C, which must leave no process behind."""
    gone = {"ESTATE_TENABLE_PROD_ACCESS_KEY": "x" * 8, "ESTATE_TENABLE_PROD_SECRET_KEY": "y" * 8}
    assert demo.call("sync", "tenable_prod", **gone).returncode == 1
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "exposure_pipelines.cli.main", "up", "--port", str(port)],
        env=demo.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=2).close()
            break
        except OSError:
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(1)
    yield address
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=300) == 0
    left = subprocess.run(["pgrep", "-f", str(demo.home)], capture_output=True, text=True)
    assert left.stdout == "", "a process was left behind"


@pytest.fixture(scope="module")
def page(dagster_ui: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(90_000)
        yield page
        browser.close()


def picture(page: Any, tmp_path: Path, name: str) -> Path:
    folder = Path(os.environ.get("EXPOSURE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.png"
    page.screenshot(path=str(file))
    assert file.stat().st_size > 20_000, "the picture is blank"
    return file


def test_the_asset_graph_shows_every_layer(dagster_ui: str, page: Any, tmp_path: Path) -> None:
    page.goto(f"{dagster_ui}/asset-groups")
    page.get_by_text("marts", exact=False).first.wait_for()
    page.get_by_text("landed_tenable", exact=False).first.wait_for()
    page.wait_for_timeout(3000)
    picture(page, tmp_path, "asset-graph")


def test_a_materialised_partition_shows_its_metadata(dagster_ui: str, page: Any, tmp_path: Path) -> None:
    today = datetime.now(UTC).date().isoformat()
    page.goto(f"{dagster_ui}/assets/marts/devices?view=partitions&partition={today}")
    page.get_by_text("dagster/row_count", exact=False).first.wait_for()
    picture(page, tmp_path, "partition")


def test_the_worst_attack_path_is_a_picture_that_is_drawn(dagster_ui: str, page: Any, tmp_path: Path) -> None:
    today = datetime.now(UTC).date().isoformat()
    page.goto(f"{dagster_ui}/assets/marts/attack_paths?view=partitions&partition={today}")
    page.get_by_text("top_path", exact=False).first.wait_for()
    assert page.locator("a[href*='choke_points']").count() > 0, "a link to the table to look at next"
    page.get_by_text("Show markdown", exact=False).first.click()
    drawn = page.locator("img[alt='the path']").first
    drawn.wait_for()
    assert drawn.evaluate("image => image.complete && image.naturalWidth > 300")
    picture(page, tmp_path, "attack-path")


def test_checks_are_shown_with_their_outcome(dagster_ui: str, page: Any, tmp_path: Path) -> None:
    page.goto(f"{dagster_ui}/assets/marts/devices?view=checks")
    page.get_by_text("Passed", exact=False).first.wait_for()
    picture(page, tmp_path, "checks")


def test_a_failed_sync_is_a_failing_check_that_says_what_to_do(dagster_ui: str, page: Any, tmp_path: Path) -> None:
    page.goto(f"{dagster_ui}/assets/landed/tenable/tenable_prod/assets?view=checks&checkDetail=complete")
    page.get_by_text("Failed", exact=False).first.wait_for()
    page.get_by_text("connection", exact=False).first.wait_for()
    picture(page, tmp_path, "failing-check")
