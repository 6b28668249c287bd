"""`exposure connectors`: the catalogue, a new connection, and the proof that one works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table, say, warn
from exposure_pipelines.errors import WorkFailed

app = typer.Typer(help="The connectors: what can be connected, what is, and whether it works.", no_args_is_help=True)


@app.command("list")
def list_connectors(as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False) -> None:
    """List every connector, and the instances configured here with their state.

    Example: `exposure connectors list --json`
    """
    from connector_assets import registry
    from exposure_pipelines.cli.overview import instance_rows
    from exposure_pipelines.home import Home

    instances, broken = instance_rows(Home.from_env().ensure())
    rows: list[dict[str, Any]] = []
    for product in registry.products():
        entry = catalogue_entry(registry.load(product))
        configured = [row for row in instances if row["product"] == product]
        for row in configured:
            rows.append({**entry, "instance": row["instance"], "state": row["state"]})
        if not configured:
            rows.append({**entry, "instance": None, "state": "not configured"})
    if as_json:
        print_json(rows)
        return
    print_table(rows, ("product", "title", "asset_kinds", "evidence", "instance", "state"), empty="No connector found.")
    for file in broken:
        warn(f"{file['file']}: {file['error']}")


def catalogue_entry(connector: Any) -> dict[str, Any]:
    """What the catalogue says of one product, from its declaration alone."""
    return {
        "product": connector.product,
        "title": connector.title,
        "description": connector.description,
        "streams": [stream.name for stream in connector.streams],
        "asset_kinds": list(connector.asset_kinds),
        "billable_kinds": list(connector.billable_kinds),
        "permissions": [permission.name for permission in connector.permissions],
        "credentials": [credential.name for credential in connector.credentials],
        "evidence": connector.evidence,
        "base_url": connector.base_url,
    }


@app.command()
def add(
    product: Annotated[str, typer.Argument(help="A product of `exposure connectors list`.")],
    name: Annotated[str | None, typer.Option(help="Instance name; the product's name without it.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Base address, where it is not the vendor's default.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="An option, KEY=VALUE; repeatable.")] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="Where a secret lies, FIELD=ENV_VARIABLE or FIELD=file:PATH; repeatable. Never the secret."),
    ] = None,
) -> None:
    """Write a commented connection file, ready to be completed.

    Example: `exposure connectors add tenable --name tenable_prod --secret access_key=TENABLE_ACCESS_KEY`
    """
    from exposure_pipelines.cli.connection_file import new_connection_file
    from exposure_pipelines.cli.demo_home import OWN_HOME, is_demo_home
    from exposure_pipelines.home import Home

    home = Home.from_env().ensure()
    file = new_connection_file(home, product, name, base_url, option or [], secret or [])
    say(f"Wrote {file}")
    if is_demo_home(home):
        warn(f"This home holds the demo's invented company: both would be merged into one estate. {OWN_HOME}")
    say(f"Next: complete it, set its secrets, then `exposure connectors check {file.stem}`.")


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Instances; all enabled ones without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Prove credentials and each permission at the vendor; every failure comes with what to do.

    Example: `exposure connectors check tenable_prod`
    """
    from connector_assets import registry
    from connector_assets.kit.check import NOT_TRIED
    from connector_assets.kit.check import check as check_connector
    from exposure_pipelines.cli.runs import chosen_connections
    from exposure_pipelines.home import Home

    home = Home.from_env().ensure()
    rows: list[dict[str, Any]] = []
    for connection in chosen_connections(home, names):
        connector = registry.load(connection.product)
        for result in check_connector(connector, connection.settings()):
            rows.append(
                {
                    "instance": connection.instance,
                    "permission": result.permission,
                    "ok": result.ok,
                    "status": result.status,
                    "message": result.message,
                    "hint": result.hint,
                }
            )
    if as_json:
        print_json(rows)
    else:
        # what was not tried has the hint of what failed before it, a row above
        told = [{**row, "hint": ""} if row["message"].startswith(NOT_TRIED) else row for row in rows]
        print_table(told, ("instance", "permission", "ok", "message", "hint"), empty="No instance to check.")
    failed = [row for row in rows if not row["ok"]]
    if failed:
        raise WorkFailed(
            f"{len(failed)} of {len(rows)} checks failed; what stands beside each says why and what to do."
        )


@app.command()
def scaffold(
    product: Annotated[str, typer.Argument(help="Name of the new connector, snake_case.")],
    folder: Annotated[Path, typer.Option(help="Checkout of the project to write into.")] = Path(),
) -> None:
    """Start a new connector: a folder that works against an emulated API, its staging model, its conformance test.

    Example: `exposure connectors scaffold acme_scanner`
    """
    from exposure_pipelines.scaffold import start_connector

    for path in start_connector(product, folder.resolve()):
        say(f"written: {path.relative_to(folder.resolve())}")
    say("")
    say(f"EXPOSURE_UPDATE_CALLS=1 pytest tests/connectors/test_conformance.py -n0 -k {product}")
    say(
        "proves it against the emulated API and writes down its calls. Then make connector and emulation true to the vendor."
    )
