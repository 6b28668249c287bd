"""`python -m demo_estate serve`: the emulated vendors from the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo_estate.serve import serve


def main(arguments: list[str] | None = None) -> int:
    """0 when stopped, 2 when the call or the fault plan was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m demo_estate",
        description="An invented company served through emulated vendor APIs on loopback.",
        epilog="Example: python -m demo_estate serve --devices 50 --faults plan.yaml",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", help="serve until Ctrl-C")
    command.add_argument("--devices", type=int, default=500)
    command.add_argument("--seed", type=int, default=7)
    command.add_argument("--days", type=int, default=1)
    command.add_argument("--port", type=int, default=0, help="first port; 0 picks free ones")
    command.add_argument("--faults", type=Path, help="fault plan, YAML")
    command.add_argument("--product", action="append", help="serve only this product; may be repeated")
    options = parser.parse_args(arguments)
    try:
        serve(
            devices=options.devices,
            seed=options.seed,
            port=options.port,
            faults=options.faults,
            days=options.days,
            products=options.product,
        )
    except (ValueError, LookupError, OSError) as error:
        print(f"estate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
