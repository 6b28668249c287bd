"""Microsoft Intune over Microsoft Graph: the devices it manages and, on request, the applications found on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from connector_assets.intune.streams import STREAMS
from connector_assets.kit import Connector, Credential, Permission
from connector_assets.kit.microsoft import MicrosoftCredentials, MicrosoftOptions

if TYPE_CHECKING:
    from connector_assets.kit.api import Api
    from connector_assets.kit.auth import Auth
    from connector_assets.kit.settings import Secrets

HOSTS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")


class IntuneOptions(MicrosoftOptions):
    """Options of a Microsoft Intune connection."""

    resource: str = Field(
        default="https://graph.microsoft.com", description="What the token is for; other in national clouds."
    )
    api_version: Literal["v1.0", "beta"] = Field(
        default="v1.0",
        description="Version of Graph that devices are read from. beta also tells the chassis type, the join type and who "
        "logged on, and may change at any time; which of its properties a tenant gives is unverified.",
    )
    page_size: int = Field(default=1000, ge=1, le=1000, description="Records a page.")
    detected_apps: Literal["none", "catalogue", "devices"] = Field(
        default="none",
        description="Applications that Intune found: none, their catalogue alone, or also the devices each is on, which "
        "costs a call an application. Intune's own export of them all is not used: to begin one takes a permission to write.",
    )
    detected_apps_limit: int = Field(
        default=2000, ge=1, description="At most so many applications are asked for their devices in a sync."
    )


def credentials(options: IntuneOptions, secrets: Secrets) -> Auth:
    return MicrosoftCredentials(options, secrets, options.resource, HOSTS)


def probe_devices(api: Api) -> None:
    api.get(f"/{api.options.api_version}/deviceManagement/managedDevices", {"$select": "id", "$top": 1})


def probe_apps(api: Api) -> None:
    api.get("/v1.0/deviceManagement/detectedApps", {"$select": "id", "$top": 1})


CONNECTOR = Connector(
    product="intune",
    title="Microsoft Intune",
    description="Enrolled computers, phones and tablets with serial numbers, addresses, compliance and primary user; on "
    "request the applications found on them.",
    base_url="https://graph.microsoft.com",
    auth=credentials,
    streams=STREAMS,
    credentials=(Credential("client_secret", "Secret of the app registration (Certificates & secrets)."),),
    permissions=(
        Permission("DeviceManagementManagedDevices.Read.All", "managed devices", probe_devices),
        Permission(
            "DeviceManagementApps.Read.All",
            "applications found on devices, for which by Microsoft's reference the permission above is enough; which of the "
            "two a tenant asks for is not verified, and the check tells whether the call works",
            probe_apps,
            optional=True,
        ),
    ),
    asset_kinds=("device", "identity", "application"),
    billable_kinds=("device",),
    evidence="recorded",
    options=IntuneOptions,
    known_hosts=HOSTS,
    changes="Intune tells no changes and no deletions: every pull is a full one.",
    troubleshooting={
        "400": "a tenant without Intune answers 'Request not applicable to target tenant'; else check that base_url is a "
        "Graph address without a version",
        "401": "check tenant_id, client_id and the secret's value (not its id) and expiry; a token asked for before an "
        "administrator consented keeps failing for up to an hour. AADSTS53003: a Conditional Access policy for workload "
        "identities does not list this machine's address",
        "403": "grant the application permission (not the delegated one) in the app registration and give admin consent; "
        "the tenant also needs an Intune licence. Graph has no IP allow list of its own, but a Conditional Access policy for "
        "workload identities may name addresses",
        "404": "base_url must be the Graph address alone, e.g. https://graph.microsoft.com",
        "409": "Intune changes what was asked for at this moment: the next sync tries again",
        "429": "Intune allows 2,000 calls in 20 seconds for devices, less for the rest: lower the cadence",
        "500": "Intune also throttles with HTTP 500 ('too many requests to query broker'): lower the cadence, or set "
        "detected_apps to catalogue or none",
        "503": "Intune is not available, which is also how it throttles: the next sync tries again",
        "dns": "graph.microsoft.com and login.microsoftonline.com must be reachable; check proxy and name resolution",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority, or leave "
        "graph.microsoft.com and login.microsoftonline.com out of inspection",
        "connect": "allow https to graph.microsoft.com and login.microsoftonline.com (service tag AzureActiveDirectory); "
        "behind a proxy set HTTPS_PROXY",
    },
    default_schedule="0 */4 * * *",
    documentation_url="https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice",
)
