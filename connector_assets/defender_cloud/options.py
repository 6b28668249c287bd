"""Options of a Microsoft Defender for Cloud connection."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from connector_assets.kit.microsoft import MicrosoftOptions

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESOURCE_TYPE = re.compile(r"[a-zA-Z0-9.]+(/[a-zA-Z0-9]+)+")
#: Machines, data, secrets, containers, code that runs, and the identities they sign in as.
RESOURCE_TYPES = (
    "microsoft.compute/virtualmachines",
    "microsoft.hybridcompute/machines",
    "microsoft.storage/storageaccounts",
    "microsoft.keyvault/vaults",
    "microsoft.sql/servers",
    "microsoft.sql/servers/databases",
    "microsoft.sql/managedinstances",
    "microsoft.dbforpostgresql/flexibleservers",
    "microsoft.dbformysql/flexibleservers",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.containerservice/managedclusters",
    "microsoft.kubernetes/connectedclusters",
    "microsoft.containerregistry/registries",
    "microsoft.containerinstance/containergroups",
    "microsoft.app/containerapps",
    "microsoft.web/sites",
    "microsoft.automation/automationaccounts",
    "microsoft.logic/workflows",
    "microsoft.managedidentity/userassignedidentities",
    "microsoft.security/securityconnectors",
)


class DefenderCloudOptions(MicrosoftOptions):
    """Which part of Azure is read, and how."""

    resource: str = Field(
        default="https://management.azure.com", description="What the token is for; other in national clouds."
    )
    subscriptions: tuple[str, ...] = Field(
        default=(),
        description="Subscription ids to read; empty means all that the app registration may see. Azure answers without a "
        "word for what it may not see: naming the subscriptions makes a lost permission show as partial.",
    )
    subscriptions_may_vanish: bool = Field(
        default=False,
        description="Take a subscription that is no longer listed for deleted. Otherwise everything stays partial, and nothing "
        "is retired, until `exposure sync --accept-volume`: Azure does not tell a deleted one from one whose Reader role was "
        "lost.",
    )
    management_groups: tuple[str, ...] = Field(
        default=(), description="Management group ids to read, with everything below them."
    )
    resource_types: tuple[str, ...] = Field(
        default=RESOURCE_TYPES, description="Types of resources that are read; machines and containers are among them."
    )
    page_size: int = Field(default=1000, ge=1, le=1000, description="Rows a page of Azure Resource Graph.")
    resource_graph_version: str = Field(
        default="2022-10-01", description="API version of Azure Resource Graph; 2024-04-01 is the newer one."
    )
    assessments_via: Literal["resource_graph", "rest"] = Field(
        default="resource_graph",
        description="Where assessments are read: Azure Resource Graph (unhealthy ones), or subscription by subscription from "
        "Defender's own interface (all of them).",
    )
    assessments_version: str = Field(default="2021-06-01", description="API version of Defender's own interface.")
    foreign_clouds: tuple[str, ...] = Field(
        default=("AWS", "GCP"),
        description="Clouds beside Azure whose resources are read from their assessments, by the word Defender has in "
        "resourceDetails.Source; which further words it uses is unverified.",
    )
    sub_assessments: bool = Field(
        default=True, description="Also read the single findings of assessments, such as CVEs of machines and images."
    )

    @field_validator("subscriptions")
    @classmethod
    def guids(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not GUID.fullmatch(value):
                raise ValueError(f"{value!r} is no subscription id; expected a GUID")
        return tuple(value.lower() for value in values)

    @field_validator("management_groups", "foreign_clouds")
    @classmethod
    def plain_words(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not re.fullmatch(r"[A-Za-z0-9_.()-]+", value):
                raise ValueError(f"{value!r} holds characters that such a name cannot have")
        return values

    @field_validator("resource_types")
    @classmethod
    def types(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not RESOURCE_TYPE.fullmatch(value):
                raise ValueError(
                    f"{value!r} is no resource type; expected one such as microsoft.storage/storageaccounts"
                )
        if not values:
            raise ValueError("name at least one type")
        return tuple(value.lower() for value in values)
