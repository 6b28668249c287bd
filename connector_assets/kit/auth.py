"""How a pull proves who it is. Small objects: `prepare` before a request, `apply` to it, `refresh` once after a 401."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from connector_assets.kit.errors import ConnectorError, FixCredentials, UnexpectedContent
from connector_assets.kit.settings import Secrets

if TYPE_CHECKING:
    from connector_assets.kit.client import Client

#: A token is renewed when this share of its life is over, so that it never ends inside a request.
RENEW_AT = 0.8


class Auth(Protocol):
    def prepare(self, client: Client) -> None:
        """Have a valid credential, asking for a new token where the old one is about to end."""

    def apply(self, headers: dict[str, str]) -> None:
        """Add the credential to the headers of a request."""

    def refresh(self, client: Client) -> bool:
        """After a 401: get a new credential. False when there is none to get."""


class NoAuth:
    def prepare(self, client: Client) -> None: ...

    def apply(self, headers: dict[str, str]) -> None: ...

    def refresh(self, client: Client) -> bool:
        return False


class Basic(NoAuth):
    """Basic authentication, in UTF-8 (requests' own is Latin-1 and fails on other passwords)."""

    def __init__(self, username: str | Callable[[], str], password: Callable[[], str], secrets: Secrets) -> None:
        self._username, self._password, self._secrets = username, password, secrets

    def apply(self, headers: dict[str, str]) -> None:
        username = self._username if isinstance(self._username, str) else self._username()
        token = base64.b64encode(f"{username}:{self._password()}".encode()).decode()
        self._secrets.remember(token)
        headers["Authorization"] = f"Basic {token}"


class HeaderKeys(NoAuth):
    """Fixed headers whose values are templates over secrets, e.g. {"X-ApiKeys": "accessKey={access_key};..."}."""

    def __init__(self, templates: Mapping[str, str], secrets: Secrets) -> None:
        self._templates, self._secrets = templates, secrets

    def apply(self, headers: dict[str, str]) -> None:
        for name, template in self._templates.items():
            headers[name] = template.format_map(self._secrets)


class ClientCredentials:
    """OAuth 2 client credentials: one POST for a token, renewed at 80 % of its life and once after a 401.

    `form` is the body; values given as callables are read at the moment of use (secrets). `token_url` may be a path of
    the base address or an absolute address on `token_hosts`.
    """

    def __init__(
        self,
        token_url: str,
        form: Mapping[str, str | Callable[[], str]],
        secrets: Secrets,
        *,
        header: str = "Authorization",
        scheme: str = "Bearer ",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token_url = token_url
        self._form = form
        self._secrets = secrets
        self._header, self._scheme = header, scheme
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"ClientCredentials({self.token_url})"

    def prepare(self, client: Client) -> None:
        if not self._token or self._clock() >= self._renew_at:
            self._fetch(client)

    def apply(self, headers: dict[str, str]) -> None:
        headers[self._header] = self._scheme + self._token

    def refresh(self, client: Client) -> bool:
        self._fetch(client)
        return True

    def _fetch(self, client: Client) -> None:
        form = {key: value() if callable(value) else value for key, value in self._form.items()}
        try:
            answer = client.token_request(self.token_url, form)
        except ConnectorError as error:
            if error.status in (400, 401, 403):
                raise FixCredentials(
                    f"the token endpoint refused the credentials: {error.message}",
                    status=error.status,
                    url=error.url,
                    hint="check client id, secret and its expiry, and the tenant",
                ) from error
            raise
        self._token = token_of(answer, self.token_url)
        self._secrets.remember(self._token)
        life = float(answer.get("expires_in") or 3600)
        self._renew_at = self._clock() + life * RENEW_AT


def token_of(answer: Any, url: str) -> str:
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise UnexpectedContent("the token endpoint answered without access_token", url=url)
    return token
