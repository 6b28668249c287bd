"""What a connector may use: declarations, the API of a pull, credentials, pagers, errors. Imports nothing heavy."""

from connector_assets.kit.declaration import (
    AssetKind,
    Connector,
    Credential,
    Evidence,
    FieldType,
    NoOptions,
    Page,
    Permission,
    Record,
    Stream,
)

__all__ = [
    "AssetKind",
    "Connector",
    "Credential",
    "Evidence",
    "FieldType",
    "NoOptions",
    "Page",
    "Permission",
    "Record",
    "Stream",
]
