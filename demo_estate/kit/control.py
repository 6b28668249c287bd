"""The control plane of an estate, on a loopback port of its own: move time, plan faults, read journals.

POST /__estate__/advance  {"day": 1} or {"seconds": 120}
POST /__estate__/fault    a plan line; {"clear": true} drops all faults
POST /__estate__/reset    forget tokens, jobs, limits and journals
GET  /__estate__/journal  ?instance=NAME for one
GET  /__estate__/stats    the instances, the day and the clock
"""

from __future__ import annotations

from typing import Any, Protocol

from demo_estate.kit.http import Refusal, Request, Response


class Controlled(Protocol):
    """What the control plane needs of an estate."""

    def advance(self, day: int) -> None: ...
    def advance_clock(self, seconds: float) -> None: ...
    def fault(self, line: dict[str, Any]) -> None: ...
    def clear_faults(self) -> None: ...
    def reset(self) -> None: ...
    def journal(self, name: str) -> dict[str, Any]: ...
    def instance_names(self) -> list[str]: ...
    def stats(self) -> dict[str, Any]: ...


class ControlPlane:
    def __init__(self, estate: Controlled) -> None:
        self.estate = estate
        self._actions = {
            ("POST", "/__estate__/advance"): self._advance,
            ("POST", "/__estate__/fault"): self._fault,
            ("POST", "/__estate__/reset"): self._reset,
            ("GET", "/__estate__/journal"): self._journal,
            ("GET", "/__estate__/stats"): self._stats,
        }

    def handle(self, request: Request) -> Response:
        action = self._actions.get((request.method, request.path))
        if action is None:
            known = ", ".join(f"{method} {path}" for method, path in self._actions)
            return Response({"error": f"the control plane has {known}"}, 404)
        try:
            return Response(action(request))
        except Refusal as refusal:
            return Response({"error": refusal.message}, refusal.status)
        except (ValueError, LookupError) as error:
            return Response({"error": str(error)}, 400)

    def _advance(self, request: Request) -> Any:
        body = _object(request)
        if "day" in body:
            self.estate.advance(int(body["day"]))
        if "seconds" in body:
            self.estate.advance_clock(float(body["seconds"]))
        return self.estate.stats()

    def _fault(self, request: Request) -> Any:
        body = _object(request)
        if body.pop("clear", False):
            self.estate.clear_faults()
        if body:
            self.estate.fault(body)
        return {"ok": True}

    def _reset(self, request: Request) -> Any:
        self.estate.reset()
        return {"ok": True}

    def _journal(self, request: Request) -> Any:
        if (name := request.query.get("instance")) is not None:
            return self.estate.journal(name)
        return {name: self.estate.journal(name) for name in self.estate.instance_names()}

    def _stats(self, request: Request) -> Any:
        return self.estate.stats()


def _object(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise Refusal(400, "bad_request", "send a JSON object")
    return body


__all__ = ["ControlPlane", "Controlled"]
