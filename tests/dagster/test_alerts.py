"""A failed run is told, by name and with the fix, to a real web server and a real SMTP conversation."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dagster as dg
import pytest

from exposure_pipelines.alerts import Alert, load_alerts, send
from exposure_pipelines.assembly import build_definitions
from exposure_pipelines.dagster_home import prepare_dagster_home, served_repository
from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.sensors import alert_of, alert_sensor, partial_alert, partial_sensor
from tests.dagster.conftest import Hook, Site

ALERT = Alert(
    "sync_tenable_prod",
    "tenable_prod",
    "2026-11-23",
    "assets: HTTP 401\nrenew the key",
    "run-1",
    "https://ui/runs/run-1",
)


class Smtp(socketserver.StreamRequestHandler):
    got: list[str] = []

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        body, reading = [], False
        for raw in self.rfile:
            line = raw.decode()
            if reading:
                if line == ".\r\n":
                    reading = False
                    Smtp.got.append("".join(body))
                    self.wfile.write(b"250 kept\r\n")
                else:
                    body.append(line)
                continue
            word = line[:4].upper()
            reading = word == "DATA"
            answer = {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 good\r\n")
            self.wfile.write(answer)
            if word == "QUIT":
                return


@pytest.fixture
def smtp() -> Iterator[int]:
    Smtp.got = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def write(root: Path, port: int) -> None:
    (root / "alerts.yaml").write_text(
        "webhook: {url: {env: ALERT_HOOK}}\n"
        f"email: {{host: 127.0.0.1, port: {port}, security: none, sender: a@corp.example, recipients: [b@corp.example]}}\n"
    )


def test_both_ways_tell_what_failed_why_and_where_to_look(
    tmp_path: Path, hook: str, smtp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_HOOK", hook)
    write(tmp_path, smtp)
    send(load_alerts(tmp_path), ALERT)
    (posted,) = Hook.got
    assert posted["instance"] == "tenable_prod"
    assert "renew the key" in posted["text"]
    (mailed,) = Smtp.got
    assert "Subject: Exposure pipelines: sync of tenable_prod failed (2026-11-23)" in mailed
    assert "https://ui/runs/run-1" in mailed


def test_one_way_that_fails_does_not_silence_the_other_and_the_address_is_not_told(
    tmp_path: Path, hook: str, smtp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_HOOK", hook)
    write(tmp_path, smtp)
    Hook.status = 500
    with pytest.raises(WorkFailed, match="webhook: WorkFailed \\(it answered 500\\)") as error:
        send(load_alerts(tmp_path), ALERT)
    assert "secret-part" not in str(error.value)
    assert len(Smtp.got) == 1


def test_a_webhook_in_the_clear_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_HOOK", "http://hooks.example/secret-part")
    (tmp_path / "alerts.yaml").write_text("webhook: {url: {env: ALERT_HOOK}}\n")
    with pytest.raises(WorkFailed, match="must begin with https") as error:
        send(load_alerts(tmp_path), ALERT)
    assert "secret-part" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("webhook: {url: 'https://hooks.example/secret-part'}", "never write the secret itself here"),
        (
            "email: {host: h, sender: a@b, recipients: [c@d], username: u, password: {env: P}, security: none}",
            "in the clear",
        ),
        ("email: {host: h, sender: a@b, recipients: [c@d], username: u}", "username and password together"),
        ("mail: {}", "did you mean email"),
        ("email: {host: h, sender: a@b, recipients: []}", "at least 1"),
        ("{", "cannot be read"),
    ],
)
def test_a_bad_file_is_refused_without_its_secret(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "alerts.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as error:
        load_alerts(tmp_path)
    assert said in str(error.value), str(error.value)
    assert "secret-part" not in str(error.value)


def test_a_failed_sync_names_instance_stream_cause_and_fix(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    site.tell("alpha_main", fail="hosts")
    assert not site.sync("alpha_main").success
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        (event,) = (
            record.event_log_entry.dagster_event
            for record in instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
        )
        assert event is not None
        context = dg.build_run_status_sensor_context("alert_on_failure", event, instance, run).for_run_failure()
        alert = alert_of(context, {"sync_alpha_main": "alpha_main"})
    assert alert.instance == "alpha_main"
    assert alert.partition == "2026-11-20"
    assert "hosts" in alert.cause
    assert "What was landed before is kept" in alert.cause


def newest(site: Site, kind: dg.DagsterEventType) -> Alert | None:
    """What is told of the newest run, by the sensor that hears of runs that end so."""
    with dg.DagsterInstance.get() as instance:
        run = instance.get_runs(limit=1)[0]
        (record,) = instance.get_records_for_run(run.run_id, of_type=kind).records
        event = record.event_log_entry.dagster_event
        assert event is not None
        context = dg.build_run_status_sensor_context("alert", event, instance, run)
        if kind == dg.DagsterEventType.RUN_FAILURE:
            return alert_of(context.for_run_failure(), {"sync_alpha_main": "alpha_main"})
        return partial_alert(context, {"sync_alpha_main": "alpha_main"})


def test_a_stream_that_becomes_partial_is_told_once_and_once_when_it_is_complete_again(site: Site) -> None:
    told: list[Alert | None] = []
    for hour, behaviour in enumerate(
        [{}, {"partial": "page 3 is missing"}, {"partial": "page 3 is missing"}, {}, {}], start=8
    ):
        site.at(f"2026-11-20T{hour:02}:00:00Z")
        site.tell("alpha_main", **behaviour)
        assert site.sync("alpha_main").success
        told.append(newest(site, dg.DagsterEventType.RUN_SUCCESS))
    good, worse, still, well, steady = told
    assert (good, still, steady) == (None, None, None)
    assert worse is not None
    assert (worse.instance, worse.state) == ("alpha_main", "partial")
    assert worse.title == "Exposure pipelines: sync of alpha_main is partial (2026-11-20)"
    assert "alpha_main, stream hosts became partial: page 3 is missing" in worse.text
    assert "then `exposure sync alpha_main`" in worse.text
    assert well is not None
    assert well.title == "Exposure pipelines: sync of alpha_main is complete again (2026-11-20)"
    assert "stream hosts is complete again, after it was partial" in well.text
    assert "users" not in well.text

    # a past date that is kept is no news
    site.at("2026-11-22T12:00:00Z")
    assert site.sync("alpha_main", "2026-11-20").success
    assert newest(site, dg.DagsterEventType.RUN_SUCCESS) is None


def test_the_sensor_of_the_code_location_hears_of_a_partial_sync_and_posts_it(
    site: Site, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_HOOK", hook)
    (site.home.root / "alerts.yaml").write_text("webhook: {url: {env: ALERT_HOOK}}\n")
    prepare_dagster_home(site.home)
    repository = build_definitions(site.home).get_repository_def()
    sensor = repository.get_sensor_def("alert_on_partial")
    served = served_repository()
    with dg.DagsterInstance.get() as instance:
        # as the daemon asks: it says where the sensor lives, and runs of elsewhere are passed over
        asked = partial(
            dg.SensorEvaluationContext,
            None,
            instance=instance,
            repository_def=repository,
            repository_name=served.repository_name,
            code_location_origin=served.code_location_origin,
        )
        first = sensor.evaluate_tick(asked())
        site.tell("alpha_main", partial="page 3 is missing")
        assert site.sync("alpha_main").success
        sensor.evaluate_tick(asked(cursor=first.cursor))
    (posted,) = Hook.got
    assert (posted["instance"], posted["state"]) == ("alpha_main", "partial")
    assert "stream hosts became partial: page 3 is missing" in posted["text"]


def test_a_run_that_fails_tells_in_one_message_what_else_became_partial(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    site.tell("alpha_main", fail="users", partial="page 3 is missing")
    assert not site.sync("alpha_main").success
    told = newest(site, dg.DagsterEventType.RUN_FAILURE)
    assert told is not None
    assert told.state == "failed"
    assert "make a new key" in told.cause
    assert "stream hosts became partial: page 3 is missing" in told.cause
    site.at("2026-11-20T13:00:00Z")
    site.tell("alpha_main")
    assert site.sync("alpha_main").success
    well = newest(site, dg.DagsterEventType.RUN_SUCCESS)
    assert well is not None
    assert "stream users is complete again, after it was failed" in well.cause


def test_a_run_whose_process_was_killed_is_told_with_what_that_means(site: Site) -> None:
    prepare_dagster_home(site.home)

    @dg.job(name="sync_alpha_main")
    def killed() -> None: ...

    with dg.DagsterInstance.get() as instance:
        run = instance.create_run_for_job(killed, status=dg.DagsterRunStatus.STARTED)
        event = instance.report_run_failed(run)
        context = dg.build_run_status_sensor_context("alert_on_failure", event, instance, run).for_run_failure()
        alert = alert_of(context, {"sync_alpha_main": "alpha_main"})
    assert alert.instance == "alpha_main"
    assert "killed, out of memory" in alert.cause
    assert "the next run starts anew" in alert.cause


def test_the_sensor_is_on_only_where_somebody_is_named(site: Site) -> None:
    assert alert_sensor(["a"]).default_status == dg.DefaultSensorStatus.STOPPED
    (site.home.root / "alerts.yaml").write_text("{}\n")
    assert alert_sensor(["a"]).default_status == dg.DefaultSensorStatus.RUNNING
    assert partial_sensor(["a"]).default_status == dg.DefaultSensorStatus.RUNNING
