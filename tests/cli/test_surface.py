"""Every command helps, speaks JSON where it prints a table, and fails with the right code and a message that helps."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from exposure_pipelines.cli import output, runs
from exposure_pipelines.dagster_home import SETTINGS, SQLITE
from tests.cli.conftest import Exposure

COMMANDS = [
    "demo",
    "up",
    "connectors list",
    "connectors add",
    "connectors check",
    "connectors scaffold",
    "sync",
    "build",
    "status",
    "tables",
    "export",
    "query",
    "explain",
    "resolve",
    "explore",
    "estate serve",
    "doctor",
]


def test_every_command_has_help_with_an_example() -> None:
    from typer.testing import CliRunner

    from exposure_pipelines.cli.main import app

    for command in COMMANDS:
        result = CliRunner().invoke(app, [*command.split(), "--help"])
        assert result.exit_code == 0, command
        assert "Example" in result.output, command


def test_the_version_is_that_of_the_installed_package(exposure: Exposure) -> None:
    from importlib.metadata import version

    assert version("exposure-pipelines") in exposure("--version").stdout


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("nonsense", "No such command"),
        ("build --date yesterday", "expected YYYY-MM-DD"),
        ("build --to 2026-01-01", "--to needs --from"),
        ("build --from 2026-02-02 --to 2026-02-01", "ends (2026-02-01) before it starts"),
        ("build --date 2999-01-01", "lies in the future"),
        ("connectors add tenabel", "Did you mean tenable?"),
        ("connectors add tenable --name Tenable-EU", "lower-case letters"),
        ("connectors add tenable --secret token=X", "'token' is unknown"),
        ("connectors add tenable --option speed=9", "'speed' is unknown"),
        ("connectors check nobody", "There is no instance 'nobody'"),
        ("sync", "exposure connectors add PRODUCT"),
        ("tables devcies", "Did you mean devices?"),
        ("tables nothing", "There is no table 'nothing'"),
        ("export devcies", "Did you mean devices?"),
        ("export devices -o .", "is a folder; name a file"),
        ("export devices --date tomorrow", "expected YYYY-MM-DD"),
        ("resolve nowhere.jsonl --kind device", "is not a file"),
        ("query x", "is not in this release"),
    ],
)
def test_a_wrong_call_exits_with_2_and_says_what_was_expected(exposure: Exposure, call: str, said: str) -> None:
    outcome = exposure(*call.split())
    assert outcome.returncode == 2, outcome.stderr
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_host_that_is_not_here_is_not_called_a_port_that_is_taken(exposure: Exposure) -> None:
    outcome = exposure("up", "--port", "0", "--host", "192.0.2.1")
    assert outcome.returncode == 2
    assert "192.0.2.1 is no address of this machine" in outcome.stderr


def test_a_demo_that_cannot_be_served_is_refused_before_it_runs(exposure: Exposure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = exposure("demo", "--devices", "10", "--serve", "--port", str(port))
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert f"Port {port} is taken; choose another with --port." in outcome.stderr


def test_one_home_is_served_once_and_not_emptied_while_it_is(
    exposure: Exposure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two daemons on a home start every scheduled run twice; a demo of another company removes Dagster's folder."""
    from exposure_pipelines.cli.demo_home import MARKER
    from exposure_pipelines.cli.services import claim_services, note_down
    from exposure_pipelines.home import Home

    root = tmp_path / "home"
    home = Home(root, root / "connections", str(root / "lake"), f"sqlite:///{root / 'warehouse.db'}").ensure()
    (root / MARKER).write_text("{}")
    with claim_services(home) as claim:
        note_down(claim, "http://127.0.0.1:3000", {"daemon": 4711})
        for call in ("up --port 0", "demo --devices 10 --serve --port 0", "demo --devices 10"):
            outcome = exposure(*call.split())
            assert outcome.returncode == 2, call
            assert "is served already: http://127.0.0.1:3000, processes daemon 4711" in outcome.stderr.replace("\n", "")
    claim_services(home).close()
    assert home.dagster.exists()
    monkeypatch.setattr(fcntl, "flock", no_locks)
    claim_services(home).close()


