"""Options of a Cortex Cloud connection. What no tenant has confirmed is one of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CortexCloudOptions(BaseModel):
    """What may be set under `options`."""

    # the id of a key is a number, and is written as one
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    api_key_id: str = Field(min_length=1, description="Id of the API key, as the list of keys shows it.")
    key_type: Literal["standard", "advanced"] = Field(
        default="standard", description="Security level the key was made with."
    )
    asset_page_size: int = Field(
        default=1000,
        ge=1,
        le=1000,
        description="Assets a request. A tenant refuses more than 1000, though the manual says 5000.",
    )
    asset_categories: tuple[str, ...] = Field(
        default=(),
        description="Values of xdm.asset.type.category to read, such as VM Instance, each a scope of its own; empty means "
        "all. Without the category of accounts no account contains the resources.",
    )
    asset_order: str = Field(
        default="xdm.asset.id",
        pattern=r"^xdm[.][a-z0-9_.]+$",
        description="Field by which the assets are asked for in a fixed order, without which windows miss some. That a tenant "
        "orders by this one is not verified; one client orders by xdm.asset.strong_id.",
    )
    assets_by_last_observed: bool = Field(
        default=False,
        description="Ask only for assets observed in the window; that the filter holds is not verified. The window is kept "
        "either way.",
    )
    on_demand_fields: tuple[str, ...] = Field(
        default=(),
        description="Fields of assets that come only when they are asked for, such as xdm.host.mac_addresses and "
        "xdm.host.fqdn; which ones a tenant has, GET /public_api/v1/assets/schema tells. Not verified.",
    )
    issue_page_size: int = Field(
        default=100, ge=1, le=100, description="Issues a request; a tenant refuses more than 100."
    )
    issue_domains: tuple[str, ...] = Field(
        default=("Posture",),
        description="Domains of the issues to read, by a filter that one client uses; empty means all, which is every alert "
        "of the tenant too.",
    )
    findings_source: Literal["snapshot", "search"] = Field(
        default="snapshot",
        description="snapshot: all vulnerability findings in one stream, 10 requests in 24 hours. search: page by page, 1000 "
        "requests in 24 hours, for tenants where the snapshot is not to be had. Neither is verified against a tenant.",
    )
    findings_page_size: int = Field(default=10_000, ge=1, le=10_000, description="Findings a request of the search.")
    findings_by_last_observed: bool = Field(
        default=True,
        description="Ask only for findings observed in the window, documented for the search. false: no filter, and the "
        "tenant's own look-back, which is not documented, holds.",
    )
    snapshot_limit: int | None = Field(
        default=None, ge=1, description="Most findings of a snapshot; as many as that make it partial. Empty: no limit."
    )
    tag_criticality: bool = Field(
        default=True,
        description="Take the criticality of an asset from the tags named in criticality_tags. A tenant tells the tags of "
        "Azure with its assets; those of AWS and GCP lie in raw fields, which are not read.",
    )
    criticality_tags: tuple[str, ...] = Field(
        default=("criticality", "business-criticality", "business_criticality"),
        description="Names of tags that hold a criticality, the first that an asset has counts; case does not matter.",
    )
