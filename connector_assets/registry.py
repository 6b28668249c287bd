"""Which connectors there are: every folder beside this file that exposes CONNECTOR. No list to edit."""

from __future__ import annotations

import functools
import importlib
import pkgutil

import connector_assets
from connector_assets.kit.declaration import Connector


@functools.cache
def products() -> tuple[str, ...]:
    """Names of all connectors, sorted. A folder whose name begins with an underscore is none."""
    found = pkgutil.iter_modules(connector_assets.__path__)
    return tuple(sorted(m.name for m in found if m.ispkg and m.name != "kit" and not m.name.startswith("_")))


@functools.cache
def load(product: str) -> Connector:
    """A connector's declaration.

    Raises KeyError for an unknown product, naming the known ones; TypeError for a folder without a CONNECTOR;
    ValueError for one that declares another product's name.
    """
    if product not in products():
        raise KeyError(f"there is no connector {product!r}; there are {', '.join(products()) or 'none'}")
    connector = getattr(importlib.import_module(f"connector_assets.{product}"), "CONNECTOR", None)
    if not isinstance(connector, Connector):
        raise TypeError(f"connector_assets/{product}/__init__.py exposes no CONNECTOR: Connector")
    if connector.product != product:
        raise ValueError(f"connector_assets/{product} declares product {connector.product!r}; they must be the same")
    return connector


def load_all() -> tuple[Connector, ...]:
    return tuple(load(product) for product in products())
