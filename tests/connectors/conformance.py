"""Connectors under the conformance suite, a line each. A connector that has no line fails the suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Conformant:
    """One product.

    paged: journal name of a route that is asked page after page by a cursor of the vendor; '' where none is.
    options: connector options that make pages small, so that paging happens in a small estate.
    served: options of the demo instance with the same purpose.
    key: member of a listed record that identifies it; without it the record must end in quarantine. '' where the
    vendor's answer has no such member (XML).
    """

    product: str
    paged: str = ""
    key: str = "id"
    options: Mapping[str, Any] = field(default_factory=dict)
    served: Mapping[str, Any] = field(default_factory=dict)


CONNECTORS = (
    # pages by window, without a cursor: its own tests repeat pages
    Conformant(
        "cortex_cloud", key="xdm.asset.id", options={"asset_page_size": 8, "issue_page_size": 3}, served={"inline": 0}
    ),
    Conformant("defender_cloud", options={"page_size": 10}),  # one route for all queries: its own tests repeat cursors
    Conformant("defender_endpoint", "GET /api/machines", options={"page_size": 50}, served={"machines_page": 15}),
    Conformant(
        "defender_identity",
        "GET /v1.0/security/identities/identityAccounts",
        options={"hunting_rows": 60},
        served={"page": 10, "row_limit": 60},
    ),
    Conformant("entra_id", "GET /v1.0/users", options={"page_size": 10}),
    Conformant("intune", "GET /v1.0/deviceManagement/managedDevices", options={"page_size": 8}),
    Conformant(
        "prisma_cloud",
        "POST /v2/resource/scan_info",
        key="_id",
        options={"page_size": 8, "config_page_size": 5, "alert_page_size": 4, "compute_page": 5},
    ),
    Conformant("qualys", "POST /rest/2.0/search/am/asset", key="", options={"truncation_limit": 10, "csam_page": 8}),
    Conformant(
        "rapid7", "POST /vm/v4/integration/vulnerabilities", options={"page_size": 10, "vulnerability_page_size": 50}
    ),
    Conformant("servicenow", key="sys_id", options={"page_size": 20}),
    Conformant("tenable", options={"chunk_size": 100, "assets_per_chunk": 50}),
    Conformant("wiz", options={"page_size": 20}),  # one route for all queries: its own tests repeat cursors
)
