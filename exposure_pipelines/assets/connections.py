"""The connection files as an asset of their own, so that a broken one is seen in the UI while the others run."""

from __future__ import annotations

from typing import Any

import dagster as dg

from exposure_pipelines.assets.landed import cell

CONNECTIONS = dg.AssetKey(["connections"])


@dg.asset(key=CONNECTIONS, group_name="connections", kinds={"yaml"}, owners=["team:exposure-pipelines"])
def connections() -> dg.MaterializeResult:
    """The configured instances, one YAML file each."""
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.home import Home

    loaded = load_connections(Home.from_env())
    lines = ["| instance | product | streams | schedule | enabled |", "|---|---|---|---|---|"]
    lines += [
        f"| {c.instance} | {c.product} | {', '.join(c.streams or ['all'])} | {c.cron} | {'yes' if c.enabled else 'no'} |"
        for c in loaded.valid
    ]
    metadata: dict[str, Any] = {
        "dagster/row_count": len(loaded.valid),
        "instances": dg.MetadataValue.md("\n".join(lines)),
    }
    if loaded.broken:
        table = ["| file | what to fix |", "|---|---|"]
        table += [f"| {broken.file.name} | {cell('; '.join(broken.errors))} |" for broken in loaded.broken]
        metadata["broken"] = dg.MetadataValue.md("\n".join(table))
    return dg.MaterializeResult(metadata=metadata)


@dg.asset_check(
    asset=CONNECTIONS, description="Every connection file is valid. A broken one is skipped; the others run."
)
def connections_valid() -> dg.AssetCheckResult:
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.home import Home

    loaded = load_connections(Home.from_env())
    broken = "; ".join(f"{broken.file.name}: {', '.join(broken.errors)}" for broken in loaded.broken)
    return dg.AssetCheckResult(
        passed=not loaded.broken,
        severity=dg.AssetCheckSeverity.ERROR,
        description=broken or f"{len(loaded.valid)} connections",
        metadata={"valid": len(loaded.valid), "broken": len(loaded.broken)},
    )
