"""Wiz: cloud resources, their vulnerabilities and issues, by GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector_assets.kit import ClientCredentials, Connector, Credential, Permission
from connector_assets.kit.hosts import matches
from connector_assets.wiz.graphql import PATH, ask
from connector_assets.wiz.options import WizOptions
from connector_assets.wiz.queries import PROBES
from connector_assets.wiz.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_assets.kit.api import Api
    from connector_assets.kit.auth import Auth
    from connector_assets.kit.client import Client
    from connector_assets.kit.settings import Secrets

HOSTS = ("*.wiz.io", "*.wiz.us")
TOKEN_PATH = "/oauth/token"
TOKEN_URL = f"https://auth.app.wiz.io{TOKEN_PATH}"
GOV_TOKEN_URL = f"https://auth.app.wiz.us{TOKEN_PATH}"


class WizCredentials(ClientCredentials):
    """Client credentials at Wiz's token address; a base address that is not Wiz's answers for it too."""

    def __init__(self, options: WizOptions, secrets: Secrets) -> None:
        self._told = options.token_url
        super().__init__(
            options.token_url or TOKEN_PATH, {"client_id": options.client_id, "audience": options.audience}, secrets
        )

    def prepare(self, client: Client) -> None:
        self._place(client)
        super().prepare(client)

    def refresh(self, client: Client) -> bool:
        self._place(client)
        return super().refresh(client)

    def _place(self, client: Client) -> None:
        base = urlsplit(client.base_url)
        host = base.hostname or ""
        own = f"{base.scheme}://{base.netloc}{TOKEN_PATH}"
        vendors = GOV_TOKEN_URL if host.endswith(".wiz.us") else TOKEN_URL
        self.token_url = self._told or (vendors if matches(host, HOSTS) else own)
        # one address may answer for many products, each below a path of its own
        below = client.base_url.removesuffix(PATH).removesuffix("/")
        beside = below != f"{base.scheme}://{base.netloc}" and not self._told and not matches(host, HOSTS)
        self.other_token_url = below + TOKEN_PATH if beside else ""


def credentials(options: WizOptions, secrets: Secrets) -> Auth:
    return WizCredentials(options, secrets)


def probe(root: str) -> Callable[[Api], None]:
    def ask_for_one(api: Api) -> None:
        ask(api, PROBES[root], name=root)

    return ask_for_one


CONNECTOR = Connector(
    product="wiz",
    title="Wiz",
    description="Cloud resources of all clouds as Wiz sees them, their vulnerabilities and the issues its rules find. "
    "Configuration findings that raise no issue are not read, nor is the graph of permissions, the names of whose edges are "
    "not verified.",
    base_url="",
    auth=credentials,
    streams=STREAMS,
    credentials=(Credential("client_secret", "Secret of the service account."),),
    permissions=(
        Permission("read:resources", "cloud resources", probe("cloudResourcesV2")),
        Permission("read:vulnerabilities", "vulnerability findings", probe("vulnerabilityFindings")),
        Permission("read:issues", "issues", probe("issuesV2"), optional=True),
    ),
    asset_kinds=("cloud_resource", "device"),
    billable_kinds=("cloud_resource", "device"),
    evidence="client_code",
    options=WizOptions,
    known_hosts=HOSTS,
    requests_per_minute=180,
    changes=(
        "Vulnerability findings are asked for as updated since; Wiz tells none that is gone and misses closures of some kinds, "
        "which stay until the next full pull. Resources and issues are read whole."
    ),
    troubleshooting={
        "400": "Wiz refused the query: check the options resource_types and page_size; a field this tenant does not know is "
        "named in the answer",
        "401": "check client_id and the service account's secret and expiry; token_url and audience must be the tenant's "
        "own (wiz-api at auth.app.wiz.io, beyond-api at auth.wiz.io, other addresses for Gov)",
        "403": "give the service account (type Custom Integration, GraphQL API) the scopes read:resources, "
        "read:vulnerabilities and read:issues, for all projects; where the tenant limits service accounts to addresses, add "
        "this machine's",
        "404": "base_url must be the API endpoint of the tenant: https://api.<data center>.app.wiz.io/graphql (User "
        "Settings, Tenant)",
        "409": "Wiz documents no 409: the next sync tries again; see whether a gateway answers in its place",
        "429": "Wiz allows about three requests a second for a tenant: run this connector at another time than other clients",
        "dns": "the API host (https://api.<data center>.app.wiz.io) and auth.app.wiz.io must be reachable; check proxy and "
        "name resolution",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority",
        "connect": "allow https to the API host of the tenant and to auth.app.wiz.io; behind a proxy set HTTPS_PROXY",
    },
    default_schedule="0 */4 * * *",
    documentation_url="https://docs.wiz.io/",
)
