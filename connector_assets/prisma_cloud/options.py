"""Options of a Prisma Cloud connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
ApiName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]

#: The machines of the three clouds: their cards, addresses, names and systems are in no other answer.
MACHINES = ("aws-ec2-describe-instances", "azure-vm-list", "gcloud-compute-instances-list")


class PrismaCloudOptions(BaseModel):
    """What may be set under `options`."""

    model_config = ConfigDict(extra="forbid")

    access_key_id: str = Field(min_length=1, description="Id of the access key (of a service account, System Admin).")
    prisma_id: str = Field(
        default="", description="Prisma id of the tenant, where the access key may sign in to several."
    )
    token_seconds: int = Field(
        default=600, ge=60, description="Life of a sign-in at the posture API; it is renewed before it is over."
    )
    page_size: int = Field(default=1000, ge=1, le=10_000, description="Assets a page of the inventory.")
    asset_filters: dict[str, tuple[str, ...]] = Field(
        default={"scan.status": ("all",)},
        description="Filters of the asset inventory, name to values, such as cloud.type or account.group. That scan.status "
        "all is needed to see every asset is taken from a client and not verified.",
    )
    config_apis: tuple[ApiName, ...] = Field(
        default=MACHINES,
        description="APIs (api.name of RQL) whose resources are read in detail. The three for machines give cards, addresses, "
        "names and systems, which the inventory lacks; empty: none.",
    )
    config_page_size: int = Field(
        default=100, ge=1, le=1000, description="Resources a page of the config search; above 100 is not verified."
    )
    alert_page_size: int = Field(default=1000, ge=1, le=10_000, description="Alerts a page.")
    open_alert_statuses: tuple[Word, ...] = Field(
        default=("open", "snoozed", "pending_resolution"),
        min_length=1,
        description="Statuses of alerts that still hold; all of them are read, however old. That pending_resolution may be "
        "asked for is not verified: leave it out where it is refused.",
    )
    closed_alerts: bool = Field(
        default=True, description="Also alerts of the window that are resolved or dismissed by now."
    )
    compute_console: str = Field(
        default="",
        description="Address of the Compute console (Runtime Security, Manage, System, Utilities: path to console), for "
        "hosts, images and their vulnerabilities; empty: the one that the posture API names.",
    )
    discover_compute: bool = Field(
        default=True, description="Ask the posture API for the console's address; false: without compute_console, none."
    )
    compute_username: str = Field(
        default="",
        description="User of a self-hosted console, with the credential compute_password; empty: the access key.",
    )
    compute_version: Annotated[str, StringConstraints(pattern=r"^v[0-9]+(\.[0-9]+)*$")] = Field(
        default="v1", description="Version in the console's API paths, such as v34.04; v1 is the console's own."
    )
    compute_page: int = Field(
        default=50, ge=1, le=50, description="Hosts, images or containers a page; 50 is the most."
    )
    criticality_tag: str = Field(
        default="",
        description="Tag or label whose value is a machine's or resource's criticality: very high, critical or "
        "mission-critical (0), high (1), medium (2), low (3). Prisma Cloud has no rating of its own in these answers; tags "
        "are those of the config search and of hosts.",
    )

    @field_validator("compute_console")
    @classmethod
    def whole_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("expected https://<console>, with the path that the console shows")
        return value.rstrip("/")
