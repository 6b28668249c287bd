"""`exposure estate`: the emulated vendors alone, for trying a connector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exposure_pipelines.errors import ConfigurationError

app = typer.Typer(
    help="The demo estate: an invented company served through emulated vendor APIs.", no_args_is_help=True
)


@app.callback()
def group() -> None:
    """Keep `serve` a subcommand."""


@app.command()
def serve(
    devices: Annotated[int, typer.Option(min=1, help="Devices in the estate.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same estate.")] = 7,
    port: Annotated[int, typer.Option(help="First port; one product a port from there. 0 picks free ones.")] = 0,
    faults: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Fault plan, YAML; see docs/connectors.md.")
    ] = None,
) -> None:
    """Serve the emulated vendors on loopback until Ctrl-C, and print how to connect to each.

    Example: `exposure estate serve --devices 50 --faults plan.yaml`
    """
    import yaml

    from demo_estate.serve import serve as serve_estate

    try:
        serve_estate(devices=devices, seed=seed, port=port, faults=faults)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{faults} is not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, LookupError, OSError) as error:
        raise ConfigurationError(f"The estate cannot be served: {error}") from error
