"""Qualys VMDR and CyberSecurity Asset Management: hosts, detections with their CVEs, hardware and software."""

from __future__ import annotations

from typing import Any

from connector_assets.kit import Basic, Connector, Credential, Permission, Secrets
from connector_assets.qualys.csam import probe_csam
from connector_assets.qualys.options import QualysOptions
from connector_assets.qualys.qps import probe_host_assets
from connector_assets.qualys.streams import STREAMS, probe_detections, probe_hosts, probe_knowledge_base


def auth(options: Any, secrets: Secrets) -> Basic:
    return Basic(options.username, lambda: secrets["password"], secrets)


CONNECTOR = Connector(
    product="qualys",
    title="Qualys VMDR and CSAM",
    description="Hosts that Qualys scans or has an agent on, their vulnerabilities, hardware and software.",
    base_url="https://qualysapi.qualys.com",
    known_hosts=(
        "*.qualys.com",
        "*.qualys.eu",
        "*.qualys.ca",
        "*.qualys.in",
        "*.qualys.co.uk",
        "*.qualys.ae",
        "*.qualys.com.au",
        "*.qualysksa.com",
    ),
    auth=auth,
    options=QualysOptions,
    credentials=(Credential("password", "Password of the user."),),
    permissions=(
        Permission("host list", "Hosts can be listed", probe_hosts),
        Permission("host list detection", "Detections can be listed", probe_detections),
        Permission("knowledge base", "CVE ids of checks can be read", probe_knowledge_base),
        Permission("asset management", "Network cards and software of hosts", probe_host_assets, optional=True),
        Permission("CyberSecurity Asset Management", "Hardware ids and criticality", probe_csam, optional=True),
    ),
    streams=STREAMS,
    asset_kinds=("device", "application"),
    billable_kinds=("device",),
    evidence="recorded",
    # required of every call; its value does not matter
    default_headers={"X-Requested-With": "exposure-pipelines"},
    # a list of many hosts or the knowledge base takes minutes to begin; clients that waited for less lost it
    read_seconds=600,
    changes=(
        "Hosts and detections are asked for as changed since; a purged host is told by nothing and found by comparing ids. With "
        "detection_parameters everything is asked for."
    ),
    troubleshooting={
        "400": "a parameter is not known to this version or subscription: see the options show_trurisk, host_parameters and "
        "detection_parameters",
        "401": "check user and password, and that the user's role has API access",
        "403": "the account is expired, its registration is not finished, or the role lacks a right: API Access, Asset "
        "View with Read Asset, Allow user view access to all objects, and the knowledge base",
        "404": "check base_url: it is https://qualysapi.<platform>, not qualysguard, which is for people; an old API "
        "version may have ended, see the options *_version",
        "410": "this version of the API has ended: see the options *_version",
        "409": "too many calls an hour, or too many at once, for this subscription: spread the schedules",
        "429": "too many calls: spread the schedules",
        "dns": "base_url is the API address of your platform (Help, About): https://qualysapi.qg2.apps.qualys.com, "
        "https://qualysapi.qualys.eu ...; gateway_url is https://gateway.<platform>",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority, or leave the qualysapi and "
        "gateway hosts out of inspection",
        "connect": "allow outgoing https to the address, and this machine's address in Qualys (Users, Setup, Security)",
    },
    documentation_url="https://docs.qualys.com/en/vm/api/",
)
