"""Tenable Vulnerability Management: assets and vulnerabilities by export jobs."""

from __future__ import annotations

from typing import Any

from connector_assets.kit import Connector, Credential, HeaderKeys, Permission, Secrets
from connector_assets.tenable.options import TenableOptions
from connector_assets.tenable.streams import STREAMS, probe_assets, probe_vulnerabilities


def auth(options: Any, secrets: Secrets) -> HeaderKeys:
    return HeaderKeys("X-ApiKeys", "accessKey={access_key};secretKey={secret_key};", secrets)


CONNECTOR = Connector(
    product="tenable",
    title="Tenable Vulnerability Management",
    description="Hosts seen by Nessus scans, agents and cloud connectors, with their vulnerabilities and software.",
    base_url="https://cloud.tenable.com",
    known_hosts=("cloud.tenable.com", "fedcloud.tenable.com"),
    auth=auth,
    options=TenableOptions,
    credentials=(
        Credential("access_key", "Access key of an API key pair (My Account, API Keys)."),
        Credential("secret_key", "Secret key of the same pair."),
    ),
    permissions=(
        Permission("VM export: assets", "Assets can be exported", probe_assets),
        Permission("VM export: vulnerabilities", "Vulnerabilities can be exported", probe_vulnerabilities),
    ),
    streams=STREAMS,
    asset_kinds=("device", "application"),
    billable_kinds=("device",),
    evidence="recorded",
    # Tenable asks integrations to name themselves in this form
    default_headers={"User-Agent": "Integration/1.0 (exposure-pipelines; exposure-pipelines; Build/1.0)"},
    changes=(
        "Assets and findings are exported as changed since; deleted and terminated assets are exports of their own. With the "
        "option network_id everything is asked for, as leaving a network is not told."
    ),
    troubleshooting={
        "401": "generate a new API key pair for the user and put both keys where the connection says",
        "403": "give the user the privilege to export (VM Explore, Export) and Can View on the assets; where API access is "
        "limited to addresses (Settings, Access Control), add this machine's",
        "404": "check base_url: https://cloud.tenable.com, or https://fedcloud.tenable.com (Tenable.sc, on premises, is another "
        "product); an export is kept for 24 hours",
        "409": "the same export runs already; the sync adopts it or the next one starts its own",
        "429": "other exports of the container are running (at most ten): spread the schedules",
        "dns": "base_url is https://cloud.tenable.com (FedRAMP: fedcloud.tenable.com); check proxy and name resolution",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority, or leave cloud.tenable.com "
        "out of inspection",
        "connect": "allow outgoing https to the address; behind a proxy set HTTPS_PROXY",
    },
    documentation_url="https://developer.tenable.com/docs/retrieve-asset-data-from-tenableio",
)