def no_locks(*_: object) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_a_fault_plan_that_is_no_yaml_names_the_file(exposure: Exposure, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("faults: [1")
    outcome = exposure("estate", "serve", "--devices", "10", "--faults", str(tmp_path / "plan.yaml"))
    assert outcome.returncode == 2
    assert "plan.yaml is not valid YAML" in outcome.stderr.replace("\n", "")
    assert "Traceback" not in outcome.stderr


def test_a_demo_home_whose_marker_is_broken_starts_over(tmp_path: Path) -> None:
    from exposure_pipelines.cli.demo_home import MARKER
    from exposure_pipelines.cli.demo_run import DemoRun
    from exposure_pipelines.home import Home

    home = Home(tmp_path, tmp_path / "connections", str(tmp_path / "lake"), "sqlite://").ensure()
    (tmp_path / MARKER).write_text('{"devices": 5')
    (home.lake / "landed").mkdir()
    DemoRun(home, devices=10, seed=7, days=1).claim_home()
    assert json.loads((tmp_path / MARKER).read_text()) == {"devices": 10, "seed": 7, "days": 1}
    assert not (home.lake / "landed").exists()


def test_observations_may_come_through_a_pipe() -> None:
    line = json.dumps({"record": "a:b:1", "product": "a", "identifiers": {"serial_number": "5CG1234XYZ"}})
    command = [sys.executable, "-m", "exposure_pipelines.cli.main", "resolve", "-", "--kind", "device"]
    outcome = subprocess.run(command, input=f"{line}\n", capture_output=True, text=True, timeout=120)
    assert json.loads(outcome.stdout)["record"] == "a:b:1", outcome.stderr


def test_work_that_cannot_be_done_exits_with_1(exposure: Exposure) -> None:
    outcome = exposure("export", "devices")
    assert outcome.returncode == 1
    assert "is not built in" in outcome.stderr


def test_the_catalogue_in_json_holds_what_machines_ask_for(exposure: Exposure) -> None:
    exposure("connectors", "add", "tenable", "--name", "tenable_prod")
    rows = json.loads(exposure("connectors", "list", "--json").stdout)
    assert {"entra_id", "defender_endpoint", "servicenow", "tenable"} <= {row["product"] for row in rows}
    for row in rows:
        assert {"title", "streams", "asset_kinds", "billable_kinds", "permissions", "evidence"} <= set(row)
    (configured,) = (row for row in rows if row["instance"])
    assert (configured["instance"], configured["state"]) == ("tenable_prod", "never synced")


def test_the_name_of_a_record_of_an_instance_called_cloud_has_no_picture_in_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "rapid7:cloud:[b]17"
    output.say(name)
    output.warn(name)
    output.print_table([{"record": name}], ("record",), empty="")
    told = capsys.readouterr()
    assert (told.out.count(name), told.err.count(name)) == (2, 1)
    screen = io.StringIO()
    monkeypatch.setattr(output, "stderr", Console(file=screen, force_terminal=True, width=80))
    with runs.progress(f"resolving {name}", quiet=False) as update:
        update(f"comparing {name}")
    assert name in screen.getvalue()


@pytest.mark.parametrize("product", ["entra_id", "defender_endpoint", "servicenow", "tenable"])
def test_an_added_connection_is_valid_yaml_without_a_secret_and_is_not_overwritten(
    exposure: Exposure, tmp_path: Path, product: str
) -> None:
    assert exposure("connectors", "add", product).returncode == 0
    document = yaml.safe_load((tmp_path / "home" / "connections" / f"{product}.yaml").read_text())
    assert document["product"] == product
    assert all(set(reference) == {"env"} for reference in (document["credentials"] or {}).values())
    again = exposure("connectors", "add", product)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_options_given_on_the_command_line_reach_the_file(exposure: Exposure, tmp_path: Path) -> None:
    exposure("connectors", "add", "tenable", "--option", "chunk_size=500", "--secret", "access_key=MY_KEY")
    document = yaml.safe_load((tmp_path / "home" / "connections" / "tenable.yaml").read_text())
    assert document["options"] == {"chunk_size": 500}
    assert document["credentials"]["access_key"] == {"env": "MY_KEY"}


@pytest.mark.parametrize(
    "given",
    [
        "access_key=4b2e4fe9324aa810ee8db4847201136bf25f5d0c02e3c33d918e116eb146516f",
        "access_key=s3cr3t!value: x",
        "access_key=file:",
        "4b2e4fe9324aa810ee8db4847201136b",
        "4b2e4fe9324aa810ee8db4847201136b==",
    ],
)
def test_a_secret_in_place_of_its_variable_is_neither_written_nor_repeated(
    exposure: Exposure, tmp_path: Path, given: str
) -> None:
    outcome = exposure("connectors", "add", "tenable", "--secret", given)
    assert outcome.returncode == 2
    secret = given.removeprefix("access_key=").rstrip("=")
    assert secret not in outcome.stdout + outcome.stderr.replace("or file:PATH", "")
    assert "--secret" in outcome.stderr
    assert list((tmp_path / "home" / "connections").iterdir()) == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("notaurl", "'notaurl' is not an address; expected https://host"),
        ("ftp://files.example", "is not an address; expected https://host"),
        ("http://cmdb.corp.example", "credentials travel over https only"),
        ("https://svc:hunter2@cmdb.corp.example", "put them under credentials"),
    ],
)
def test_a_base_address_that_cannot_be_one_is_refused_where_it_is_typed_and_where_it_is_read(
    exposure: Exposure, tmp_path: Path, address: str, expected: str
) -> None:
    connections = tmp_path / "home" / "connections"
    added = exposure("connectors", "add", "tenable", "--base-url", address)
    assert added.returncode == 2
    assert expected in " ".join(added.stderr.split())
    assert list(connections.iterdir()) == []
    (connections / "typed.yaml").write_text(f"product: tenable\nbase_url: {address}\n")
    listed = exposure("connectors", "check", "typed")
    assert listed.returncode == 2
    assert "base_url" in listed.stderr
    assert "hunter2" not in added.stderr + listed.stderr + listed.stdout


