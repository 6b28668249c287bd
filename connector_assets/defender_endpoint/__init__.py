"""Microsoft Defender for Endpoint with Defender Vulnerability Management."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from connector_assets.defender_endpoint.streams import STREAMS, is_empty
from connector_assets.kit import Connector, Credential, Permission
from connector_assets.kit.errors import NotFound
from connector_assets.kit.microsoft import MicrosoftCredentials, MicrosoftOptions

if TYPE_CHECKING:
    from connector_assets.kit.api import Api
    from connector_assets.kit.auth import Auth
    from connector_assets.kit.settings import Secrets

HOSTS = (
    "api.security.microsoft.com",
    "*.api.security.microsoft.com",
    "api.securitycenter.microsoft.com",
    "*.securitycenter.microsoft.com",
)


class DefenderOptions(MicrosoftOptions):
    """Options of a Microsoft Defender for Endpoint connection."""

    resource: str = Field(
        default="https://api.securitycenter.microsoft.com",
        description="What the token is for; it must be what the app registration consented to.",
    )
    page_size: int = Field(default=50_000, ge=1, le=200_000, description="Rows a page of software and vulnerabilities.")
    vulnerabilities_via: Literal["by_machine", "export"] = Field(
        default="by_machine",
        description="by_machine reads pages; export downloads prepared files from a storage account, for large estates.",
    )
    export_hosts: tuple[str, ...] = Field(
        default=("*.blob.core.windows.net",),
        description="Storage hosts that export files may be downloaded from; no credential is ever sent there.",
    )
    logon_users: Literal["none", "servers", "all"] = Field(
        default="servers",
        description="Machines whose logged-on users are asked for. It costs a call a machine, of 100 a minute and 1,500 an "
        "hour; on servers they are worth it, people's own machines are known from Entra ID.",
    )
    logon_users_limit: int = Field(default=1000, ge=1, description="At most so many machines are asked a sync.")
    all_cves: bool = Field(default=False, description="Also keep details of weaknesses that no machine has.")

    @field_validator("export_hosts")
    @classmethod
    def real_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            name = host.removeprefix("*.")
            if "*" in name or "/" in name or "." not in name:
                raise ValueError(f"{host!r} is no host; expected one such as *.blob.core.windows.net")
        return hosts


def credentials(options: DefenderOptions, secrets: Secrets) -> Auth:
    return MicrosoftCredentials(options, secrets, options.resource, HOSTS)


def asking(path: str) -> Callable[[Api], None]:
    def probe(api: Api) -> None:
        try:
            api.get(path)
        except NotFound as error:
            if not is_empty(error):
                raise

    return probe


def probe_logon_users(api: Api) -> None:
    """Any machine's logged-on users; an estate without machines proves nothing against the permission."""
    machines = (api.get("/api/machines", {"$top": 1}, none_on=(404,)) or {}).get("value") or []
    if machines and machines[0].get("id"):
        api.get(f"/api/machines/{machines[0]['id']}/logonusers", none_on=(404,))


CONNECTOR = Connector(
    product="defender_endpoint",
    title="Microsoft Defender for Endpoint",
    description="Machines with the Defender sensor or seen by it, their software and weaknesses, and who logs on to them.",
    base_url="https://api.security.microsoft.com",
    auth=credentials,
    streams=STREAMS,
    credentials=(Credential("client_secret", "Secret of the app registration (Certificates & secrets)."),),
    permissions=(
        Permission("Machine.Read.All", "machines", asking("/api/machines?$top=1")),
        Permission(
            "Software.Read.All", "installed software", asking("/api/machines/SoftwareInventoryByMachine?pageSize=1")
        ),
        Permission(
            "Vulnerability.Read.All",
            "weaknesses of machines and their details",
            asking("/api/machines/SoftwareVulnerabilitiesByMachine?pageSize=1"),
        ),
        Permission("User.Read.All", "users logged on to machines", probe_logon_users, optional=True),
    ),
    asset_kinds=("device", "identity", "application"),
    billable_kinds=("device",),
    evidence="recorded",
    options=DefenderOptions,
    known_hosts=HOSTS,
    changes=(
        "Defender tells changed weaknesses (new, fixed, updated) of the last 14 days; rows that did not change keep the time at "
        "which they were last seen until the next full pull. For that a row is named by machine, product, version and CVE, as it "
        "is not verified that changes bear the ids of the whole list. Machines are always listed whole: Defender tells no "
        "deletion, and its filters lose pages. Software is read whole."
    ),
    troubleshooting={
        "401": "check tenant_id, client_id and the secret's value (not its id) and expiry, and that the option resource is "
        "what the app registration consented to. AADSTS53003: a Conditional Access policy for workload identities does not list "
        "this machine's address",
        "403": "grant the application permissions of WindowsDefenderATP (Machine.Read.All ...) in the app registration and "
        "give admin consent; software and weaknesses need Defender Vulnerability Management. Defender has no IP allow list of its "
        "own for this interface, but a Conditional Access policy for workload identities may name addresses",
        "404": "base_url must be the API alone: https://api.security.microsoft.com or your region's, "
        "e.g. https://eu.api.security.microsoft.com",
        "409": "Microsoft documents no 409 for reading: the next sync tries again; see whether a proxy answers in Defender's place",
        "429": "Defender allows 100 calls a minute and 1,500 an hour: lower the cadence, or logon_users_limit",
        "dns": "api.security.microsoft.com and login.microsoftonline.com must be reachable; check proxy and name resolution",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority, or leave "
        "api.security.microsoft.com and login.microsoftonline.com out of inspection",
        "connect": "allow https to api.security.microsoft.com and login.microsoftonline.com (service tag "
        "MicrosoftDefenderForEndpoint); behind a proxy set HTTPS_PROXY",
    },
    default_schedule="0 */6 * * *",
    documentation_url="https://learn.microsoft.com/defender-endpoint/api/exposed-apis-list",
)
