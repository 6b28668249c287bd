"""How a product sees the company: the protocol between the estate and one emulated vendor.

A lens is one module (or subpackage) here that exposes `LENS = Lens(...)`. It is found by being there. It holds pure
functions from truth to the vendor's native dicts, the routes that serve them, and the answers for the answer key.
"""

from __future__ import annotations

import importlib
import pkgutil
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from demo_estate.truth import Device, Truth

if TYPE_CHECKING:
    from demo_estate.kit import Bucket, Request, Response, Route, Service


class Answer(NamedTuple):
    """One record that an instance serves on a day, and what it truly is.

    kind: device, identity, application or cloud_resource. record_id equals `record_id` of the staging model.
    truth_id: see `Truth.truth_id`; '' for a record that is nothing of its own, or that several things share (one agent
    id of a cloned image, served as one record): it is left out of the score. tags: names of the quirks acted out.
    """

    kind: str
    record_id: str
    truth_id: str
    tags: frozenset[str] = frozenset()
    evidence: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One connection to a product, and the slice of the company it can see.

    sites and kinds limit the devices (None: all); share is the part of them (0..1) that it happens to cover.
    options: lens-specific settings of this instance. by_default: served unless the caller picks instances.
    """

    name: str
    sites: frozenset[int] | None = None
    kinds: frozenset[str] | None = None
    share: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)
    by_default: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """What one instance can see of the company on one day; the only thing a lens's pure functions get."""

    truth: Truth
    lens: Lens
    instance: Instance
    day: int

    def covers(self, index: int) -> bool:
        """Whether the instance's slice and the lens's own coverage hold this device. Cheap: builds no device."""
        slice_ = self.instance
        truth = self.truth
        if slice_.kinds is not None and truth.device_kind(index) not in slice_.kinds:
            return False
        if slice_.sites is not None and truth.device_site(index) not in slice_.sites:
            return False
        if slice_.share < 1 and not truth.chance(slice_.share, "coverage", slice_.name, index):
            return False
        return self.lens.covers(truth, index)

    def lists(self, index: int) -> bool:
        """Whether this instance lists the device on the view's day; for routes that look up one record."""
        known = 0 <= index < self.truth.device_count
        return known and self.covers(index) and self.truth.is_listed(index, self.day, self.lens.retention)

    def device_indexes(self) -> Iterator[int]:
        """Covered devices present on the day or gone for at most `lens.retention` days, in index order."""
        return (i for i in self.truth.device_indexes(self.day, self.lens.retention) if self.covers(i))

    def devices(self) -> Iterator[Device]:
        """The devices of `device_indexes()`, built one at a time."""
        truth, day = self.truth, self.day
        return (truth.device(i, day) for i in self.device_indexes())

    def device(self, index: int) -> Device:
        return self.truth.device(index, self.day)

    def index_array(self) -> array[int]:
        """`device_indexes()` as a compact array, for random access. In a route use `service.device_indexes()`."""
        return array("I", self.device_indexes())


def _covers_all(truth: Truth, index: int) -> bool:
    return True


def _no_options(view: View, base_url: str) -> Mapping[str, Any]:
    return {}


def _default_error(request: Request, status: int, reason: str, message: str) -> Response:
    from demo_estate.kit import Response

    return Response({"error": {"code": reason, "message": message}}, status=status)


@dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """One emulated vendor.

    routes: what it serves. A handler is `(Request, Service) -> Response | JSON value`.
    answer: `View -> Iterable[Answer]`, everything the instance serves on the view's day.
    credentials: `View -> {credential field: secret value}`, fields named as in the connector's declaration.
    options: `(View, base_url) -> connection options` as in the connector's options model.
    covers: `(truth, device index) -> bool`, the product's coverage over the whole company (agent installed, in scope).
    retention: days for which a device that is gone stays listed.
    authenticate: `(Request, Service) -> None`, raises Refusal; called for every route that is not `public`.
    error: `(Request, status, reason, message) -> Response`, the vendor's error envelope. Reasons: unknown_route, method,
      unknown_parameter, bad_request, unauthorized, forbidden, not_found, throttled, server_error.
    buckets: named rate limits, made fresh for every running instance; a route names the one it draws on.
    rows: finds the list of records in an answer's JSON for the row faults; None: the longest list at the top.
    reset: called with the service at start and when the day changes (stateful lenses forget jobs here).
    """

    product: str
    routes: Sequence[Route]
    answer: Callable[[View], Iterable[Answer]]
    credentials: Callable[[View], Mapping[str, str]]
    options: Callable[[View, str], Mapping[str, Any]] = _no_options
    covers: Callable[[Truth, int], bool] = _covers_all
    retention: int = 0
    authenticate: Callable[[Request, Service], None] | None = None
    error: Callable[[Request, int, str, str], Response] = _default_error
    buckets: Callable[[], Mapping[str, Bucket]] | None = None
    rows: Callable[[Any], list[Any] | None] | None = None
    reset: Callable[[Service], None] | None = None
    token_ttl: float = 3600.0
    instances: tuple[Instance, ...] = ()
    """Instances served; empty means one, named like the product, that sees everything."""

    def all_instances(self) -> tuple[Instance, ...]:
        return self.instances or (Instance(self.product),)

    def view(self, truth: Truth, instance: Instance | None = None, day: int | None = None) -> View:
        """The view of an instance (default: the first) on a day (default: the last)."""
        return View(truth, self, instance or self.all_instances()[0], truth.day(day))


def discover(products: Sequence[str] | None = None) -> dict[str, Lens]:
    """Lenses by product name. Raises LookupError naming what there is when a wanted product has no lens."""
    found: dict[str, Lens] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if module_info.name.startswith("_") or (products is not None and module_info.name not in products):
            continue
        lens = getattr(importlib.import_module(f"{__name__}.{module_info.name}"), "LENS", None)
        if isinstance(lens, Lens):
            found[lens.product] = lens
    if products is not None and (missing := sorted(set(products) - set(found))):
        there = ", ".join(sorted(info.name for info in pkgutil.iter_modules(__path__)))
        raise LookupError(f"the demo estate has no lens for {', '.join(missing)}; it has {there or 'none'}")
    return found
