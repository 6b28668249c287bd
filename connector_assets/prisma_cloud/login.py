"""Signing in at the posture API: an access key buys a token of some ten minutes, which is extended while it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connector_assets.kit import BadRequest, FixCredentials, FixPermission, NotFound, UnexpectedContent
from connector_assets.kit.auth import RENEW_AT

if TYPE_CHECKING:
    from connector_assets.kit.client import Client
    from connector_assets.kit.settings import Secrets
    from connector_assets.prisma_cloud.options import PrismaCloudOptions

HEADER = "x-redlock-auth"


class Login:
    """The token in its own header, without a scheme. Extended at 80 % of its life, bought anew after a 401."""

    def __init__(self, options: PrismaCloudOptions, secrets: Secrets) -> None:
        self._options, self._secrets = options, secrets
        self._token = ""
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"Login({self._options.access_key_id})"

    def prepare(self, client: Client) -> None:
        if not self._token:
            self._buy(client)
        elif client.clock() >= self._renew_at:
            self._extend(client)

    def apply(self, headers: dict[str, str]) -> None:
        headers[HEADER] = self._token

    def refresh(self, client: Client) -> bool:
        self._buy(client)
        return True

    def _buy(self, client: Client) -> None:
        body = {"username": self._options.access_key_id, "password": self._secrets["secret_key"]}
        if self._options.prisma_id:
            body["prismaId"] = self._options.prisma_id
        self._ask(client, "POST", "/login", json=body, safe=True)

    def _extend(self, client: Client) -> None:
        """A new token for the old one; where that is refused, one for the key."""
        try:
            self._ask(client, "GET", "/auth_token/extend", headers={HEADER: self._token})
        except (BadRequest, FixCredentials, FixPermission, NotFound, UnexpectedContent):
            self._buy(client)

    def _ask(self, client: Client, method: str, path: str, **request: Any) -> None:
        host = urlsplit(client.base_url).hostname or ""
        asked_at = client.clock()
        client.statistics.auth_refreshes += 1
        answer = client.json(method, client.base_url + path, anonymous_hosts=(host,), **request)
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise UnexpectedContent(
                "the sign-in was answered without a token",
                url=client.where(client.base_url + path),
                hint="check base_url: it is the API's address (https://api2.eu.prismacloud.io), not the console's (app...)",
            )
        self._secrets.remember(token)
        self._token = token
        self._renew_at = asked_at + self._options.token_seconds * RENEW_AT
