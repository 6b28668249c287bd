"""One running instance of an emulated vendor: state, and the way of a request through it."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from demo_estate.kit.buckets import Bucket
from demo_estate.kit.clock import VirtualClock
from demo_estate.kit.exports import ExportJobs
from demo_estate.kit.faults import BEFORE, ON_ANSWER, Fault, FaultPlan, change_answer
from demo_estate.kit.http import Refusal, Request, Response, Route, Router
from demo_estate.kit.journal import Journal
from demo_estate.kit.pagers import Cursors
from demo_estate.kit.tokens import TokenStore

if TYPE_CHECKING:
    from demo_estate.lenses import Instance, Lens, View
    from demo_estate.truth import Truth

T = TypeVar("T")

HTML = (
    "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Please try later</h1></body></html>"
)


class ConnectionReset(Exception):
    """The fault plan wants the connection dropped without an answer."""


class Service:
    """What handlers get beside the request.

    view: what this instance sees today. tokens, exports, cursors, buckets, state: its memory. base_url: its address.
    """

    def __init__(
        self,
        truth: Truth,
        lens: Lens,
        instance: Instance,
        day: int,
        clock: VirtualClock | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.truth = truth
        self.lens = lens
        self.instance = instance
        self.clock = clock or VirtualClock()
        self.faults = faults or FaultPlan()
        self.router = Router(lens.routes)
        self.journal = Journal()
        self.base_url = ""
        self._day = truth.day(day)
        self._cache: dict[Any, Any] = {}
        self._cache_locks: dict[Any, threading.Lock] = {}
        self._lock = threading.RLock()
        self._previous: dict[str, Response] = {}
        self.credentials: dict[str, str] = dict(lens.credentials(self.view))
        self.journal.watch(self.credentials.values())
        self.reset()

    @property
    def name(self) -> str:
        return self.instance.name

    @property
    def day(self) -> int:
        return self._day

    @property
    def view(self) -> View:
        return self.lens.view(self.truth, self.instance, self._day)

    def reset(self) -> None:
        """Forget tokens, jobs, limits and memory; the journal stays."""
        salt = f"{self.truth.seed}:{self.name}"
        self.tokens = TokenStore(
            self.clock, self.lens.token_ttl, salt=salt, on_issue=lambda token: self.journal.watch([token])
        )
        self.exports = ExportJobs(self.clock)
        self.cursors = Cursors(self.clock, salt=salt)
        self.buckets: Mapping[str, Bucket] = self.lens.buckets() if self.lens.buckets else {}
        self.state: dict[str, Any] = {}
        self._forget_day()
        if self.lens.reset is not None:
            self.lens.reset(self)

    def set_day(self, day: int) -> None:
        """Move to another day of the timeline: what was remembered of the old day's data is dropped."""
        with self._lock:
            self._day = self.truth.day(day)
            self._forget_day()
            if self.lens.reset is not None:
                self.lens.reset(self)

    def cached(self, name: Any, build: Callable[[], T]) -> T:
        """The value of `build()`, made once a day and name. Keep what is held small: indexes, sorted keys."""
        with self._lock:
            lock = self._cache_locks.setdefault(name, threading.Lock())
            cache = self._cache
        with lock:
            if name not in cache:
                cache[name] = build()
            return cache[name]

    def device_indexes(self) -> array[int]:
        """Indexes of the devices this instance lists today; 4 bytes each, made once a day."""
        return self.cached("device_indexes", self.view.index_array)

    def handle(self, request: Request) -> Response:
        """The whole way of a request. Raises ConnectionReset when the fault plan says so."""
        route, request.path_args, known_path = self.router.match(request.method, request.path)
        name = route.name if route else f"{request.method} {request.path}"
        key = (route.bucket if route and route.bucket else name) if route else "unknown"
        self.journal.begin(request, name if route else "unknown", self.clock.time(), key)
        request.route = route
        response = Response(b"", 500)
        try:
            response = self._answer(request, route, known_path, name, key)
            return response
        finally:
            self.journal.end(request, name if route else "unknown", response.status)

    def error(self, request: Request, refusal: Refusal) -> Response:
        response = self.lens.error(request, refusal.status, refusal.reason, refusal.message)
        if refusal.headers:
            response.add_headers(refusal.headers)
        return response

    def _answer(self, request: Request, route: Route | None, known_path: bool, name: str, key: str) -> Response:
        if route is None:
            self.journal.problem("unknown_route", name, "no such method and path at this product")
            if known_path:
                return self.error(request, Refusal(405, "method", f"Method {request.method} is not allowed here."))
            return self.error(request, Refusal(404, "unknown_route", f"No resource at {request.path}"))
        faults = self.faults.pick((self.lens.product, self.name), self._day, request, name)
        for fault in faults:
            self.journal.fault(f"{name} {fault.fault}")
            if (early := self._early_fault(fault, request, key)) is not None:
                return early
        try:
            response = self._serve(request, route, key)
        except Refusal as refusal:
            response = self.error(request, refusal)
        previous, self._previous[name] = self._previous.get(name), response
        for fault in faults:
            if fault.fault in ON_ANSWER:
                response = change_answer(fault, response, previous, self.lens.rows)
        return response

    def _serve(self, request: Request, route: Route, key: str) -> Response:
        if not route.public and self.lens.authenticate is not None:
            self.lens.authenticate(request, self)
        limit_headers: Mapping[str, str] = {}
        if route.bucket is not None:
            bucket = self.buckets[route.bucket]
            now = self.clock.time()
            state = bucket.take(now, request.caller, route.cost)
            limit_headers = bucket.headers(state)
            if not state.allowed:
                self.journal.hold(key, now + state.retry_after)
                raise Refusal(429, "throttled", f"Rate limit of {state.limit} requests exceeded.", limit_headers)
        if route.known_params is not None:
            unknown = sorted({name for name, _ in request.query_pairs} - route.known_params)
            if unknown:
                self.journal.problem("unknown_parameter", route.name, f"unknown query parameter {', '.join(unknown)}")
                raise Refusal(400, "unknown_parameter", f"Unknown query parameter: {', '.join(unknown)}")
        result = route.handler(request, self)
        response = result if isinstance(result, Response) else Response(result)
        if limit_headers:
            response.add_headers(limit_headers)
        return response

    def _early_fault(self, fault: Fault, request: Request, key: str) -> Response | None:
        """An answer given instead of the real one, or None when the request goes on."""
        kind = fault.fault
        if isinstance(kind, int):
            headers = {str(k): str(v) for k, v in dict(fault.settings.get("headers", {})).items()}
            if "retry_after" in fault.settings:
                wait = float(fault.settings["retry_after"])
                headers.setdefault("Retry-After", f"{wait:g}")
                self.journal.hold(key, self.clock.time() + wait)
            reasons = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "throttled"}
            reason = reasons.get(kind, "server_error")
            return self.error(request, Refusal(kind, reason, f"Planned fault: {kind}", headers))
        if kind not in BEFORE:
            return None
        match kind:
            case "html":
                status = int(fault.settings.get("status", 200))
                return Response(HTML, status, content_type="text/html; charset=utf-8")
            case "redirect":
                location = str(fault.settings.get("location", self.base_url + request.target))
                return Response(b"", int(fault.settings.get("status", 308)), {"Location": location})
            case "reset":
                raise ConnectionReset(request.path)
            case "slow":
                time.sleep(float(fault.settings.get("seconds", 0.2)))
            case "expire_tokens":
                self.tokens.revoke_all()
        return None

    def _forget_day(self) -> None:
        with self._lock:
            self._cache = {}
            self._cache_locks = {}
            self._previous = {}
