"""Microsoft Defender for Identity, and what advanced hunting knows of identities and of the exposure graph."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from connector_assets.defender_identity.exposure import EDGE_LABELS, NODE_LABELS
from connector_assets.defender_identity.streams import STREAMS
from connector_assets.kit import Connector, Credential, Permission
from connector_assets.kit.errors import BadRequest
from connector_assets.kit.microsoft import MicrosoftCredentials, MicrosoftOptions

if TYPE_CHECKING:
    from connector_assets.kit.api import Api
    from connector_assets.kit.auth import Auth
    from connector_assets.kit.settings import Secrets

HOSTS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
LABEL = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class DefenderIdentityOptions(MicrosoftOptions):
    """Options of a Microsoft Defender for Identity connection."""

    resource: str = Field(
        default="https://graph.microsoft.com", description="What the token is for; other in national clouds."
    )
    api_version: Literal["v1.0", "beta"] = Field(
        default="v1.0",
        description="Version of Microsoft Graph; beta where a national cloud has these calls only there.",
    )
    account_identifiers: bool = Field(
        default=True,
        description="Take the identifiers of an identity's accounts for objectGUID, Entra object id and Okta id. "
        "Microsoft does not say what they are; without it identities are known by their SIDs alone.",
    )
    identity_info: bool = Field(default=True, description="Ask advanced hunting for details of accounts.")
    hunting_timespan: str = Field(
        default="P30D",
        pattern=r"^P[0-9DT][0-9A-Z]*$",
        description="How far hunting looks back; Microsoft keeps 30 days.",
    )
    hunting_rows: int = Field(
        default=100_000, ge=1, description="An answer of so many rows was cut by Microsoft and is asked for in parts."
    )
    hunting_megabytes: int = Field(
        default=45, ge=1, description="An answer of that size is taken as cut too; Microsoft's limit is 50 MB."
    )
    hunting_parts: int = Field(
        default=256, ge=1, le=65_536, description="Most parts a query is cut into before the stream is called partial."
    )
    quota_minutes: int = Field(
        default=15,
        ge=0,
        le=15,
        description="Waited once when hunting stays throttled: its quota of processor time is counted over 15 minutes.",
    )
    exposure_graph: bool = Field(
        default=False, description="Import Microsoft's own exposure graph, pruned to the labels."
    )
    exposure_node_labels: tuple[str, ...] = Field(
        default=NODE_LABELS, min_length=1, description="Labels of nodes to import, and to keep edges between."
    )
    exposure_edge_labels: tuple[str, ...] = Field(
        default=EDGE_LABELS,
        min_length=1,
        description="Labels of edges to import; Microsoft documents no complete list.",
    )

    @field_validator("exposure_node_labels", "exposure_edge_labels")
    @classmethod
    def real_labels(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for label in labels:
            if not LABEL.fullmatch(label):
                raise ValueError(f"{label!r} is no label; expected text such as 'device' or 'member of'")
        return labels


def credentials(options: DefenderIdentityOptions, secrets: Secrets) -> Auth:
    return MicrosoftCredentials(options, secrets, options.resource, HOSTS)


def asking(name: str) -> Callable[[Api], None]:
    def probe(api: Api) -> None:
        api.get(f"/{api.options.api_version}/security/identities/{name}")

    return probe


def probe_hunting(api: Api) -> None:
    """Any query; a tenant without the table proves nothing against the permission."""
    try:
        api.post(
            f"/{api.options.api_version}/security/runHuntingQuery", json={"Query": "IdentityInfo | take 1"}, safe=True
        )
    except BadRequest as error:
        if "failed to resolve table" not in error.message.lower():
            raise


CONNECTOR = Connector(
    product="defender_identity",
    title="Microsoft Defender for Identity",
    description="Sensors on domain controllers and their health, identities with their accounts in several directories, "
    "details of accounts from advanced hunting, and Microsoft's own exposure graph as an option.",
    base_url="https://graph.microsoft.com",
    auth=credentials,
    streams=STREAMS,
    credentials=(Credential("client_secret", "Secret of the app registration (Certificates & secrets)."),),
    permissions=(
        Permission("SecurityIdentitiesSensors.Read.All", "sensors", asking("sensors")),
        Permission("SecurityIdentitiesAccount.Read.All", "identities and accounts", asking("identityAccounts")),
        Permission("SecurityIdentitiesHealth.Read.All", "health issues", asking("healthIssues"), optional=True),
        Permission(
            "ThreatHunting.Read.All", "details of accounts and the exposure graph", probe_hunting, optional=True
        ),
    ),
    asset_kinds=("device", "identity", "application"),
    billable_kinds=("identity",),
    evidence="documented",
    options=DefenderIdentityOptions,
    known_hosts=HOSTS,
    changes="Neither the identities interface nor hunting tells changes or deletions: every pull is a full one.",
    troubleshooting={
        "400": "Graph refused the query: check base_url, api_version and the labels of the exposure options",
        "401": "check tenant_id, client_id and the secret's value (not its id) and expiry; a token asked for before an "
        "administrator consented keeps failing for up to an hour. AADSTS53003: a Conditional Access policy for workload "
        "identities does not list this machine's address",
        "403": "grant the application permission (not the delegated one) in the app registration and give admin consent; "
        "the tenant needs Defender for Identity, and Defender XDR for hunting. Graph has no IP allow list of its own, but a "
        "Conditional Access policy for workload identities may name addresses",
        "404": "base_url must be the Graph address alone, e.g. https://graph.microsoft.com; the calls are not in every "
        "national cloud, or only in beta (option api_version)",
        "409": "Microsoft documents 409 for changes alone: the next sync tries again; see whether a proxy answers in Graph's place",
        "429": "hunting allows some 45 calls a minute and a share of processor time each 15 minutes, shared with people "
        "who hunt: lower the cadence, or turn identity_info or exposure_graph off",
        "dns": "graph.microsoft.com and login.microsoftonline.com must be reachable; check proxy and name resolution",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority, or leave "
        "graph.microsoft.com and login.microsoftonline.com out of inspection",
        "connect": "allow https to graph.microsoft.com and login.microsoftonline.com (service tag AzureActiveDirectory); "
        "behind a proxy set HTTPS_PROXY",
    },
    # a query may run three minutes; one of 150 s was seen to end in 504
    read_seconds=200,
    default_schedule="0 */6 * * *",
    documentation_url="https://learn.microsoft.com/graph/api/resources/security-identitycontainer",
)
