"""Rapid7 InsightVM: assets, findings and vulnerabilities, from the Insight platform or from an own console."""

from __future__ import annotations

from typing import Any

from connector_assets.kit import Auth, Basic, Connector, Credential, HeaderKeys, Permission, Secrets
from connector_assets.rapid7.options import Rapid7Options
from connector_assets.rapid7.streams import STREAMS, probe_assets, probe_vulnerabilities


def auth(options: Any, secrets: Secrets) -> Auth:
    if options.api == "console":
        return Basic(options.username, lambda: secrets["password"], secrets)
    return HeaderKeys("X-Api-Key", "{api_key}", secrets)


CONNECTOR = Connector(
    product="rapid7",
    title="Rapid7 InsightVM",
    description="Assets that InsightVM scans or has an agent on, and what they are vulnerable to.",
    base_url="https://{region}.api.insight.rapid7.com",
    known_hosts=("*.api.insight.rapid7.com",),
    auth=auth,
    options=Rapid7Options,
    credentials=(
        Credential("api_key", "Organization key of the Insight platform (api: cloud).", optional=True),
        Credential("password", "Password of the console's user (api: console).", optional=True),
    ),
    permissions=(
        Permission("assets", "Assets and their findings can be read", probe_assets),
        Permission("vulnerabilities", "CVE ids and scores can be read", probe_vulnerabilities),
    ),
    streams=STREAMS,
    asset_kinds=("device", "application"),
    billable_kinds=("device",),
    evidence="recorded",
    changes=(
        "The cloud is asked for the assets scanned since, with all their findings; a deleted asset stays until the next full "
        "pull, and with the option asset_filter everything is asked for. A console tells no changes."
    ),
    troubleshooting={
        "400": "a criterion is not understood: see the options asset_filter and vulnerability_filter",
        "401": "check the key and that it is of the option region (cloud), or user and password (console)",
        "403": "use an organization key (cloud), or give the user View Site Asset Data on all sites (console); where the "
        "platform or a firewall before the console allows certain addresses only, add this machine's",
        "404": "check base_url, the option api and its version",
        "409": "Rapid7 documents no 409 for reading: the next sync tries again; see whether a gateway answers in its place",
        "429": "the key is used too often (Rapid7's limits are not documented): lower the cadence, or share the key less",
        "504": "a page takes longer than the gateway's minute: lower the option page_size",
        "dns": "the option region must be that of your organization: https://<region>.api.insight.rapid7.com; a console's "
        "name must be known to this machine",
        "tls": "a console's certificate is usually its own: name it in ca_file",
        "connect": "the console listens on port 3780; allow this machine to reach it",
    },
    documentation_url="https://help.rapid7.com/insightvm/en-us/api/integrations.html",
)
