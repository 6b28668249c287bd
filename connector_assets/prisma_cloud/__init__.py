"""Prisma Cloud of Palo Alto Networks: posture of cloud resources, and what Compute finds in hosts and images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_assets.kit import Connector, Credential, Permission
from connector_assets.prisma_cloud.compute import probe
from connector_assets.prisma_cloud.login import Login
from connector_assets.prisma_cloud.options import PrismaCloudOptions
from connector_assets.prisma_cloud.posture import probe_alerts, probe_assets, probe_search
from connector_assets.prisma_cloud.streams import STREAMS

if TYPE_CHECKING:
    from connector_assets.kit.auth import Auth
    from connector_assets.kit.settings import Secrets


def sign_in(options: PrismaCloudOptions, secrets: Secrets) -> Auth:
    return Login(options, secrets)


CONNECTOR = Connector(
    product="prisma_cloud",
    title="Palo Alto Prisma Cloud",
    description="Cloud resources of all clouds with the policies they violate, and hosts and container images with their CVEs.",
    base_url="",
    auth=sign_in,
    streams=STREAMS,
    credentials=(
        Credential("secret_key", "Secret key of the access key."),
        Credential("compute_password", "Password at a self-hosted Compute console.", optional=True),
    ),
    permissions=(
        Permission("asset inventory", "assets of the clouds and the policies they fail", probe_assets),
        Permission("config search", "cards, addresses and names of machines", probe_search, optional=True),
        Permission("alerts", "policies that resources violate", probe_alerts, optional=True),
        Permission("compute hosts", "hosts and their vulnerabilities", probe("/hosts"), optional=True),
        Permission("compute images", "container images and their vulnerabilities", probe("/images"), optional=True),
        Permission("compute containers", "which image runs where", probe("/containers"), optional=True),
    ),
    asset_kinds=("cloud_resource", "device"),
    billable_kinds=("cloud_resource", "device"),
    evidence="client_code",
    options=PrismaCloudOptions,
    known_hosts=("*.prismacloud.io", "*.prismacloud.cn"),
    error_headers=("x-redlock-status",),
    # alerts are the narrowest: two a second
    requests_per_minute=120,
    changes=(
        "Every pull is a full one: the inventory is a snapshot whose records carry no date, no filter by change is known of "
        "Compute, an open alert counts however old it is, and deleted assets are listed 90 days late, in archives. What is gone "
        "is missing in the next whole pull."
    ),
    troubleshooting={
        "400": "Prisma Cloud does not take a value of the request: check the options asset_filters, config_apis, "
        "open_alert_statuses and the page sizes",
        "401": "check access_key_id and the secret key, that the key is neither expired nor disabled, and prisma_id where the "
        "key may sign in to several tenants; at a self-hosted console compute_username and compute_password. Where all of that is "
        "right, the tenant may limit console and API to Trusted Login IP Addresses: add this machine's address there (which "
        "status such a refusal has is not documented)",
        "403": "give the access key's role System Admin, or another role that may see the asset inventory, the config search, "
        "alerts and Compute, for all account groups; where the role is right, this machine's address may be missing in the "
        "tenant's Trusted Login IP Addresses",
        "404": "base_url must be the API's address of your stack (https://api2.eu.prismacloud.io for app2.eu), and "
        "compute_console the path to console that Runtime Security shows; compute_version must be one it knows",
        "409": "Prisma Cloud documents no 409 for what is read: the next sync tries again; see whether a proxy or a gateway "
        "answers in its place",
        "413": "the request is too large: ask for smaller pages",
        "429": "Prisma Cloud allows two alert calls a second for a user, and thirty Compute calls in thirty seconds: use an "
        "access key of its own for this connector, and another time than other clients",
        "503": "Prisma Cloud is being maintained or overloaded: the next sync tries again",
        "dns": "the API's host (https://api<n>.<region>.prismacloud.io) and the Compute console must be reachable; check proxy "
        "and name resolution",
        "tls": "a proxy that opens TLS, or a self-hosted console, shows a certificate of its own: set ca_file to its authority",
        "connect": "allow https to the API's host and to the Compute console (a self-hosted one listens on port 8083, and "
        "its network may let in known addresses alone)",
    },
    default_schedule="0 */4 * * *",
    documentation_url="https://pan.dev/prisma-cloud/api/",
)
