"""Relationships that equal values tell of where a merge would be wrong: container and host, blade and chassis, ..."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.links.applications import application_links
from dbt_like_transforms.resolution.links.devices import device_links
from dbt_like_transforms.resolution.links.identities import identity_links
from dbt_like_transforms.resolution.links.link import Link

#: Of each kind what finds its links, once all is clustered.
LINKERS: dict[str, Callable[[duckdb.DuckDBPyConnection, Clusterer], list[Link]]] = {
    "device": device_links,
    "identity": identity_links,
    "application": application_links,
}
