"""What a pull may spend: time, waiting, tries; and what it spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from connector_assets.kit.errors import BudgetExceeded, RetryLater
from connector_assets.kit.settings import Budgets


@dataclass
class Statistics:
    """What the pull cost so far. `bytes` counts bodies after decompression."""

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    bytes: int = 0
    auth_refreshes: int = 0

    def copy(self) -> Statistics:
        return replace(self)


class Allowance:
    """Keeps one pull within its budgets. All sleeping of the kit happens here. `where` masks an address for messages."""

    def __init__(
        self,
        budgets: Budgets,
        requests_per_minute: int | None,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        where: Callable[[str], str],
    ) -> None:
        self.budgets = budgets
        self.statistics = Statistics()
        self._sleep, self._clock, self._where = sleep, clock, where
        self._started = clock()
        self._waited = 0.0
        self._interval = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next_call = 0.0

    def wait(self, seconds: float, url: str | None = None, status: int | None = None) -> None:
        """Sleep because the vendor asked for it or failed.

        Raises RetryLater when it asks for more than one wait may last, BudgetExceeded when all waits together would.
        """
        if seconds > self.budgets.single_wait_seconds:
            raise RetryLater(
                f"the vendor asks to wait {seconds:.0f} s, more than the {self.budgets.single_wait_seconds:.0f} s allowed",
                status=status,
                url=self._where(url) if url else None,
                hint="the next sync tries again; lower the cadence if this happens often",
                retry_after=seconds,
            )
        if self._waited + seconds > self.budgets.wait_seconds:
            raise BudgetExceeded(
                f"the pull has waited {self._waited:.0f} s for the vendor and should wait {seconds:.0f} s more, "
                f"beyond its budget of {self.budgets.wait_seconds:.0f} s",
                status=status,
                url=self._where(url) if url else None,
                hint="the next sync tries again; lower the cadence, or the share of other clients of the same account",
                retry_after=seconds,
            )
        self._waited += seconds
        self.pause(seconds)

    def pause(self, seconds: float) -> None:
        """Sleep between polls of a vendor's job: within the pull's time, but no sign of throttling."""
        if seconds <= 0:
            return
        self.require_time(None, seconds)
        self.statistics.waited_seconds += seconds
        self._sleep(seconds)

    def pace(self) -> None:
        """Stay under the connector's own request rate."""
        if not self._interval:
            return
        now = self._clock()
        if now < self._next_call:
            self.pause(self._next_call - now)
        self._next_call = max(now, self._next_call) + self._interval

    def require_time(self, url: str | None, more: float = 0.0) -> None:
        """Raise BudgetExceeded when the pull's time is over, or would be in `more` seconds."""
        if self._clock() + more - self._started > self.budgets.pull_seconds:
            raise BudgetExceeded(
                f"the pull ran longer than its {self.budgets.pull_seconds / 3600:.1f} h",
                url=self._where(url) if url else None,
                hint="what was landed is kept as partial; pull fewer streams an instance or raise the budget",
            )
