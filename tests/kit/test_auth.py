"""Credentials: the right header, a token renewed in time, one renewal after a 401, and none of it in any text."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from connector_assets.kit import (
    Auth,
    Basic,
    Bearer,
    ClientCredentials,
    ConnectorError,
    FixConfiguration,
    FixCredentials,
    FixPermission,
    HeaderKeys,
    RetryLater,
    Secrets,
    UnexpectedContent,
    odata_pages,
)

from .conftest import SECRET, Asked, OpenApi, Reply, Site, Time, secrets


def oauth(options: Any, given: Secrets) -> Auth:
    return ClientCredentials("/token", {"client_id": "app"}, given, scope="https://acme.test/.default")


class TokenSite:
    """Answers on a site: tokens t1, t2 ... and only the newest one is accepted."""

    def __init__(self, site: Site, life: Any = 3600, status: int = 200) -> None:
        self.issued = 0
        self.life, self.status = life, status
        self.answer: Any = lambda asked: {"token": asked.headers["authorization"]}
        site.answer = self.handle

    def handle(self, asked: Asked) -> Any:
        if asked.path == "/token":
            self.issued += 1
            return Reply(self.status, {"access_token": f"token-{self.issued}", "expires_in": self.life})
        if asked.headers.get("authorization") != f"Bearer token-{self.issued}":
            return Reply(401, {"error": {"code": "Unauthorized", "message": "token expired"}})
        return self.answer(asked)


def test_a_token_is_fetched_once_with_the_secret_in_the_form_only(site: Site, api_of: OpenApi) -> None:
    tokens = TokenSite(site, status=201)
    api = api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)})
    assert [api.get("/x") for _ in range(3)] == [{"token": "Bearer token-1"}] * 3
    assert tokens.issued == 1
    assert dict(parse_qsl(site.asked[0].body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": SECRET,
        "scope": "https://acme.test/.default",
    }
    assert "authorization" not in site.asked[0].headers
    assert api.stats.auth_refreshes == 1


@pytest.mark.parametrize("life", [1000, "1000"])
def test_a_token_is_renewed_at_80_percent_of_its_life(site: Site, time: Time, api_of: OpenApi, life: Any) -> None:
    tokens = TokenSite(site, life)
    api = api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)})
    api.get("/x")
    time.now += 799
    api.get("/x")
    assert tokens.issued == 1
    time.now += 2
    api.get("/x")
    assert tokens.issued == 2
    assert not [asked for asked in site.asked if asked.headers.get("authorization") == "Bearer token-3"]


@pytest.mark.parametrize("life", [None, "", "soon", 0, -1])
def test_a_life_that_is_not_told_does_not_mean_a_token_per_request(site: Site, api_of: OpenApi, life: Any) -> None:
    tokens = TokenSite(site, life)
    api = api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)})
    for _ in range(3):
        api.get("/x")
    assert tokens.issued == 1


def test_a_token_that_dies_between_pages_is_renewed_and_the_same_page_asked_again(site: Site, api_of: OpenApi) -> None:
    tokens = TokenSite(site)
    seen: list[str] = []

    def page(asked: Asked) -> Mapping[str, Any]:
        number = int(asked.query.get("page", "0"))
        seen.append(str(number))
        if number == 1:
            tokens.issued += 1  # the vendor forgets the token
        following = {} if number == 3 else {"@odata.nextLink": f"{site.url}/items?page={number + 1}"}
        return {"value": [{"id": number}], **following}

    tokens.answer = page
    api = api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)})
    records = [record["id"] for part in odata_pages(api, "/items") for record in part.records]
    assert records == [0, 1, 2, 3]
    assert seen == ["0", "1", "2", "3"]
    assert [asked.query.get("page") for asked in site.asked if asked.path == "/items"] == [None, "1", "2", "2", "3"]
    assert api.stats.auth_refreshes == 2


def test_a_second_401_is_final(site: Site, api_of: OpenApi) -> None:
    tokens = TokenSite(site)
    tokens.answer = lambda asked: Reply(401, {"error": "no"})
    with pytest.raises(FixCredentials):
        api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)}).get("/x")
    assert tokens.issued == 2


def test_a_fixed_key_is_not_tried_twice_after_a_401(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(401, {"message": "Invalid credentials."}))
    with pytest.raises(FixCredentials, match="Invalid credentials"):
        api_of().get("/x")
    assert len(site.asked) == 1


def test_refused_client_credentials_name_the_vendors_reason_and_are_sent_once(site: Site, api_of: OpenApi) -> None:
    site.replies(
        Reply(
            401, {"error": "invalid_client", "error_description": f"AADSTS7000215: Invalid secret {SECRET} provided."}
        )
    )
    with pytest.raises(FixCredentials) as caught:
        api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)}).get("/x")
    assert "AADSTS7000215" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert SECRET not in str(caught.value.answer)
    assert len(site.asked) == 1


def test_a_failing_token_endpoint_is_retried_by_itself_only(site: Site, time: Time, api_of: OpenApi) -> None:
    site.replies(Reply(503, {}))
    with pytest.raises(RetryLater):
        api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)}).get("/x")
    assert len(site.asked) == 6


def test_an_answer_without_token_is_no_token(site: Site, api_of: OpenApi) -> None:
    site.replies({"hello": 1}, Reply(200, b"<html>", {"Content-Type": "text/html"}))
    for _ in range(2):
        with pytest.raises(UnexpectedContent):
            api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)}).get("/x")


def test_basic_is_utf_8(site: Site, api_of: OpenApi) -> None:
    given = secrets(password="пароль€")
    api_of(auth=lambda options, s: Basic("us:er", lambda: s["password"], s), settings={"secrets": given}).get("/x")
    sent = site.asked[0].headers["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == "us:er:пароль€"
    assert sent.removeprefix("Basic ") not in given.mask(sent)


def test_header_keys_and_bearer(site: Site, api_of: OpenApi) -> None:
    given = secrets(access_key="aaaa1111", secret_key="bbbb2222")
    keys = "accessKey={access_key};secretKey={secret_key};"
    api_of(
        auth=lambda options, s: HeaderKeys("X-ApiKeys", keys, s, more={"X-Id": "{access_key}"}),
        settings={"secrets": given},
    ).get("/x")
    assert site.asked[0].headers["x-apikeys"] == "accessKey=aaaa1111;secretKey=bbbb2222;"
    assert site.asked[0].headers["x-id"] == "aaaa1111"
    api_of(auth=lambda options, s: Bearer(lambda: s["key"], scheme="SSWS ")).get("/x")
    assert site.asked[1].headers["authorization"] == f"SSWS {SECRET}"


def test_a_secret_is_read_late_and_anew(site: Site, api_of: OpenApi) -> None:
    values = iter(["first-value", "second-value"])
    api = api_of(settings={"secrets": Secrets({"key": lambda: next(values)})})
    api.get("/x")
    api.get("/x")
    assert [asked.headers["x-key"] for asked in site.asked] == ["first-value", "second-value"]


@pytest.mark.parametrize("value", ["line\nbreak-in-key", "curly-“quotes”-in-key"])
def test_a_secret_no_header_can_carry_is_not_shown_by_the_library(site: Site, api_of: OpenApi, value: str) -> None:
    with pytest.raises(FixConfiguration, match="X-Key") as caught:
        api_of(settings={"secrets": secrets(key=value)}).get("/x")
    assert "in-key" not in str(caught.value) + repr(caught.value) + repr(caught.value.__context__)
    assert site.asked == []


def test_missing_and_empty_secrets_are_configuration_errors() -> None:
    given = Secrets({"empty": lambda: ""})
    with pytest.raises(FixConfiguration, match="'nothere' is not configured"):
        given["nothere"]
    with pytest.raises(FixConfiguration, match="'empty' is empty"):
        given["empty"]
    assert given.get("nothere") is None
    assert "empty" in given
    assert "nothere" not in given


def test_nothing_shows_a_secret(site: Site, api_of: OpenApi) -> None:
    given = secrets(client_secret=SECRET, key=SECRET)
    api = api_of(auth=oauth, settings={"secrets": given})
    TokenSite(site)
    api.get("/x")
    shown = f"{given!r} {given} {api.settings!r} {api.client!r} {api.client._auth!r} {api!r}"
    shown += f"{Basic('u', 'pass-word-1')!r} {Bearer('bear-er-1')!r} {HeaderKeys('X-Key', '{key}', given)!r}"
    for hidden in (SECRET, "token-1", "pass-word-1", "bear-er-1"):
        assert hidden not in shown


def test_an_echo_of_a_secret_or_token_is_masked_in_errors(site: Site, api_of: OpenApi) -> None:
    tokens = TokenSite(site)
    tokens.answer = lambda asked: Reply(403, {"message": f"no: {asked.headers['authorization']} and {SECRET}"})
    api = api_of(auth=oauth, settings={"secrets": secrets(client_secret=SECRET)})
    with pytest.raises(FixPermission) as caught:
        api.get(f"/things/{SECRET}?q={SECRET}")
    text = f"{caught.value} {caught.value!r} {caught.value.answer} {caught.value.url}"
    assert SECRET not in text
    assert "token-1" not in text
    assert "***" in text


def test_url_encoded_secrets_are_masked_too() -> None:
    given = secrets(key="a+b/c d=e")
    given["key"]
    assert given.mask("x=a%2Bb%2Fc%20d%3De y=a%2Bb%2Fc+d%3De z=a+b/c d=e") == "x=*** y=*** z=***"


def test_addresses_with_values_do_not_reach_the_log(
    site: Site, api_of: OpenApi, caplog: pytest.LogCaptureFixture
) -> None:
    site.replies(Reply(500, {}), {"ok": 1})
    caplog.set_level("DEBUG")
    api_of().get("/x", {"sig": "presigned-value"})
    assert "presigned-value" not in caplog.text
    assert SECRET not in caplog.text


def test_a_short_or_padded_secret_does_not_garble_messages() -> None:
    given = secrets(short="abc", padded="  a  ")
    assert (given["short"], given["padded"]) == ("abc", "  a  ")
    assert given.mask("abc a banana") == "abc a banana"


def test_the_token_address_is_held_to_https_too(site: Site, api_of: OpenApi) -> None:
    def plain(options: Any, given: Secrets) -> Auth:
        return ClientCredentials("http://login.example/token", {"client_id": "app"}, given)

    with pytest.raises(FixConfiguration, match="the token address uses http"):
        api_of(auth=plain, settings={"secrets": secrets(client_secret=SECRET)}).get("/x")


def test_a_token_address_elsewhere_gets_no_request_of_the_api(site: Site, other_site: Site, api_of: OpenApi) -> None:
    other_site.replies({"access_token": "token-1", "expires_in": 60})

    def elsewhere(options: Any, given: Secrets) -> Auth:
        return ClientCredentials(f"{other_site.url}/tenant/token", {"client_id": "app"}, given)

    api_of(auth=elsewhere, settings={"secrets": secrets(client_secret=SECRET)}).get("/x")
    assert [asked.path for asked in other_site.asked] == ["/tenant/token"]
    assert [asked.headers["authorization"] for asked in site.asked] == ["Bearer token-1"]


@pytest.mark.parametrize("reply", [Reply(drop=True), Reply(500, {}), Reply(200, b"{", {}), Reply(200, b"<html>", {})])
def test_a_printed_traceback_holds_no_secret_and_no_query_value(site: Site, api_of: OpenApi, reply: Reply) -> None:
    site.replies(reply)
    api = api_of(auth=lambda options, s: Basic("user", lambda: s["key"], s))
    value = "presigned-by-the-vendor"
    with pytest.raises(ConnectorError) as caught:
        api.get("/x", {"sig": value})
    printed = "".join(traceback.format_exception(caught.value))
    assert SECRET not in printed
    assert value not in printed
    assert site.asked[0].headers["authorization"].removeprefix("Basic ") not in printed
