"""Palo Alto Cortex Cloud, successor of Prisma Cloud: cloud assets, issues and vulnerability findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_assets.cortex_cloud.auth import AdvancedKey, StandardKey
from connector_assets.cortex_cloud.options import CortexCloudOptions
from connector_assets.cortex_cloud.streams import (
    CASES,
    INVENTORY,
    STREAMS,
    VULNERABILITIES,
    probe_assets,
    probe_findings,
    probe_issues,
)
from connector_assets.kit import Connector, Credential, Permission

if TYPE_CHECKING:
    from connector_assets.kit import Auth, Secrets


def credentials(options: CortexCloudOptions, secrets: Secrets) -> Auth:
    kind = AdvancedKey if options.key_type == "advanced" else StandardKey
    return kind(options.api_key_id, secrets)


CONNECTOR = Connector(
    product="cortex_cloud",
    title="Palo Alto Cortex Cloud",
    description="Cloud assets of all clouds as Cortex Cloud sees them, their vulnerabilities and the issues of their posture.",
    base_url="",
    auth=credentials,
    streams=STREAMS,
    credentials=(Credential("api_key", "API key (Settings, Configurations, Integrations, API Keys)."),),
    permissions=(
        Permission(INVENTORY, "assets", probe_assets),
        Permission(VULNERABILITIES, "vulnerability findings", probe_findings, optional=True),
        Permission(CASES, "issues", probe_issues, optional=True),
    ),
    asset_kinds=("cloud_resource", "device"),
    billable_kinds=("cloud_resource", "device"),
    evidence="client_code",
    options=CortexCloudOptions,
    known_hosts=("*.paloaltonetworks.com",),
    requests_per_minute=300,
    changes=(
        "Every pull is a full one: none of the interfaces read tells a deletion, and a snapshot of findings counts against the "
        "quota whether much or little changed. An asset or finding that is gone is missing in the next whole pull, or is no longer "
        "observed and leaves the window."
    ),
    troubleshooting={
        "400": "the tenant refused the request: check the options asset_page_size, asset_order, on_demand_fields, "
        "issue_domains and findings_by_last_observed",
        "401": "check api_key_id and api_key, and that key_type is the security level the key was made with (standard or "
        "advanced); an advanced key also needs this machine's clock to be right",
        "402": "the tenant's licence does not include this interface: findings need Cortex Cloud Runtime Security or Posture "
        "Management",
        "403": "give the key's role the right to view the asset inventory, issues and vulnerability management (how a tenant "
        "names them is not verified). Where it is right, the tenant may limit API access to addresses (Settings, "
        "Configurations, Security Settings, Approved IP Ranges): add this machine's",
        "404": "base_url is the tenant's API address, not the one of its console: "
        "https://api-<tenant>.xdr.<region>.paloaltonetworks.com",
        "409": "Cortex Cloud documents no 409 for what is read: the next sync tries again; see whether a proxy or a gateway "
        "answers in its place",
        "429": "the tenant's quota is used up; the vulnerability snapshot is given 10 times in 24 hours: sync less often, or "
        "set findings_source to search",
        "dns": "base_url is the tenant's API address, which begins with api-: "
        "https://api-<tenant>.xdr.<region>.paloaltonetworks.com",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority",
        "connect": "allow https to the API address of the tenant; behind a proxy set HTTPS_PROXY",
    },
    default_schedule="0 */4 * * *",
    documentation_url="https://docs-cortex.paloaltonetworks.com/r/Cortex-Cloud-Platform-APIs",
)
