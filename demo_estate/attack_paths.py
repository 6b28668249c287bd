"""The ways in that are planted in the company: what an attacker could do, told from the truth and never from a product."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from demo_estate import applications, people
from demo_estate.entities import Account, Ref

if TYPE_CHECKING:
    from demo_estate.truth import Truth

REMOTE_CODE = "remote code execution"


class PlantedPath(NamedTuple):
    """A way from `entry` to `target`, both truth ids; `through` lies on it ('' where the two are neighbours)."""

    entry: str
    through: str
    target: str


def exposed_machines(truth: Truth, day: int) -> Iterator[int]:
    """Machines reachable from the internet with an open, exploited weakness that lets anybody run code."""
    for index in truth.device_indexes(day):
        if truth.device(index, day).internet_facing and any(
            finding.is_open
            and cve.exploit_available
            and cve.title.endswith(REMOTE_CODE)
            and cve.severity in ("critical", "high")
            for finding in truth.findings(index, day)
            for cve in (truth.cve_catalogue[finding.cve],)
        ):
            yield index


def entries(truth: Truth, day: int | None = None) -> frozenset[str]:
    """Truth ids of everything an attacker can begin with: exposed machines, enabled accounts without a second factor."""
    at = truth.day(day)
    machines = {f"dev-{index:06d}" for index in exposed_machines(truth, at)}
    return frozenset(machines | {account.truth_id for account in unprotected(truth, at)})


def unprotected(truth: Truth, day: int) -> Iterator[Account]:
    """Accounts that sign in with a password alone."""
    for ref in truth.account_refs(day):
        account = truth.account(ref, day)
        if account.enabled and not account.mfa_registered:
            yield account


def planted(truth: Truth, day: int | None = None) -> Iterator[PlantedPath]:
    """The ways in that somebody put there on purpose."""
    at = truth.day(day)
    exposed = set(exposed_machines(truth, at))
    for index in applications.managed_identities(truth, at):
        machine = truth.device(index, at)
        if index in exposed and machine.cloud is not None:
            yield PlantedPath(f"dev-{index:06d}", f"mid-{index:06d}", f"/subscriptions/{machine.cloud.account_id}")
    careless = Ref("person", people.careless(truth)[0])
    account = truth.account(careless, at)
    if people.exists(truth, careless, at) and account.enabled and not account.mfa_registered:
        yield PlantedPath(account.truth_id, "", "rol-000000")
