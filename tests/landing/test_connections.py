"""Connection files: what is refused, and what the message says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from connector_assets import registry
from connector_assets.kit import Connector
from exposure_pipelines.connections import load_connections
from exposure_pipelines.errors import ConfigurationError
from tests.landing.conftest import Workbench, pages, stream


@pytest.fixture
def files(bench: Workbench) -> Workbench:
    bench.product(stream(pages([])))
    return bench


def errors_of(files: Workbench, text: str, name: str = "acme_main.yaml") -> str:
    (files.home.connections / name).write_text(text)
    (broken,) = load_connections(files.home).broken
    assert broken.file.name == name
    return "; ".join(broken.errors)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("product: acme\nscedule: x\n", "line 2: scedule: unknown key - did you mean schedule?"),
        ("product: acem\n", "there is no connector 'acem' - did you mean acme?"),
        ("product: acme\nstreams: [thing]\n", "streams: 'thing' is unknown - did you mean things?"),
        ("product: acme\nschedule: every hour\n", "is not a cron line"),
        ("product: acme\n  base_url: x\n", "not valid YAML"),
        ("product: acme\nstreams: [a: b: c]\n", "not valid YAML: a sign is missing, such as a comma"),
        ("product: acme\nwindow_days: soon\n", "line 2: window_days"),
        ("product: acme\nowner: bob\n", "expected team:NAME or an e-mail address"),
        ("product: acme\nscope: Plant A\n", "line 2: scope: expected a word such as plant_a"),
        ("product: acme\nmax_age_hours: 0\n", "max_age_hours"),
        ("- product\n", "expected `key: value` lines"),
        ("product: acme\ncredentials: {token: {env: A, file: /b}}\n", "exactly one of env and file"),
        ("product: acme\ncredentials: {tokn: {env: A}}\n", "credentials.tokn: unknown - did you mean token?"),
        ("product: acme\noptions:\n  speed: 9\n", "line 3: options.speed: unknown key"),
        ("product: acme\nstreams: [thing]\ncredentials: {tokn: {env: A}}\n", "line 2: streams"),
        ("product: acme\nstreams: [thing]\ncredentials: {tokn: {env: A}}\n", "line 3: credentials.tokn"),
        ("product: acme\nenabled: true\nenabled: false\n", "line 3: enabled: stands there twice, first in line 2"),
        ("product: acme\nstreams: []\n", "line 2: streams"),
        ("product: acme\nschedule: every hour\n", "line 2: schedule"),
        ("product: acme\nmax_age_hours: 2026-13-45\n", "a value has no meaning"),
        ("product: acme\nvolume_guard: 2\n", "line 2: volume_guard.default: Input should be less than or equal to 1"),
        (
            "product: acme\nvolume_guard: {things: 0.5}\n",
            "line 2: volume_guard: expected a share such as 0.5, or {default",
        ),
        (
            "product: acme\nvolume_guard:\n  streams:\n    thing: 0.5\n",
            "line 4: volume_guard.streams.thing: there is no such stream - did you mean things?",
        ),
        (
            "product: acme\nvolume_guard: {streams: {things: -1}}\n",
            "volume_guard.streams.things: Input should be greater",
        ),
    ],
)
def test_a_mistake_names_the_line_the_key_and_the_fix(files: Workbench, text: str, said: str) -> None:
    assert said in errors_of(files, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("credentials: {token: hunter2-secret}", "never write the secret itself"),
        ("credentials: {token: {env: hunter2-secret}}", "expected the name of an environment variable"),
        ("credentials: {token: {env: hunter2a8f7c61d09be54}}", "expected the name of an environment variable"),
        ("credentials: {token: {hunter2-secret: x}}", "expected only env or file"),
        ("credentials: {token: [hunter2-secret]}", "never write the secret itself"),
        ("credentials: hunter2-secret", "credentials"),
        ("credentials: {token: *hunter2-secret}", "not valid YAML"),
        ("credentials: {token: !hunter2-secret x}", "not valid YAML"),
        ("base_url: https://reader:hunter2-secret@acme.example", "holds a password"),
    ],
)
def test_a_secret_written_into_the_file_is_refused_without_being_repeated(
    files: Workbench, text: str, said: str
) -> None:
    errors = errors_of(files, f"product: acme\n{text}\n")
    assert said in errors
    assert "line 2" in errors
    assert "hunter2" not in errors


def test_a_volume_guard_is_one_number_or_one_for_each_stream(files: Workbench) -> None:
    def share(text: str) -> float:
        return files.connection(text=f"product: acme\n{text}").volume_guard.share("things")

    assert [share(""), share("volume_guard: 0.7\n"), share("volume_guard: {streams: {things: 0.2}}\n")] == [
        0.5,
        0.7,
        0.2,
    ]


def test_a_broken_file_does_not_stop_the_others(files: Workbench) -> None:
    (files.home.connections / "good.yaml").write_text("product: acme\n")
    errors_of(files, "product: nothing\n")
    assert [connection.instance for connection in load_connections(files.home).valid] == ["good"]


def test_a_connector_that_cannot_be_imported_does_not_stop_the_others(
    files: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = registry.load

    def load(product: str) -> Connector:
        if product == "broken":
            raise ImportError("no module named acme_sdk")
        return working(product)

    monkeypatch.setattr(registry, "products", lambda: ("acme", "broken"))
    monkeypatch.setattr(registry, "load", load)
    (files.home.connections / "good.yaml").write_text("product: acme\n")
    assert "no module named acme_sdk" in errors_of(files, "product: broken\n", "worse.yaml")
    assert [connection.instance for connection in load_connections(files.home).valid] == ["good"]


def test_the_same_instance_twice_is_refused(files: Workbench) -> None:
    files.connection("acme_main")
    assert "a second file for instance" in errors_of(files, "product: acme\n", "acme_main.yml")


def test_without_a_schedule_the_connectors_own_hours_count(files: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = replace(files.product(stream(pages([]))), default_schedule="0 */6 * * 1")
    monkeypatch.setattr(registry, "load", lambda product: connector)
    assert files.connection().cron.split()[1:] == ["*/6", "*", "*", "1"]
    assert files.connection(text='product: acme\nschedule: "5 3 * * *"\n').cron == "5 3 * * *"


def test_loading_connections_is_light() -> None:
    heavy = "('pandas', 'duckdb', 'requests', 'pyarrow', 'fsspec', 'dagster')"
    code = f"import sys, exposure_pipelines.connections; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_name_that_dagster_would_change_is_refused(files: Workbench) -> None:
    assert "lower-case letters" in errors_of(files, "product: acme\n", "acme-eu.yaml")


def test_a_missing_secret_names_the_variable_and_not_more(files: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = files.connection(text="product: acme\ncredentials: {token: {env: ACME_TOKEN}}\n")
    with pytest.raises(Exception, match="ACME_TOKEN is not set"):
        connection.settings().secrets["token"]
    monkeypatch.setenv("ACME_TOKEN", "s3cret-value")
    secrets = connection.settings().secrets
    assert secrets["token"] == "s3cret-value"
    assert "s3cret" not in repr(secrets)


def test_schedules_without_a_wish_are_spread_over_the_hour(files: Workbench) -> None:
    minutes = {files.connection(f"acme_{number}").cron.split()[0] for number in range(20)}
    assert len(minutes) > 10


def test_an_unknown_instance_is_answered_with_the_known_ones(files: Workbench) -> None:
    files.connection("acme_main")
    with pytest.raises(ConfigurationError, match="did you mean acme_main"):
        load_connections(files.home).get("acme_mian")
