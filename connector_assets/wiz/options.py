"""Options of a Wiz connection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]

#: Machines, containers and what runs them, data, code that runs, and the accounts they are in.
RESOURCE_TYPES = (
    "VIRTUAL_MACHINE",
    "CONTAINER",
    "CONTAINER_IMAGE",
    "KUBERNETES_CLUSTER",
    "SERVERLESS",
    "BUCKET",
    "DATABASE",
    "DB_SERVER",
    "SECRET",
    "SUBSCRIPTION",
    "RESOURCE_GROUP",
)


class WizOptions(BaseModel):
    """What may be set under `options`."""

    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(min_length=1, description="Client id of the service account (Custom Integration).")
    token_url: str = Field(
        default="",
        description="Token address of the tenant; empty: https://auth.app.wiz.io/oauth/token, or /oauth/token of a base "
        "address that is not Wiz's. Gov tenants: https://auth.app.wiz.us/oauth/token or https://auth.gov.wiz.io/oauth/token; "
        "the older commercial one: https://auth.wiz.io/oauth/token.",
    )
    audience: str = Field(default="wiz-api", min_length=1, description="beyond-api at the older commercial address.")
    page_size: int = Field(default=500, ge=1, le=1000, description="Records a page; above 500 is not verified.")
    resource_types: tuple[Word, ...] = Field(
        default=RESOURCE_TYPES, description="Types of cloud resources that are read; empty means all of them."
    )
    resources_by_update: bool = Field(
        default=False,
        description="Ask only for resources updated in the window; that the filter holds in version 2 is not verified.",
    )
    vulnerability_statuses: tuple[Word, ...] = Field(
        default=("OPEN", "IN_PROGRESS", "RESOLVED", "REJECTED"),
        min_length=1,
        description="Statuses of the vulnerability findings wanted.",
    )
    vulnerability_severities: tuple[Literal["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"], ...] = Field(
        default=(), description="Severities of the vulnerability findings wanted; empty means all."
    )
    closed_issues: bool = Field(default=True, description="Also issues resolved or rejected within the window.")
    project_ids: tuple[str, ...] = Field(
        default=(), description="Wiz projects whose cloud resources are read, one after the other; empty means all."
    )
    project_criticality: bool = Field(
        default=True,
        description="Take the business impact of a resource's Wiz projects for its criticality (HBI high, MBI medium, LBI "
        "low). false: it is not even asked for.",
    )
    total_count: bool = Field(
        default=False,
        description="Also ask how many records there are, and check it; only graphSearch is known to tell it.",
    )
