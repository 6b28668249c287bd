"""`serve()`: the estate in the foreground, for trying a connector by hand."""

from __future__ import annotations

import signal
import threading
from datetime import date
from pathlib import Path

from demo_estate.server import EstateServer
from demo_estate.truth import Truth


def serve(
    devices: int = 500,
    seed: int = 7,
    port: int = 0,
    faults: Path | None = None,
    *,
    days: int = 1,
    today: date | None = None,
    products: list[str] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until Ctrl-C (or until `stop` is set) and print how to connect.

    Raises ValueError for a fault plan that is not understood, LookupError for an unknown product, OSError for a port
    that is taken.
    """
    truth = Truth(seed=seed, devices=devices, days=days, today=today)
    ended = stop or threading.Event()
    with EstateServer(truth, products=products, faults=faults, port=port) as estate:
        print(describe(estate), flush=True)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
        try:
            while not ended.wait(0.5):
                pass
        except KeyboardInterrupt:
            pass
    print("Stopped.", flush=True)


def describe(estate: EstateServer) -> str:
    """Addresses, credentials for the emulated products (worth nothing anywhere else), and the control plane."""
    truth = estate.truth
    lines = [f"{truth.company}: {truth.device_count:,} devices, {truth.person_count:,} people, seed {truth.seed}", ""]
    for instance, spec in estate.connections().items():
        lines.append(f"{instance}  ({spec.product})  {spec.base_url}")
        lines += [f"    export {variable}='{value}'" for variable, value in spec.credentials.values()]
        lines += [f"    option {name}: {value}" for name, value in spec.options.items()]
    lines += [
        "",
        "Write connections/NAME.yaml with product, base_url, and the credentials as `{env: VARIABLE}`.",
        f"Control plane: {estate.control_url}/stats, journal, advance, fault, reset",
        "Ctrl-C stops.",
    ]
    return "\n".join(lines)
