from __future__ import annotations

import http.client
import io
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from demo_estate.kit import CursorExpired, Cursors, ExportJobs, Request, Response, Route, Router, VirtualClock
from demo_estate.kit.faults import FaultPlan
from demo_estate.serve import describe
from demo_estate.server import EstateServer
from demo_estate.truth import Truth

from .conftest import Client
from .toy import TOY


def problems(estate: EstateServer, kind: str) -> list[str]:
    return [problem["route"] for problem in estate.journal("toy")["problems"] if problem["kind"] == kind]


def pages(client: Client, limit: int = 100) -> list[list[str]]:
    found, link = [], f"{client.base_url}/machines?limit={limit}"
    while link:
        body = client.session.get(link, timeout=30).json()
        found.append([row["id"] for row in body["value"]])
        link = body.get("nextLink")
    return found


def test_connection_is_kept_open(estate: EstateServer, client: Client) -> None:
    connection = http.client.HTTPConnection(urlsplit(client.base_url).netloc, timeout=30)
    headers = {"Authorization": str(client.session.headers["Authorization"])}
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/machines?limit=5", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        sockets.add(id(connection.sock))
    assert len(sockets) == 1
    connection.close()


def test_all_pages_hold_every_device_once(estate: EstateServer, client: Client) -> None:
    ids = [row for page in pages(client) for row in page]
    assert len(ids) == len(set(ids))
    assert ids == [row.record_id for row in estate.answer_key().rows()]


def test_a_record_is_found_only_where_the_list_has_it(estate: EstateServer, client: Client, truth: Truth) -> None:
    listed = {row for page in pages(client) for row in page}
    answers = {f"m-{i}": client.get(f"/machines/m-{i}").status_code for i in range(0, truth.device_count, 7)}
    assert answers == {name: 200 if name in listed else 404 for name in answers}


