"""The gateway: another host than the API's, asked with a token that the same user and password buy for four hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from connector_assets.kit import Api, FixCredentials, UnexpectedContent

#: The token is bought again in this many seconds; it lives four hours.
RENEW_AFTER = 3.5 * 3600

T = TypeVar("T")


class Gateway:
    """Calls to the gateway that an option names: the address of the API never sees the token, nor the reverse."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.url = str(api.options.gateway_url)
        self._hosts = (urlsplit(self.url).hostname or "",)
        self._token = ""
        self._renew_at = 0.0

    def asked(self, call: Callable[[str, Mapping[str, Any]], T], path: str) -> T:
        """`call(address, request)` with the token, which is renewed once when it is refused."""
        try:
            return call(self.url + path, self.request())
        except FixCredentials:
            self._buy()
            return call(self.url + path, self.request())

    def request(self) -> dict[str, Any]:
        """Keyword arguments of a call, with a token that lives for a while."""
        if not self._token or self.api.client.clock() >= self._renew_at:
            self._buy()
        return {"headers": {"Authorization": f"Bearer {self._token}"}, "anonymous_hosts": self._hosts}

    def _buy(self) -> None:
        """A new token: HTTP 201 with the token as plain text. Raises FixCredentials, UnexpectedContent."""
        api = self.api
        form = {"username": api.options.username, "password": api.settings.secrets["password"], "token": "true"}
        api.statistics.auth_refreshes += 1
        response = api.response("POST", f"{self.url}/auth", data=form, safe=True, anonymous_hosts=self._hosts)
        token = response.content.decode("utf-8-sig", "replace").strip()
        if not token or len(token.split()) != 1 or "<" in token:
            raise UnexpectedContent(
                "the gateway answered without a token",
                status=response.status_code,
                url=api.client.where(f"{self.url}/auth"),
                hint="check gateway_url: it is https://gateway.<platform>, not the address of the API or of the console",
            )
        api.settings.secrets.remember(token)
        self._token = token
        self._renew_at = api.client.clock() + RENEW_AFTER
