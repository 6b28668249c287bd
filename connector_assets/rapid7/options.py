"""Options of a Rapid7 connection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Rapid7Options(BaseModel):
    """What may be set under `options`."""

    model_config = ConfigDict(extra="forbid")

    api: Literal["cloud", "console"] = Field(
        default="cloud", description="cloud: the Integrations API of the Insight platform; console: an own console"
    )
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,6}$")] = Field(
        default="us", description="region of the Insight platform: us, us2, us3, eu, ca, au, ap, aps2, me1"
    )
    username: str | None = Field(default=None, description="user of the console (api: console)")
    cloud_version: Annotated[str, StringConstraints(pattern=r"^v[0-9]+$")] = Field(
        default="v4", description="version of the cloud API"
    )
    console_version: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")] = Field(
        default="3", description="version of the console API"
    )
    page_size: int = Field(
        default=200,
        ge=1,
        le=500,
        description="assets a page; the cloud's gateway gives up on large ones after a minute",
    )
    vulnerability_page_size: int = Field(default=500, ge=1, le=500, description="vulnerabilities a page")
    asset_filter: str | None = Field(
        default=None,
        description="cloud: criterion for assets in the vendor's language; without one, assets scanned in the window",
    )
    vulnerability_filter: str = Field(
        default="", description="cloud: criterion for findings, e.g. severity IN ['Critical','Severe']"
    )
    remediated: bool = Field(
        default=True,
        description="cloud: also what was remediated within the window, by comparing with its start; how far back the "
        "vendor compares is not verified",
    )
    criticality_tags: bool = Field(
        default=True,
        description="console: also which assets bear its criticality tags, at most one call a level (the cloud tells them with "
        "the assets); false: a console's assets have no criticality",
    )
    catalogue: Literal["detected", "all"] = Field(
        default="detected", description="vulnerabilities to read: those of the findings, or every one there is"
    )

    @model_validator(mode="after")
    def complete(self) -> Rapid7Options:
        if self.api == "console" and not self.username:
            raise ValueError("username is required with api: console")
        return self