def test_answers_are_compressed_only_when_asked(client: Client) -> None:
    packed = client.get("/machines?limit=500")
    plain = client.get("/machines?limit=500", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_unknown_parameter_and_route_are_refused_and_noted(estate: EstateServer, client: Client) -> None:
    assert client.get("/machines?limt=5").status_code == 400
    assert client.get("/machine").status_code == 404
    assert client.session.post(f"{client.base_url}/machines", timeout=30).status_code == 405
    assert problems(estate, "unknown_parameter") == ["GET /machines"]
    assert problems(estate, "unknown_route") == ["GET /machine", "POST /machines"]


def test_token_ends_by_the_virtual_clock(estate: EstateServer, client: Client) -> None:
    assert client.get("/machines?limit=1").status_code == 200
    estate.advance_clock(599)
    assert client.get("/machines?limit=1").status_code == 200
    estate.advance_clock(2)
    assert client.get("/machines?limit=1").status_code == 401
    client.authenticate()
    assert client.get("/machines?limit=1").status_code == 200


def test_limit_says_when_to_return_and_notes_who_does_not_wait(estate: EstateServer, client: Client) -> None:
    assert [client.get("/limited").status_code for _ in range(2)] == [200, 200]
    refused = client.get("/limited")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert problems(estate, "early_request") == []
    client.get("/limited")
    assert problems(estate, "early_request") == ["GET /limited"]
    estate.advance_clock(60)
    assert client.get("/limited").status_code == 200
    assert problems(estate, "early_request") == ["GET /limited"]


def test_secret_in_a_url_is_noted_without_being_kept(estate: EstateServer, client: Client) -> None:
    secret = client.spec.credentials["client_secret"][1]
    token = str(client.session.headers["Authorization"]).removeprefix("Bearer ")
    client.get(f"/machines?limit={secret}")
    client.get(f"/machines?limit=1&token={token}")
    assert problems(estate, "secret_in_url") == ["GET /machines", "GET /machines"]
    assert secret not in str(estate.journal("toy"))
    assert secret not in repr(client.spec)


@pytest.mark.parametrize("fault", [429, 401, 403, 500, 503])
def test_status_fault_fires_at_its_position_only(estate: EstateServer, client: Client, fault: int) -> None:
    estate.fault({"product": "toy", "route": "GET /machines", "nth": 2, "fault": fault, "retry_after": 3})
    answers = [client.get("/machines?limit=1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, fault, 200]
    assert answers[1].headers["Retry-After"] == "3"
    assert estate.journal("toy")["faults"] == {f"GET /machines {fault}": 1}


def test_html_comes_with_status_200(estate: EstateServer, client: Client) -> None:
    estate.fault({"product": "toy", "route": "GET /mach*", "fault": "html"})
    answer = client.get("/machines")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def test_reset_drops_the_connection_and_the_next_request_works(estate: EstateServer, client: Client) -> None:
    estate.fault({"product": "toy", "route": "GET /machines", "fault": "reset"})
    with pytest.raises(requests.ConnectionError):
        client.get("/machines")
    assert client.get("/machines").status_code == 200


def test_truncated_and_cut_answers_are_no_json(estate: EstateServer, client: Client) -> None:
    estate.fault({"product": "toy", "route": "GET /machines", "nth": 1, "fault": "truncate"})
    estate.fault({"product": "toy", "route": "GET /machines", "nth": 2, "fault": "cut"})
    with pytest.raises(requests.JSONDecodeError):
        client.get("/machines?limit=5").json()
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        client.get("/machines?limit=5")


def test_repeated_cursor_serves_the_page_before(estate: EstateServer, client: Client) -> None:
    estate.fault({"product": "toy_main", "route": "GET /machines", "nth": 2, "fault": "repeat_cursor"})
    first = client.get("/machines?limit=5").json()
    assert client.session.get(first["nextLink"], timeout=30).json() == first


def test_row_faults_change_rows_and_not_the_truth(estate: EstateServer, client: Client) -> None:
    whole = pages(client, 200)
    for number, fault in enumerate(("drop_page", "duplicate_row", "drop_row", "empty"), start=1):
        estate.fault({"product": "toy", "route": "GET /machines", "nth": number, "fault": fault})
    dropped = client.get("/machines?limit=200").json()
    assert dropped["value"] == []
    assert "nextLink" in dropped
    doubled = [row["id"] for row in client.get("/machines?limit=200").json()["value"]]
    assert doubled == [*whole[0], whole[0][0]]
    assert len(client.get("/machines?limit=200").json()["value"]) == 199
    assert client.get("/machines?limit=200").json() == {"value": []}
    assert pages(client, 200) == whole


def test_tokens_can_be_ended_mid_pull(estate: EstateServer, client: Client) -> None:
    estate.fault({"product": "toy", "route": "GET /machines", "nth": 2, "fault": "expire_tokens"})
    assert [client.get("/machines?limit=1").status_code for _ in range(3)] == [200, 401, 401]


def test_fault_conditions_by_day_and_query(estate: EstateServer, client: Client) -> None:
    condition = {"day": 1, "query": {"offset": 10}}
    estate.fault({"product": "toy", "route": "GET /machines", "when": condition, "always": True, "fault": 500})
    assert client.get("/machines?offset=10").status_code == 200
    estate.advance(1)
    assert client.get("/machines?offset=0").status_code == 200
    assert client.get("/machines?offset=10").status_code == 500


def test_same_plan_gives_same_run(truth: Truth, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("faults:\n  - {product: toy, route: GET /machines, every: 3, fault: 503}\n")
    runs = []
    for _ in range(2):
        with EstateServer(truth, lenses=[TOY], faults=plan) as estate:
            client = Client(estate)
            runs.append([client.get("/machines?limit=1").status_code for _ in range(7)])
    assert runs[0] == runs[1] == [200, 200, 503, 200, 200, 503, 200]


@pytest.mark.parametrize("line", [{"fault": "explode"}, {"fault": 200}, {"fault": 500, "nht": 2}])
def test_wrong_plan_names_what_is_wrong(line: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="fault plan"):
        FaultPlan([line])


def test_advancing_the_day_changes_what_is_served(estate: EstateServer, client: Client) -> None:
    served = []
    for day in (0, 4):
        estate.advance(day)
        served.append({row for page in pages(client) for row in page})
        assert served[-1] == {row.record_id for row in estate.answer_key().rows()}
    assert served[1] - served[0]
    with pytest.raises(ValueError, match="timeline"):
        estate.advance(9)


def test_control_plane_steers_and_shows_no_answers(estate: EstateServer, client: Client) -> None:
    control = estate.control_url
    stats = requests.post(f"{control}/advance", json={"day": 2, "seconds": 700}, timeout=30).json()
    assert stats["day"] == 2
    assert client.get("/machines?limit=1").status_code == 401
    requests.post(f"{control}/fault", json={"product": "toy", "route": "POST /token", "fault": 500}, timeout=30)
    assert requests.post(f"{client.base_url}/token", timeout=30).status_code == 500
    assert requests.post(f"{control}/fault", json={"fault": "nonsense"}, timeout=30).status_code == 400
    journal = requests.get(f"{control}/journal?instance=toy_main", timeout=30).json()
    assert journal["requests"]["POST /token"] == 2
    assert requests.get(f"{control}/answers", timeout=30).status_code == 404
    requests.post(f"{control}/reset", timeout=30)
    assert requests.get(f"{control}/stats", timeout=30).json()["instances"]["toy_main"]["requests"] == 0
    assert requests.get(f"{client.base_url}/__estate__/stats", timeout=30).status_code == 404


def test_two_instances_of_one_product_see_their_own_slice(truth: Truth) -> None:
    with EstateServer(truth, lenses=[TOY], instances=["toy_main", "toy_lab"]) as estate:
        specs = estate.connections()
        assert {spec.product for spec in specs.values()} == {"toy"}
        assert specs["toy_main"].credentials != specs["toy_lab"].credentials
        seen = {name: {r for page in pages(Client(estate, name)) for r in page} for name in specs}
    assert seen["toy_main"] & seen["toy_lab"]
    assert seen["toy_lab"] - seen["toy_main"]


def test_unknown_instance_is_refused_with_what_there_is(truth: Truth) -> None:
    with pytest.raises(LookupError, match="no such instance: toy_moon"):
        EstateServer(truth, lenses=[TOY], instances=["toy_moon"])


def test_description_names_addresses_and_variables(estate: EstateServer) -> None:
    text = describe(estate)
    assert estate.connections()["toy_main"].base_url in text
    assert "export ESTATE_TOY_MAIN_CLIENT_SECRET=" in text
    assert estate.control_url in text


def test_wrong_fault_plan_ends_the_command_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from demo_estate.__main__ import main

    plan = tmp_path / "plan.yaml"
    plan.write_text("faults:\n  - {fault: explode}\n")
    with redirect_stdout(io.StringIO()):
        assert main(["serve", "--devices", "5", "--faults", str(plan)]) == 2
    assert "'explode' is no fault" in capsys.readouterr().err


def test_signed_cursor_is_refused_when_old_or_changed() -> None:
    clock = VirtualClock(1000, frozen=True)
    cursors = Cursors(clock, ttl=120)
    token = cursors.encode({"after": 17})
    assert cursors.decode(token) == {"after": 17}
    with pytest.raises(ValueError, match="not a page token"):
        cursors.decode(token[:-2] + "AA")
    clock.advance(121)
    with pytest.raises(CursorExpired):
        cursors.decode(token)


def test_export_job_shows_chunks_out_of_order_and_ends() -> None:
    clock = VirtualClock(1000, frozen=True)
    jobs = ExportJobs(clock, retention=100, polls_until_done=3)
    jobs.start("j1", "assets", {"size": 5}, {1: lambda: "a", 2: lambda: "b", 4: lambda: "c"}, order=[4, 1, 2])
    assert jobs.running("assets", {"size": 5}) is not None
    seen = []
    for _ in range(3):
        job = jobs.poll("j1")
        assert job is not None
        seen.append((job.status, job.available))
    assert seen == [("QUEUED", []), ("PROCESSING", [4]), ("FINISHED", [4, 1, 2])]
    assert jobs.running("assets", {"size": 5}) is None
    clock.advance(101)
    assert jobs.find("j1") is None


def test_literal_path_wins_over_variable() -> None:
    router = Router(
        [
            Route("GET", "/things/{id}", lambda request, service: 1),
            Route("GET", "/things/all", lambda request, service: 2),
            Route("GET", "/files/{rest:path}", lambda request, service: 3),
        ]
    )
    assert router.match("GET", "/things/all")[0].path == "/things/all"  # type: ignore[union-attr]
    assert router.match("GET", "/things/a%20b")[1] == {"id": "a b"}
    assert router.match("GET", "/files/a/b")[1] == {"rest": "a/b"}
    assert router.match("POST", "/things/7") == (None, {}, True)


def test_repeated_header_names_are_sent_twice() -> None:
    response = Response([], headers=[("Link", "<a>"), ("Link", "<b>")])
    assert response.header_pairs() == [("Link", "<a>"), ("Link", "<b>")]
    assert Request.build("GET", "/x?a=1&a=2", {}, b"", "").query_pairs == [("a", "1"), ("a", "2")]
