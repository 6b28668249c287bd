"""The whole estate served: one loopback port an instance, and a control plane on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from demo_estate.answer_key import AnswerKey
from demo_estate.kit.clock import VirtualClock
from demo_estate.kit.control import ControlPlane
from demo_estate.kit.faults import FaultPlan
from demo_estate.kit.server import LoopbackServer
from demo_estate.kit.service import Service
from demo_estate.lenses import Lens, discover
from demo_estate.truth import Truth

FaultSource = FaultPlan | Path | str | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class ConnectionSpec:
    """What a connection file needs. credentials: field -> (environment variable, value); the repr hides the values."""

    product: str
    instance: str
    base_url: str
    options: Mapping[str, Any]
    credentials: Mapping[str, tuple[str, str]]

    def __repr__(self) -> str:
        return f"ConnectionSpec({self.instance}: {self.product} at {self.base_url})"


class EstateServer:
    """Emulated vendors over one truth; use as a context manager.

    products: names to serve (None: all lenses found). instances: instance names (None: those served by default).
    faults: a plan, its YAML file, or a list of lines. day: the day of the timeline to start on. port: first of
    consecutive ports (0: free ones). lenses: served instead of the discovered ones (tests).
    """

    def __init__(
        self,
        truth: Truth,
        products: Sequence[str] | None = None,
        faults: FaultSource = None,
        day: int = 0,
        *,
        instances: Sequence[str] | None = None,
        port: int = 0,
        clock: VirtualClock | None = None,
        gzip: bool = True,
        lenses: Sequence[Lens] | None = None,
    ) -> None:
        self.truth = truth
        self.clock = clock or VirtualClock()
        self.faults = FaultPlan.load(faults)
        self._first_port = port
        self._gzip = gzip
        self._servers: dict[str, LoopbackServer] = {}
        self._control: LoopbackServer | None = None
        chosen = {lens.product: lens for lens in lenses} if lenses is not None else discover(products)
        self.services: dict[str, Service] = {}
        for product in sorted(chosen):
            lens = chosen[product]
            for instance in lens.all_instances():
                if instance.name in instances if instances is not None else instance.by_default:
                    if instance.name in self.services:
                        raise ValueError(f"two instances are called {instance.name!r}")
                    self.services[instance.name] = Service(truth, lens, instance, day, self.clock, self.faults)
        if instances is not None and (missing := sorted(set(instances) - set(self.services))):
            raise LookupError(f"no such instance: {', '.join(missing)}; there are {', '.join(self.services) or 'none'}")

    def __enter__(self) -> EstateServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> EstateServer:
        """Open all ports. Raises OSError when a wanted port is taken."""
        try:
            for number, (name, service) in enumerate(self.services.items()):
                server = LoopbackServer(service.handle, self._port(number), self._gzip).start()
                service.base_url = server.base_url
                self._servers[name] = server
            self._control = LoopbackServer(ControlPlane(self).handle, self._port(len(self.services))).start()
        except OSError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()
        self._servers.clear()
        if self._control is not None:
            self._control.stop()
            self._control = None

    # -- what clients need --------------------------------------------------------------------------------------------
    def connections(self) -> dict[str, ConnectionSpec]:
        """How to connect to each running instance. Raises RuntimeError before start."""
        if not self._servers and self.services:
            raise RuntimeError("the estate is not running; use it as a context manager or call start()")
        found = {}
        for name, service in self.services.items():
            credentials = {
                field: (f"ESTATE_{name}_{field}".upper(), value) for field, value in service.credentials.items()
            }
            options = service.lens.options(service.view, service.base_url)
            found[name] = ConnectionSpec(service.lens.product, name, service.base_url, options, credentials)
        return found

    @property
    def control_url(self) -> str:
        if self._control is None:
            raise RuntimeError("the estate is not running; use it as a context manager or call start()")
        return f"{self._control.base_url}/__estate__"

    # -- steering -----------------------------------------------------------------------------------------------------
    @property
    def day(self) -> int:
        return next(iter(self.services.values())).day if self.services else 0

    def advance(self, day: int) -> None:
        """Move every product to a day of the timeline. Raises ValueError when there is no such day."""
        self.truth.day(day)
        for service in self.services.values():
            service.set_day(day)

    def advance_clock(self, seconds: float) -> None:
        """Move the virtual clock: tokens, cursors and rate limits expire by it."""
        self.clock.advance(seconds)

    def fault(self, line: Mapping[str, Any]) -> None:
        """Add one line to the fault plan. Raises ValueError when it is not understood."""
        self.faults.add(line)

    def clear_faults(self) -> None:
        self.faults.clear()

    def reset(self) -> None:
        """Forget tokens, jobs, limits and journals of every instance."""
        for service in self.services.values():
            service.reset()
            service.journal.clear()

    # -- looking ------------------------------------------------------------------------------------------------------
    def instance_names(self) -> list[str]:
        return list(self.services)

    def service(self, name: str) -> Service:
        """By instance name, or by product name when it has one running instance. Raises LookupError."""
        if name in self.services:
            return self.services[name]
        found = [service for service in self.services.values() if service.lens.product == name]
        if len(found) != 1:
            raise LookupError(f"no single running instance {name!r}; there are {', '.join(self.services) or 'none'}")
        return found[0]

    def journal(self, name: str) -> dict[str, Any]:
        """What clients asked of an instance or product (see kit/journal.py)."""
        return self.service(name).journal.as_dict()

    def stats(self) -> dict[str, Any]:
        return {
            "day": self.day,
            "days": self.truth.days,
            "date": self.truth.date(self.day).isoformat(),
            "clock": self.clock.now().isoformat(),
            "devices": self.truth.device_count,
            "seed": self.truth.seed,
            "faults": [
                {"product": f.product, "route": f.route, "fault": f.fault, "seen": f.seen, "fired": f.fired}
                for f in self.faults.faults
            ],
            "instances": {
                name: {
                    "product": service.lens.product,
                    "base_url": service.base_url,
                    "requests": service.journal.total,
                    "problems": len(service.journal.problems),
                    "tokens_issued": service.tokens.issued,
                }
                for name, service in self.services.items()
            },
        }

    def answer_key(self, day: int | None = None) -> AnswerKey:
        """The truth behind every served record on a day (default: the current one)."""
        return AnswerKey.of_services(self.services.values(), self.day if day is None else day)

    def _port(self, number: int) -> int:
        return self._first_port + number if self._first_port else 0
