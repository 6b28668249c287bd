"""TLS, names, hosts and redirects: what leaves this machine and what does not."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from connector_assets.kit import Budgets, FixConfiguration, ForeignHost, RetryLater, open_api
from connector_assets.kit.hosts import absolute, masked

from .conftest import NOW, SECRET, OpenApi, Reply, Site, Time, connector, settings


def test_an_untrusted_certificate_is_refused_with_the_ca_file_hint(tls_site: Site, api_of: OpenApi) -> None:
    with pytest.raises(FixConfiguration) as caught:
        api_of(settings={"base_url": tls_site.url}).get("/x")
    assert "certificate is not trusted" in str(caught.value)
    assert "ca_file" in str(caught.value)
    assert tls_site.asked == []


def test_ca_file_makes_a_private_authority_trusted_whatever_the_environment_says(
    tls_site: Site, certificate: tuple[Path, Path], api_of: OpenApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty.pem"))
    tls_site.replies({"ok": 1})
    assert api_of(settings={"base_url": tls_site.url, "ca_file": str(certificate[0])}).get("/x") == {"ok": 1}


def test_a_wrong_host_name_in_the_certificate_is_refused(
    tls_site: Site, certificate: tuple[Path, Path], api_of: OpenApi
) -> None:
    base_url = f"https://localhost:{tls_site.port}"
    with pytest.raises(FixConfiguration, match="TLS"):
        api_of(settings={"base_url": base_url, "ca_file": str(certificate[0])}).get("/x")


def test_a_missing_ca_file_is_said_at_once(api_of: OpenApi) -> None:
    with pytest.raises(FixConfiguration, match="ca_file"):
        api_of(settings={"ca_file": "/nowhere/ca.pem"})


def test_tls_to_a_plain_port_is_a_configuration_error(site: Site, api_of: OpenApi) -> None:
    with pytest.raises(FixConfiguration, match="does not speak TLS"):
        api_of(settings={"base_url": site.url.replace("http:", "https:")}).get("/x")


def test_an_unknown_host_name_is_named(time: Time, api_of: OpenApi) -> None:
    api = api_of(settings={"base_url": "https://no-such-host.invalid", "budgets": Budgets(retries=1)})
    with pytest.raises((FixConfiguration, RetryLater)) as caught:
        api.get("/x")
    assert "no-such-host.invalid is not known (DNS)" in str(caught.value)


def test_a_lasting_dns_failure_is_not_retried(time: Time, api_of: OpenApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*arguments: object, **named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    api = api_of(settings={"base_url": "https://typo.example"}, troubleshooting={"dns": "copy the address from Acme"})
    with pytest.raises(FixConfiguration, match="copy the address from Acme"):
        api.get("/x")
    assert time.slept == []


def test_a_refused_connection_is_retried_then_left_for_later(time: Time, api_of: OpenApi) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = api_of(settings={"base_url": f"http://127.0.0.1:{port}", "budgets": Budgets(retries=2)})
    with pytest.raises(RetryLater, match="connection is refused"):
        api.get("/x")
    assert len(time.slept) == 2
    with pytest.raises(RetryLater, match="connection is refused") as caught:
        api.post("/export", {"a": 1})
    assert len(time.slept) == 4, "nothing can have begun where no connection came about"
    assert "not repeated" not in str(caught.value)


def test_a_connection_closed_without_an_answer_is_retried(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(drop=True), {"ok": 1})
    assert api_of().get("/x") == {"ok": 1}


def test_http_is_for_this_machine_only() -> None:
    with pytest.raises(FixConfiguration, match="https only"):
        open_api(connector(), settings("http://10.0.0.1"), NOW)
    with pytest.raises(FixConfiguration, match="user or password"):
        open_api(connector(), settings("https://user:pw@example.com"), NOW)


def test_a_redirect_to_another_host_is_refused_and_gets_no_credential(
    site: Site, other_site: Site, api_of: OpenApi
) -> None:
    site.replies(Reply(302, b"", {"Location": f"{other_site.url}/x?token=abc"}))
    with pytest.raises(ForeignHost) as caught:
        api_of().get("/x", {"skiptoken": "hidden"})
    assert other_site.asked == []
    assert "hidden" not in str(caught.value)
    assert "skiptoken=..." in str(caught.value)


def test_a_redirect_on_the_same_host_is_followed(site: Site, api_of: OpenApi) -> None:
    site.answer = lambda asked: Reply(302, b"", {"Location": "/new"}) if asked.path == "/old" else {"path": asked.path}
    assert api_of().get("/old", {"a": "1"}) == {"path": "/new"}


def test_a_redirect_circle_ends(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(302, b"", {"Location": "/x"}))
    with pytest.raises(FixConfiguration, match="circle"):
        api_of().get("/x")
    assert len(site.asked) <= 7


def test_a_redirected_post_is_refused(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(307, b"", {"Location": "/y"}))
    with pytest.raises(FixConfiguration, match="redirects this POST"):
        api_of().post("/x", {"a": 1})


def test_a_link_to_a_host_of_the_vendor_is_followed_on_the_base_address(site: Site, api_of: OpenApi) -> None:
    site.answer = lambda asked: {"path": asked.path, "query": asked.query, "key": asked.headers.get("x-key")}
    api = api_of(known_hosts=("api.acme.example", "*.region.acme.example"))
    for host in ("api.acme.example", "eu1.region.acme.example"):
        answer = api.get(f"https://{host}/v1/things?cursor=a%2Fb")
        assert answer == {"path": "/v1/things", "query": {"cursor": "a/b"}, "key": SECRET}


def test_a_link_to_any_other_host_is_refused(other_site: Site, api_of: OpenApi) -> None:
    api = api_of(known_hosts=("*.acme.example",))
    links = ["https://acme.example.evil.test/x", "https://evilacme.example/x", "https://acme.example/x", other_site.url]
    links += ["https://api.acme.example@evil.test/x", "https://[bad/x", "https://host:port/x"]
    for link in links:
        with pytest.raises(ForeignHost):
            api.get(link)
    assert other_site.asked == []


@pytest.mark.parametrize(
    ("base", "link", "expected"),
    [
        ("https://a.test", "/x", "https://a.test/x"),
        ("https://a.test/v1", "x", "https://a.test/v1/x"),
        ("https://a.test", "https://A.test:443/x", "https://A.test:443/x"),
        ("https://a.test", "http://a.test/x?b=1", "https://a.test/x?b=1"),
        ("http://127.0.0.1:1/v1.0", "https://graph.test/v1.0/users?$skip=1", "http://127.0.0.1:1/v1.0/users?$skip=1"),
        ("http://127.0.0.1:1/gw", "https://graph.test/v1.0/users", "http://127.0.0.1:1/gw/v1.0/users"),
        ("https://a.test", "https://a.test/users/x@y.test", "https://a.test/users/x@y.test"),
    ],
)
def test_where_a_link_leads(base: str, link: str, expected: str) -> None:
    assert absolute(base, link, ("graph.test",)) == expected


def test_masked_addresses_keep_keys_and_lose_values() -> None:
    assert masked("https://u:p@h.test/a?$skiptoken=abc&sig=def&e=") == "https://h.test/a?$skiptoken=...&sig=...&e=..."


def test_a_netrc_entry_does_not_replace_the_credential(
    site: Site, api_of: OpenApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login x password y\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    api_of().get("/x")
    assert "authorization" not in site.asked[0].headers


def test_a_presigned_link_gets_no_credential(site: Site, other_site: Site, api_of: OpenApi) -> None:
    other_site.replies({"ok": 1})
    api = api_of()
    with api.response("GET", f"{other_site.url}/blob?sig=x", anonymous_hosts=("127.0.0.1",)) as response:
        assert response.json() == {"ok": 1}
    assert "x-key" not in other_site.asked[0].headers


def test_a_proxy_of_the_environment_is_used_for_the_vendor_and_not_for_this_machine(
    site: Site, other_site: Site, api_of: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, other_site.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    api_of().get("/x")
    assert len(site.asked) == 1
    api = api_of(settings={"base_url": "https://vendor.example", "budgets": Budgets(retries=0)})
    with pytest.raises(RetryLater, match="proxy does not let"):
        api.get("/x")