@pytest.mark.parametrize("typed", ["a: b # c", "no", "007", "{x", "domain\\user", "svc@corp.example", "Ωser, 'x'"])
def test_an_option_with_signs_of_yaml_is_the_text_that_was_typed(tmp_path: Path, typed: str) -> None:
    from connector_assets import registry
    from exposure_pipelines.cli.connection_file import connection_text

    text = connection_text(registry.load("servicenow"), "sn", typed, {"username": typed}, {"password": f"file:{typed}"})
    document = yaml.safe_load(text)
    assert (document["options"], document["base_url"]) == ({"username": typed}, typed)
    assert document["credentials"] == {"password": {"file": typed}}


def test_the_doctor_finds_a_broken_file_and_a_missing_secret(exposure: Exposure, tmp_path: Path) -> None:
    exposure("connectors", "add", "tenable", "--name", "tenable_prod")
    (tmp_path / "home" / "connections" / "broken.yaml").write_text("product: tenable\nscedule: now\n")
    outcome = exposure("doctor", "--json")
    assert outcome.returncode == 1
    problems = {
        row["check"]: row["found"] + row["fix"] for row in json.loads(outcome.stdout) if row["state"] == "problem"
    }
    assert "did you mean schedule" in problems["connections"]
    assert "TENABLE_PROD_SECRET_KEY" in problems["secrets"]


def test_one_missing_secret_is_told_once_and_not_for_every_stream(exposure: Exposure) -> None:
    exposure("connectors", "add", "tenable", "--name", "tenable_prod")
    outcome = exposure("sync")
    assert outcome.returncode == 1
    said = re.sub(r"\s+", " ", outcome.stdout)
    assert "assets, deleted_assets, terminated_assets, vulnerabilities: failed: a secret is missing" in said
    assert (outcome.stdout + outcome.stderr).count("TENABLE_PROD_ACCESS_KEY") == 1
    assert "1 of 1 instances failed: tenable_prod. What they landed before is kept" in outcome.stderr
    told = exposure("status").stdout
    assert told.count("TENABLE_PROD_ACCESS_KEY") == 1
    assert "are failed: a secret is missing" in told


