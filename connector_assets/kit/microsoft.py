"""What Microsoft's cloud interfaces have in common: how a token is asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connector_assets.kit.auth import ClientCredentials
from connector_assets.kit.hosts import matches
from connector_assets.kit.settings import Secrets

if TYPE_CHECKING:
    from connector_assets.kit.client import Client

AUTHORITY = "https://login.microsoftonline.com"
TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]*")


class MicrosoftOptions(BaseModel):
    """Options every Microsoft connector has: which app registration of which tenant asks."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: str = Field(description="Directory (tenant) id, or a verified domain of the tenant.")
    client_id: str = Field(min_length=1, description="Application (client) id of the app registration.")
    authority_url: str = Field(
        default="",
        description=f"Where tokens are asked for; empty means {AUTHORITY}, or base_url itself where that is not one of "
        "Microsoft's (a gateway, a replay). National clouds have their own, such as https://login.microsoftonline.us.",
    )

    @field_validator("tenant_id")
    @classmethod
    def tenant_form(cls, value: str) -> str:
        if not TENANT.fullmatch(value):
            raise ValueError("expected the tenant's id (a GUID) or one of its domains")
        return value


class MicrosoftCredentials(ClientCredentials):
    """Client credentials at Microsoft's token endpoint, for `resource` (https://graph.microsoft.com ...).

    vendor_hosts: the product's own hosts. A base address that is none of them answers for the authority too, so that
    nothing of a replay or an emulated product ever asks Microsoft.
    """

    def __init__(self, options: MicrosoftOptions, secrets: Secrets, resource: str, vendor_hosts: Sequence[str]) -> None:
        self._authority = options.authority_url.rstrip("/")
        self._vendor_hosts = tuple(vendor_hosts)
        self._path = f"/{options.tenant_id}/oauth2/v2.0/token"
        scope = f"{resource.rstrip('/')}/.default"
        super().__init__(self._path, {"client_id": options.client_id}, secrets, scope=scope)

    def prepare(self, client: Client) -> None:
        self._place(client)
        super().prepare(client)

    def refresh(self, client: Client) -> bool:
        self._place(client)
        return super().refresh(client)

    def _place(self, client: Client) -> None:
        base = urlsplit(client.base_url)
        own = f"{base.scheme}://{base.netloc}"
        is_vendor = matches(base.hostname or "", self._vendor_hosts)
        self.token_url = (self._authority or (AUTHORITY if is_vendor else own)) + self._path
        # one address may answer for many products, each below a path of its own
        beside = base.path.strip("/") and not self._authority and not is_vendor
        self.other_token_url = client.base_url + self._path if beside else ""
