"""Starts a new connector: its folder, its staging model, an emulation of its API, its line in the conformance suite."""

from __future__ import annotations

import re
from pathlib import Path

from dbt_like_transforms.engine.contract import read_observations
from dbt_like_transforms.engine.project import OBSERVATIONS_FILE
from exposure_pipelines.errors import ConfigurationError

TEMPLATES = Path(__file__).parent / "templates"
CONFORMANCE = Path("tests/connectors/conformance.py")
#: template -> where it goes.
FILES = {
    "connector.py.txt": "connector_assets/{product}/__init__.py",
    "lens.py.txt": "demo_estate/lenses/{product}.py",
    "staging.yml.txt": "dbt_like_transforms/models/staging/{product}/_{product}.yml",
}
STAGING = "dbt_like_transforms/models/staging/{product}/stg_{product}__devices.sql"

#: Columns of stg_<product>__devices that the example API fills; the others are NULL of their type.
MAPPED = {
    "record": "concat(_product, ':', _instance, ':', _record_id)",
    "product": "_product",
    "instance": "_instance",
    "stream": "_stream",
    "record_id": "_record_id",
    "scope": "'default'",
    "observed_at": "coalesce(last_seen, _synced_at)",
    "first_seen": "first_seen",
    "last_seen": "last_seen",
    "state": "case when status = 'retired' then 'retired' else 'active' end",
    "authority": "'create'",
    "sync": "_sync",
    "page": "_page",
    "row_number": "_row",
    "serial_number": "nullif(trim(serial_number), '')",
    "manufacturer": "nullif(trim(manufacturer), '')",
    "mac_addresses": "coalesce(mac_addresses, [])",
    "hostnames": "case when nullif(trim(hostname), '') is null then cast([] as varchar[]) else [trim(hostname)] end",
    "ip_addresses": "coalesce(ip_addresses, [])",
    "display_name": "nullif(trim(hostname), '')",
    "os_platform": "os",
    "properties": "cast(to_json({'status': status}) as varchar)",
}


def start_connector(product: str, root: Path) -> list[Path]:
    """Writes the files of a new connector into a checkout and returns them.

    Raises:
        ConfigurationError: no name in snake_case, not a checkout of the project, or files of that name are there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", product):
        raise ConfigurationError(f"{product!r} is no product name: expected snake_case such as acme_scanner")
    if not (root / "connector_assets" / "kit").is_dir() or not (root / CONFORMANCE).is_file():
        raise ConfigurationError(
            f"{root} is no checkout of the project (it has no connector_assets/kit and {CONFORMANCE}): "
            "run this in one, or name it with --folder"
        )
    targets = {template: root / place.format(product=product) for template, place in FILES.items()}
    staging = root / STAGING.format(product=product)
    taken = [path for path in (*targets.values(), staging) if path.exists()]
    if taken:
        raise ConfigurationError(f"{taken[0].relative_to(root)} is there already: choose another name or remove it")
    title = " ".join(word.capitalize() for word in product.split("_"))
    for template, target in targets.items():
        text = (
            (TEMPLATES / template)
            .read_text(encoding="utf-8")
            .replace("__product__", product)
            .replace("__title__", title)
        )
        write(target, text)
    write(staging, staging_sql(product))
    add_line(root / CONFORMANCE, product)
    return [*targets.values(), staging, root / CONFORMANCE]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def staging_sql(product: str) -> str:
    """The staging model with every column of the contract, so that what is to be filled can be seen."""
    columns = read_observations(OBSERVATIONS_FILE)["devices"].columns
    lines = [
        f"    {MAPPED[column.name]} as {column.name}"
        if column.name in MAPPED
        else f"    cast(null as {(column.data_type or 'varchar').lower()}) as {column.name}"
        for column in columns
    ]
    head = f"-- {product}'s devices in the columns that every product's devices have; fill what it tells\n"
    return head + "select\n" + ",\n".join(lines) + f"\nfrom landed.{product}__devices\n"


def add_line(conformance: Path, product: str) -> None:
    """Puts the connector's line into the suite, before the others."""
    before, marker, after = conformance.read_text(encoding="utf-8").partition("CONNECTORS = (\n")
    if not marker:
        raise ConfigurationError(
            f"{conformance} has no list CONNECTORS: add Conformant({product!r}, ...) to it by hand"
        )
    line = f'    Conformant("{product}", "GET /v1/devices", options={{"page_size": 10}}),\n'
    conformance.write_text(before + marker + line + after, encoding="utf-8")