def test_a_home_of_the_demo_says_so_to_who_connects_a_product_of_their_own(exposure: Exposure, tmp_path: Path) -> None:
    """The newcomer does what README says: first the demo, then `connectors add` and `doctor` in the same home."""
    from exposure_pipelines.cli import doctor
    from exposure_pipelines.cli.demo_home import HEADER, MARKER
    from exposure_pipelines.home import Home

    root = tmp_path / "home"
    home = Home(root, root / "connections", str(root / "lake"), f"sqlite:///{root / 'warehouse.db'}").ensure()
    (root / MARKER).write_text("{}")
    keys = "credentials: {access_key: {env: ESTATE_ACCESS_KEY}, secret_key: {env: ESTATE_SECRET_KEY}}\n"
    (home.connections / "tenable_prod.yaml").write_text(f"{HEADER}product: tenable\n{keys}")
    assert [finding for finding in doctor.connections(home) if finding.state == "problem"] == []
    taken = exposure("connectors", "add", "tenable", "--name", "tenable_prod")
    beside = exposure("connectors", "add", "tenable", "--name", "tenable_own")
    assert (taken.returncode, beside.returncode) == (2, 0)
    for said in (re.sub(r"\s+", " ", outcome.stderr) for outcome in (taken, beside)):
        assert "invented company" in said
        assert "EXPOSURE_HOME=.exposure-own" in said
    (missing,) = {finding.found.split(":")[0] for finding in doctor.connections(home) if finding.state == "problem"}
    assert missing == "tenable_own"


def test_a_lake_that_does_not_answer_is_said_without_a_traceback(exposure: Exposure, tmp_path: Path) -> None:
    pytest.importorskip("s3fs")
    exposure("connectors", "add", "tenable")
    unknown = exposure("status", EXPOSURE_LAKE_URL="nosuch://bucket/lake")
    assert unknown.returncode == 2
    assert "EXPOSURE_LAKE_URL cannot be opened (Protocol not known: nosuch)" in unknown.stderr
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "HOME": str(tmp_path)}
    outcome = exposure("status", EXPOSURE_LAKE_URL="s3://nowhere/lake", **nobody)
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    assert "The lake (EXPOSURE_LAKE_URL) does not answer: NoCredentialsError" in outcome.stderr
    assert "`exposure doctor`" in outcome.stderr


def test_a_check_tells_a_fix_once_and_not_for_what_it_did_not_try(exposure: Exposure) -> None:
    exposure("connectors", "add", "tenable")
    outcome = exposure("connectors", "check")
    assert outcome.returncode == 1
    told = re.sub(r"\s+", " ", outcome.stdout)
    assert told.count("set it where the sync runs") == told.count("not tried, because") == 1
    rows = json.loads(exposure("connectors", "check", "--json").stdout)
    assert {row["hint"] for row in rows} == {"set it where the sync runs, then sync again"}


@pytest.mark.parametrize(
    ("text", "state", "said"),
    [
        (
            "webhook: {url: {env: NO_SUCH_HOOK}}",
            "problem",
            "webhook.url: the environment variable NO_SUCH_HOOK is not set",
        ),
        ("webhok: {url: {env: PATH}}", "problem", "webhok"),
        ("webhook: {url: {env: PATH}}", "ok", "failures are told by webhook"),
        ("ui: https://dagster.corp.example", "warning", "names nobody"),
        (None, "ok", "nobody is told of failures"),
    ],
)
def test_the_doctor_finds_alerts_that_would_reach_nobody(
    tmp_path: Path, text: str | None, state: str, said: str
) -> None:
    from exposure_pipelines.cli.doctor import alerts, found_by
    from exposure_pipelines.home import Home

    if text:
        (tmp_path / "alerts.yaml").write_text(text)
    (finding,) = found_by(alerts, Home(tmp_path, tmp_path / "connections", str(tmp_path / "lake"), "sqlite://"))
    assert (finding.check, finding.state) == ("alerts", state)
    assert said in finding.found


