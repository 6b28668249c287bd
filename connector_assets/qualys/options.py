"""Options of a Qualys connection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Version = Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+$")]


class QualysOptions(BaseModel):
    """What may be set under `options`."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, description="user of the API, a Manager or a Reader with full scope")
    host_version: Version = Field(default="5.0", description="version of the host list API")
    detection_version: Version = Field(
        default="5.0", description="version of the host list detection API; 2.0 to 4.0 end in June 2026"
    )
    knowledge_base_version: Version = Field(
        default="4.0", description="version of the knowledge base API; 2.0 and 3.0 end in June 2026"
    )
    host_assets_version: Version = Field(default="2.0", description="version of the host asset API (QPS)")
    csam_version: Version = Field(
        default="2.0", description="version of the CyberSecurity Asset Management API; below 2.0 its answers differ"
    )
    truncation_limit: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="hosts in one answer; fewer where it takes more than ten minutes to begin",
    )
    host_assets_page: int = Field(default=100, ge=1, le=1000, description="host assets in one answer")
    statuses: tuple[Literal["New", "Active", "Re-Opened", "Fixed"], ...] = Field(
        default=("New", "Active", "Re-Opened", "Fixed"), min_length=1, description="statuses of the detections wanted"
    )
    show_igs: bool = Field(default=False, description="also detections that only inform (information gathered)")
    show_results: bool = Field(default=False, description="also what the scan saw of each detection, up to megabytes")
    show_qds: bool = Field(default=True, description="also the Qualys detection score")
    show_trurisk: bool = Field(
        default=True,
        description="also the TruRisk score and the criticality score of hosts; false for a subscription without TruRisk "
        "(such as Consulting Edition), which may refuse to be asked for them",
    )
    host_metadata: Literal["all", "ec2", "azure", "google", "none"] = Field(
        default="all", description="cloud metadata of hosts that is asked for"
    )
    host_parameters: dict[str, str] = Field(
        default_factory=dict, description="further parameters of the host list, e.g. use_tags or network_ids"
    )
    detection_parameters: dict[str, str] = Field(
        default_factory=dict, description="further parameters of the detection list"
    )
    knowledge_base: Literal["detected", "all"] = Field(
        default="detected", description="entries to read: those of the detections, or the whole of it (up to 2 GB)"
    )
    knowledge_base_details: Literal["Basic", "All"] = Field(
        default="All", description="detail of the entries; that Basic holds the CVE ids is not verified"
    )
    knowledge_base_auth: Literal["basic", "bearer"] = Field(
        default="basic",
        description="how the knowledge base is asked: with the user (as most clients do), or at the gateway with a "
        "token (as one client reports for version 4.0); which one the vendor wants is not verified",
    )
    gateway_url: str = Field(
        default="",
        description="address of the gateway, such as https://gateway.qg1.apps.qualys.eu; with it the assets of "
        "CyberSecurity Asset Management are read as well",
    )
    csam_page: int = Field(default=100, ge=1, le=300, description="assets of CyberSecurity Asset Management a page")

    @field_validator("gateway_url")
    @classmethod
    def whole_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("expected https://gateway...")
        return value.rstrip("/")

    @model_validator(mode="after")
    def complete(self) -> QualysOptions:
        if self.knowledge_base_auth == "bearer" and not self.gateway_url:
            raise ValueError("knowledge_base_auth: bearer needs gateway_url")
        return self
