"""How a pull proves who it is. Small objects: `prepare` before a request, `apply` to it, `refresh` once after a 401.

Values of secrets may be given as text or, better, as a function that reads them at the moment of use
(`lambda: secrets["password"]`). Nothing here shows a secret in its repr.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from connector_assets.kit.errors import ConnectorError, FixCredentials, UnexpectedContent
from connector_assets.kit.settings import Secrets
from connector_assets.kit.waits import as_number

if TYPE_CHECKING:
    from connector_assets.kit.client import Client

#: A token is renewed when this share of its life is over, so that it never ends inside a request.
RENEW_AT = 0.8
#: Life of a token whose vendor does not tell it, in seconds.
DEFAULT_LIFE = 3600.0

Value = str | Callable[[], str]
"""A text, or a function that reads it when it is needed."""


class Auth(Protocol):
    """What a client asks of a credential. Write an own one for a vendor with a login of its own."""

    def prepare(self, client: Client) -> None:
        """Have a valid credential, asking for a new token where the old one is about to end."""

    def apply(self, headers: dict[str, str]) -> None:
        """Add the credential to the headers of a request."""

    def refresh(self, client: Client) -> bool:
        """After a 401: get a new credential. False when there is none to get."""


class NoAuth:
    """No credential: base of those that are simply a header."""

    def prepare(self, client: Client) -> None: ...

    def apply(self, headers: dict[str, str]) -> None: ...

    def refresh(self, client: Client) -> bool:
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Basic(NoAuth):
    """Basic authentication, in UTF-8 (requests' own is Latin-1 and fails on other passwords)."""

    def __init__(self, username: Value, password: Value, secrets: Secrets | None = None) -> None:
        self._username, self._password, self._secrets = username, password, secrets

    def apply(self, headers: dict[str, str]) -> None:
        token = base64.b64encode(f"{read(self._username)}:{read(self._password)}".encode()).decode()
        if self._secrets is not None:
            self._secrets.remember(token)
        headers["Authorization"] = f"Basic {token}"


class Bearer(NoAuth):
    """A token that does not change, in one header."""

    def __init__(self, token: Value, *, header: str = "Authorization", scheme: str = "Bearer ") -> None:
        self._token, self._header, self._scheme = token, header, scheme

    def apply(self, headers: dict[str, str]) -> None:
        headers[self._header] = self._scheme + read(self._token)


class HeaderKeys(NoAuth):
    """Fixed headers whose values are templates over secrets.

    `HeaderKeys("X-ApiKeys", "accessKey={access_key};secretKey={secret_key};", secrets)`; further headers as `more`.
    """

    def __init__(self, header: str, template: str, secrets: Secrets, *, more: Mapping[str, str] | None = None) -> None:
        self._templates = {header: template, **(more or {})}
        self._secrets = secrets

    def apply(self, headers: dict[str, str]) -> None:
        for name, template in self._templates.items():
            headers[name] = template.format_map(self._secrets)


class ClientCredentials:
    """OAuth 2 client credentials: one POST for a token, renewed at 80 % of its life and once after a 401.

    token_url: a path of the base address, or an absolute address. data: the form; a value may be a function.
    secret_fields: form field -> credential name, read at the moment of use. expected_status: what the vendor answers
    with a token (some say 201). header, scheme: where the token goes. other_token_url, set by who places the address:
    where to ask once the first one is not there (404).

    Raises FixCredentials when the token is refused, UnexpectedContent for an answer without one.
    """

    def __init__(
        self,
        token_url: str,
        data: Mapping[str, Value],
        secrets: Secrets,
        *,
        secret_fields: Mapping[str, str] | None = None,
        scope: str | None = None,
        expected_status: tuple[int, ...] = (200, 201),
        header: str = "Authorization",
        scheme: str = "Bearer ",
    ) -> None:
        self.token_url = token_url
        self.other_token_url = ""
        self._data = {"grant_type": "client_credentials", **data}
        if scope is not None:
            self._data["scope"] = scope
        self._secret_fields = {"client_secret": "client_secret"} if secret_fields is None else dict(secret_fields)
        self._secrets = secrets
        self._expected_status = expected_status
        self._header, self._scheme = header, scheme
        self._token = ""
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"ClientCredentials({self.token_url})"

    def prepare(self, client: Client) -> None:
        if not self._token or client.clock() >= self._renew_at:
            self._fetch(client)

    def apply(self, headers: dict[str, str]) -> None:
        headers[self._header] = self._scheme + self._token

    def refresh(self, client: Client) -> bool:
        self._fetch(client)
        return True

    def _fetch(self, client: Client) -> None:
        form = {field: self._secrets[name] for field, name in self._secret_fields.items() if field not in self._data}
        form.update({field: read(value) for field, value in self._data.items()})
        asked_at = client.clock()
        try:
            answer = self._ask(client, form)
        except ConnectorError as error:
            if error.status in (400, 401, 403):
                raise FixCredentials(
                    f"the token endpoint refused the credentials: {error.message}",
                    status=error.status,
                    url=error.url,
                    hint=client.advice("401", "check client id, secret and its expiry, and the tenant"),
                    answer=error.answer,
                ) from None
            raise
        self._token = token_of(answer, client.where(self.token_url))
        self._secrets.remember(self._token)
        told = answer.get("expires_in")
        life = as_number(str(told)) if told is not None else None
        self._renew_at = asked_at + (life if life and life > 0 else DEFAULT_LIFE) * RENEW_AT

    def _ask(self, client: Client, form: Mapping[str, str]) -> Any:
        try:
            return client.token_request(self.token_url, form, self._expected_status)
        except ConnectorError as error:
            if error.status != 404 or not self.other_token_url:
                raise
        return client.token_request(self.other_token_url, form, self._expected_status)


def read(value: Value) -> str:
    return value if isinstance(value, str) else value()


def token_of(answer: Any, url: str) -> str:
    """The access token of a token endpoint's answer; UnexpectedContent when there is none."""
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise UnexpectedContent(
            "the token endpoint answered without access_token",
            url=url,
            hint="check the token address: a proxy or another service may answer there",
        )
    return token
