"""Options of a Tenable connection."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TenableOptions(BaseModel):
    """What may be set under `options`."""

    model_config = ConfigDict(extra="forbid")

    chunk_size: int = Field(default=1000, ge=100, le=10000, description="assets in a chunk of the asset export")
    assets_per_chunk: int = Field(
        default=100, ge=50, le=5000, description="assets in a chunk of the vulnerability export"
    )
    include_unlicensed: bool = Field(default=True, description="also vulnerabilities of assets without a licence")
    cve_findings_only: bool = Field(default=False, description="leave out checks that stand for no CVE")
    network_id: str | None = Field(default=None, description="only assets of this network")
