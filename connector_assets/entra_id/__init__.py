"""Microsoft Entra ID over Microsoft Graph v1.0: people, groups, devices, applications, roles and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from connector_assets.entra_id.streams import STREAMS
from connector_assets.kit import Connector, Credential, Permission
from connector_assets.kit.microsoft import MicrosoftCredentials, MicrosoftOptions

if TYPE_CHECKING:
    from connector_assets.kit.api import Api
    from connector_assets.kit.auth import Auth
    from connector_assets.kit.settings import Secrets

HOSTS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")


class EntraOptions(MicrosoftOptions):
    """Options of a Microsoft Entra ID connection."""

    resource: str = Field(
        default="https://graph.microsoft.com", description="What the token is for; other in national clouds."
    )
    page_size: int = Field(default=999, ge=1, le=999, description="Records a page; Graph caps some collections lower.")
    relations_version: Literal["v1.0", "beta"] = Field(
        default="v1.0",
        description="Version of Graph that members and owners of groups are read from. v1.0 leaves out the service principals "
        "among them, a known limitation of Microsoft's, not verified for every tenant; beta tells them and may change at any time.",
    )
    group_owners: bool = Field(
        default=False,
        description="Also read who owns each group, a call for 20 groups. That Microsoft's graph has it as 'has role on' with "
        "the role Owner, as it has owners of applications, is not verified.",
    )
    device_changes: bool = Field(
        default=False,
        description="With full_every_hours, ask for changed devices alone too. That the delta query tells a new last sign-in, "
        "by which the window is judged, is not verified.",
    )


def credentials(options: EntraOptions, secrets: Secrets) -> Auth:
    return MicrosoftCredentials(options, secrets, options.resource, HOSTS)


def asking(path: str, **params: Any) -> Callable[[Api], None]:
    def probe(api: Api) -> None:
        api.get(f"/v1.0{path}", {f"${name}": value for name, value in params.items()} or None)

    return probe


CONNECTOR = Connector(
    product="entra_id",
    title="Microsoft Entra ID",
    description="Users, groups and memberships, devices and their owners, app registrations, service principals, "
    "permissions and directory roles of a tenant.",
    base_url="https://graph.microsoft.com",
    auth=credentials,
    streams=STREAMS,
    credentials=(Credential("client_secret", "Secret of the app registration (Certificates & secrets)."),),
    permissions=(
        Permission("Directory.Read.All", "the tenant and delegated grants", asking("/organization", select="id")),
        Permission("User.Read.All", "users", asking("/users", select="id", top=1)),
        Permission("GroupMember.Read.All", "groups, their members and owners", asking("/groups", select="id", top=1)),
        Permission("Device.Read.All", "devices and their owners", asking("/devices", select="id", top=1)),
        Permission(
            "Application.Read.All",
            "app registrations, service principals and app role assignments",
            asking("/servicePrincipals", select="id", top=1),
        ),
        Permission(
            "RoleManagement.Read.Directory",
            "directory roles and who holds them",
            asking("/roleManagement/directory/roleDefinitions", select="id"),
        ),
        Permission(
            "AuditLog.Read.All",
            "last sign-in and registered strong authentication; both also need Entra ID P1",
            asking("/users", select="id,signInActivity", top=1),
            optional=True,
        ),
    ),
    asset_kinds=("device", "identity", "application"),
    billable_kinds=("identity",),
    evidence="recorded",
    options=EntraOptions,
    known_hosts=HOSTS,
    changes=(
        "Graph's delta query tells changed groups and delegated grants, and devices with the option device_changes; deletions "
        "come with it. Users are always read whole, as it tells no sign-ins, and so are owners, memberships and roles."
    ),
    troubleshooting={
        "400": "Graph refused the query: check that base_url is a Graph address without a version, and the options",
        "401": "check tenant_id, client_id and the secret's value (not its id) and expiry; a token asked for before an "
        "administrator consented keeps failing for up to an hour. AADSTS53003: a Conditional Access policy for workload "
        "identities does not list this machine's address",
        "403": "grant the application permission (not the delegated one) in the app registration and give admin consent; "
        "signInActivity and reports also need an Entra ID P1 licence, members of groups with hidden membership also "
        "Member.Read.Hidden. Graph has no IP allow list of its own, but a Conditional "
        "Access policy for workload identities may name addresses",
        "404": "base_url must be the Graph address alone, e.g. https://graph.microsoft.com",
        "409": "Microsoft documents 409 for changes alone: the next sync tries again; see whether a proxy answers in Graph's place",
        "429": "Graph throttles this app in this tenant: lower the cadence, or give this connector its own app registration",
        "dns": "graph.microsoft.com and login.microsoftonline.com must be reachable; check proxy and name resolution",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority, or leave "
        "graph.microsoft.com and login.microsoftonline.com out of inspection",
        "connect": "allow https to graph.microsoft.com and login.microsoftonline.com (service tag AzureActiveDirectory); "
        "behind a proxy set HTTPS_PROXY",
    },
    default_schedule="0 */4 * * *",
    documentation_url="https://learn.microsoft.com/graph/api/overview",
)
