"""How complete what came is: only a whole enumeration proves that what is absent is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exposure_pipelines.landing.manifest import Manifest, ScopeResult, State

if TYPE_CHECKING:
    from connector_assets.kit.api import Verdict
    from connector_assets.kit.errors import ConnectorError
    from exposure_pipelines.landing.typed import TypedCounts

#: An enumeration smaller than this may shrink as it likes.
GUARDED_FROM = 20
#: Scopes, and reasons of scopes, that the reason of a stream names.
TOLD = 3


@dataclass(frozen=True, slots=True)
class VolumeGuard:
    """Holds an enumeration that is implausibly small against the last complete one (None: nothing is held)."""

    instance: str
    share: float
    may_be_empty: bool
    previous: Manifest | None

    @property
    def scopes_before(self) -> dict[str, int]:
        """Records of each scope of the last complete sync."""
        return {name: scope.records for name, scope in self.previous.scopes.items()} if self.previous else {}

    def reason(self, records: int, before: int) -> str | None:
        """Why `records` is too few after `before`, None when it is not."""
        emptied = records == 0 and before > 0 and not self.may_be_empty
        shrunk = before >= GUARDED_FROM and records < before * self.share
        if not emptied and not shrunk:
            return None
        return (
            f"only {records} records where the last complete sync had {before}: nothing is retired by it; "
            f"if the vendor really has so few, accept it with `exposure sync {self.instance} --accept-volume`"
        )


def judge_scopes(
    verdict: Verdict,
    landed_scopes: Iterable[str],
    counts: TypedCounts,
    error: ConnectorError | None,
    guard: VolumeGuard,
    came: Mapping[str, int] | None = None,
) -> dict[str, ScopeResult]:
    """State of every scope: what the connector said, what the vendor counts, what the last complete sync had.

    came: records by scope that were read, where others were carried over: the vendor's count is one of those read.
    """
    names = dict.fromkeys([*verdict.scopes, *landed_scopes, *verdict.expected, *verdict.partial]) or {"default": None}
    scopes = {}
    for name in names:
        records = counts.by_scope.get(name, 0)
        expected = verdict.expected.get(name)
        read = records if came is None else came.get(name, 0)
        reason = verdict.partial.get(name)
        if error:
            reason = str(error)
        elif reason is None and expected is not None and read < expected:
            reason = f"the vendor counts {expected} records, {read} came"
        if reason is None:
            reason = guard.reason(records, guard.scopes_before.get(name, 0))
        scopes[name] = ScopeResult(
            state="partial" if reason else "complete", records=records, expected=expected, reason=reason
        )
    if not error:
        # a scope that is not even named any more is as empty as one that gave nothing
        for name, before in guard.scopes_before.items():
            if name not in scopes and (reason := guard.reason(0, before)):
                scopes[name] = ScopeResult(state="partial", reason=reason)
    return scopes


def some(names: Sequence[str]) -> str:
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return ", ".join(names[:TOLD]) + more


def judge_stream(
    scopes: dict[str, ScopeResult], counts: TypedCounts, needed: Sequence[Manifest], guard: VolumeGuard
) -> tuple[State, str | None]:
    """A stream is complete when every scope is, every record could be read and so was every stream it was read through."""
    sharing: dict[str, list[str]] = {}
    for name, scope in scopes.items():
        if scope.state != "complete":
            sharing.setdefault(str(scope.reason), []).append(name)
    if sharing:
        reasons = [reason if names == ["default"] else f"{some(names)}: {reason}" for reason, names in sharing.items()]
        left = sum(len(names) for names in [*sharing.values()][TOLD:])
        return "partial", "; ".join(reasons[:TOLD]) + (f" (and {left} more scopes)" if left else "")
    if counts.rejected:
        return "partial", f"{counts.rejected} records are in quarantine: what is absent may only be unreadable"
    for manifest in needed:
        if manifest.state != "complete":
            return (
                "partial",
                f"it was read through stream {manifest.stream}, which is {manifest.state}: {manifest.reason}",
            )
    reason = guard.reason(counts.records, guard.previous.records) if guard.previous else None
    return ("partial", reason) if reason else ("complete", None)