def test_a_table_file_that_was_cut_says_what_writes_it_anew(exposure: Exposure, tmp_path: Path) -> None:
    file = tmp_path / "home" / "lake" / "marts" / "devices" / "snapshot_date=2026-11-20" / "part-0.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PAR1 and no more")
    for command in (["tables"], ["export", "devices"]):
        outcome = exposure(*command)
        assert outcome.returncode == 1, command
        assert "Traceback" not in outcome.stderr
        assert "A table of the lake cannot be read" in outcome.stderr
        assert "`exposure build --date D`" in outcome.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [("storage: [", "dagster.yaml, line 2 is not valid YAML"), ("nope: 1", 'Received unexpected config entry "nope"')],
)
def test_a_mistake_in_dagsters_settings_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, said: str
) -> None:
    """They are people's to change; Dagster answers with a traceback, and with every setting that there is."""
    import dagster as dg

    from exposure_pipelines.cli.troubles import settings_trouble

    (tmp_path / "dagster.yaml").write_text(f"{settings}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(Exception, match=r"dagster\.yaml") as caught:
        dg.DagsterInstance.get()
    told = settings_trouble(caught.value)
    assert said in told
    assert "remove the file to have it made anew" in told
    assert len(told) < 300


def test_decisions_that_cannot_be_applied_are_found_before_a_build_is(exposure: Exposure, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    file = tmp_path / "home" / "decisions.yaml"
    for text in ("- merge them\n", "decisions:\n\tid: a\n", "decisions: []\ndecisions: []\n"):
        file.write_text(text)
        outcome = exposure("build")
        assert outcome.returncode == 2
        assert str(file) in outcome.stderr
        assert "Traceback" not in outcome.stderr
    rows = json.loads(exposure("doctor", "--json").stdout)
    found = next(row for row in rows if row["check"] == "decisions")
    assert found["state"] == "problem"
    assert "given twice" in found["found"]


def test_the_doctor_tells_a_home_of_an_earlier_release_how_killed_runs_are_freed(
    exposure: Exposure, tmp_path: Path
) -> None:
    settings = tmp_path / "home" / "dagster" / "dagster.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS.replace("STORAGE", SQLITE))
    assert "free_slots_after_run_end_seconds" not in exposure("doctor", "--json").stdout
    settings.write_text(re.sub(r" *free_slots_after_run_end_seconds.*\n", "", settings.read_text()))
    told = [row for row in json.loads(exposure("doctor", "--json").stdout) if row["check"] == "dagster"]
    assert any("free_slots_after_run_end_seconds: 30" in row["fix"] for row in told), told


def test_a_home_that_cannot_be_made_is_said_plainly(exposure: Exposure, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = exposure("status", EXPOSURE_HOME=str(tmp_path / "file" / "home"))
    assert outcome.returncode == 2
    assert "EXPOSURE_HOME" in outcome.stderr


def test_the_doctor_names_every_part_of_a_broken_home_and_crashes_on_none(exposure: Exposure, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for folder in ("dagster", "snapshots"):
        (home / folder).mkdir(parents=True)
    (home / "dagster" / "dagster.yaml").write_text("storage: [{broken\n")
    (home / "snapshots" / "current.json").write_text("{half")
    (home / "lake").write_text("a file where a folder should be")
    outcome = exposure(
        "doctor",
        "--json",
        EXPOSURE_WAREHOUSE_URL="postgresql://user:pa55word@127.0.0.1:1/x",
        EXPOSURE_LAKE_URL="unknown://lake",
    )
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    assert "pa55word" not in outcome.stdout + outcome.stderr
    rows = json.loads(outcome.stdout)
    problems = {row["check"]: row for row in rows if row["state"] == "problem"}
    assert {"home", "lake", "warehouse", "dagster_instance", "snapshot"} <= set(problems)
    assert all(row["fix"] for row in problems.values())
    assert "exposure build" in problems["snapshot"]["found"]
    assert {row["check"] for row in rows if row["state"] == "ok"} >= {"python", "packages", "disk"}
