"""The Api a stream is given, the registry, and that declarations load without anything heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import connector_assets
from connector_assets import kit, registry
from connector_assets.kit import Api, FixConfiguration, StreamSkipped, open_client

from .conftest import NOW, OpenApi, Reply, Site, connector, settings


def test_each_stream_has_a_verdict_of_its_own(api: Api) -> None:
    api.begin("assets")
    api.partial("one page was cut", "tenant")
    api.partial("one page was cut", "tenant")
    api.partial("another reason", "tenant")
    api.expect(10, "tenant")
    api.enumerates("tenant", "other")
    api.note("something")
    assert api.verdict.partial == {"tenant": "one page was cut; another reason"}
    assert api.verdict.expected == {"tenant": 10}
    assert api.verdict.scopes == ["tenant", "other"]
    assert api.verdict.notes == ["something"]
    api.begin("vulns")
    assert (api.stream, api.verdict.partial, api.verdict.expected) == ("vulns", {}, {})


def test_needed_records_progress_and_skipping(api_of: OpenApi) -> None:
    told: list[str] = []
    api = api_of(records_reader=lambda stream: iter([{"from": stream}]), progress=told.append)
    assert list(api.records("users")) == [{"from": "users"}]
    api.progress("half")
    assert told == ["half"]
    with pytest.raises(StreamSkipped, match="no licence"):
        api.skip("no licence")
    with pytest.raises(StreamSkipped):
        api_of().records("users")


def test_the_window_is_counted_from_now(api_of: OpenApi) -> None:
    start = api_of(settings={"window_days": 90}).window_start
    assert start is not None
    assert (NOW - start).days == 90
    assert api_of(settings={"window_days": None}).window_start is None


def test_the_landing_can_build_an_api_by_hand(site: Site) -> None:
    given, declared = settings(site.url), connector()
    with open_client(declared, given) as client:
        api = Api(given, declared, client, NOW, None, lambda stream: iter(()), print)
        assert api.get("/x") == {}
        assert api.connector is declared


def test_one_session_is_shared_and_the_connection_kept(site: Site, api: Api) -> None:
    opened: list[Any] = []
    process = site.server.process_request
    site.server.process_request = lambda *given: (opened.append(given), process(*given))[1]  # type: ignore[method-assign]
    for _ in range(5):
        api.get("/x")
    assert len(opened) == 1


def test_parameters_and_bodies_travel_as_given(site: Site, api: Api) -> None:
    api.get("/x", {"$filter": "a eq 'b c'", "none": None})
    api.post("/y", {"ü": [1, None]}, headers={"X-More": "1"})
    api.post("/z", data={"form": "a b"})
    assert site.asked[0].query == {"$filter": "a eq 'b c'"}
    assert (site.asked[1].body.decode(), site.asked[1].headers["content-type"]) == (
        '{"ü":[1,null]}',
        "application/json",
    )
    assert site.asked[1].headers["x-more"] == "1"
    assert site.asked[2].body == b"form=a+b"


def test_a_response_is_checked_bounded_and_shows_its_headers(site: Site, api: Api) -> None:
    site.replies(Reply(200, b"raw-token-text", {"X-Total": "3"}))
    response = api.response("POST", "/auth", data={"a": "b"})
    assert (response.text, response.headers["X-Total"]) == ("raw-token-text", "3")
    with api.response("GET", "/large", stream=True) as streamed:
        assert b"".join(api.client.chunks(streamed, 100)) == b"raw-token-text"


class Region(BaseModel):
    region: str = "eu"


def test_the_default_address_is_filled_from_the_options() -> None:
    declared = connector(base_url="https://{region}.acme.example", options=Region)
    with open_client(declared, settings("", options=Region(region="us2"))) as client:
        assert client.base_url == "https://us2.acme.example"
    with pytest.raises(FixConfiguration, match="needs an option"):
        open_client(connector(base_url="https://{nothing}.example"), settings("", options=Region()))


def test_unknown_products_are_named() -> None:
    with pytest.raises(KeyError, match="there is no connector 'nosuch'"):
        registry.load("nosuch")
    assert "kit" not in registry.products()


def test_a_product_is_found_by_its_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = "from connector_assets.kit import Connector, HeaderKeys\nCONNECTOR = Connector('{name}', 'T', 'D', '', "
    good += "lambda o, s: HeaderKeys('X', 'x', s), (), (), (), (), (), 'documented')\n"
    texts = {"zz_good": good.format(name="zz_good"), "zz_other": good.format(name="zz_x"), "zz_empty": "", "_zz": ""}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    monkeypatch.setattr(connector_assets, "__path__", [*connector_assets.__path__, str(tmp_path)])
    registry.products.cache_clear()
    registry.load.cache_clear()
    try:
        assert {"zz_good", "zz_other", "zz_empty"} <= set(registry.products())
        assert "_zz" not in registry.products()
        assert registry.load("zz_good").title == "T"
        with pytest.raises(ValueError, match="must be the same"):
            registry.load("zz_other")
        with pytest.raises(TypeError, match="no CONNECTOR"):
            registry.load("zz_empty")
    finally:
        registry.products.cache_clear()
        registry.load.cache_clear()


def test_declarations_load_without_anything_heavy() -> None:
    heavy = ["requests", "urllib3", "pandas", "duckdb", "pyarrow", "dagster"]
    code = (
        "import sys\nfrom connector_assets import registry\nimport connector_assets.kit\nregistry.load_all()\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_a_connector_needs_is_in_the_kit() -> None:
    assert sorted(kit.__all__) == kit.__all__
    assert all(hasattr(kit, name) for name in kit.__all__)
