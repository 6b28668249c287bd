"""The proof that an instance works: each permission, and for each failure what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connector_assets.kit.api import open_api
from connector_assets.kit.declaration import Connector
from connector_assets.kit.errors import (
    ConnectorError,
    FixConfiguration,
    FixCredentials,
    FixPermission,
    NotFound,
    RetryLater,
    StreamSkipped,
)
from connector_assets.kit.settings import Settings

#: A person waits for the answer: one more try, and no long waits.
RETRIES = 1
WAIT_SECONDS = 30.0
PULL_SECONDS = 600.0
READ_SECONDS = 120.0
#: How the message of a permission begins that was left out because another one failed before.
NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Outcome of one permission's probe. `status` is the HTTP status where there was an answer."""

    permission: str
    ok: bool
    status: int | None
    message: str
    hint: str


def check(connector: Connector, settings: Settings, **client_options: Any) -> list[CheckResult]:
    """Probe every permission of a connector, in its order; one result each.

    After a failure that all of them would share (address, TLS, credentials, no connection) the others are not tried.
    """
    budgets = settings.budgets
    settings = replace(
        settings,
        timeouts=replace(settings.timeouts, read=min(READ_SECONDS, settings.timeouts.read)),
        budgets=replace(
            budgets,
            retries=min(RETRIES, budgets.retries),
            wait_seconds=min(WAIT_SECONDS, budgets.wait_seconds),
            single_wait_seconds=min(WAIT_SECONDS, budgets.single_wait_seconds),
            pull_seconds=min(PULL_SECONDS, budgets.pull_seconds),
        ),
    )
    try:
        api = open_api(connector, settings, datetime.now(UTC), **client_options)
    except ConnectorError as error:
        return [failed(permission.name, error) for permission in connector.permissions]
    results: list[CheckResult] = []
    with api.client:
        for permission in connector.permissions:
            try:
                permission.probe(api)
            except (FixPermission, NotFound, StreamSkipped) as error:
                if permission.optional:
                    message = f"not granted, and optional: {error.message}"
                    hint = f"it would give: {permission.grants}"
                    results.append(CheckResult(permission.name, True, error.status, message, hint))
                else:
                    results.append(failed(permission.name, error))
            except ConnectorError as error:
                results.append(failed(permission.name, error))
                if shared(error):
                    break
            else:
                results.append(CheckResult(permission.name, True, 200, permission.grants, ""))
    if len(results) < len(connector.permissions):
        first = results[-1]
        for permission in connector.permissions[len(results) :]:
            message = f"{NOT_TRIED}, because {first.permission} failed"
            results.append(CheckResult(permission.name, False, None, message, first.hint))
    return results


def shared(error: ConnectorError) -> bool:
    """Whether every other call would fail in the same way."""
    return isinstance(error, FixConfiguration | FixCredentials) or (isinstance(error, RetryLater) and not error.status)


def failed(name: str, error: ConnectorError) -> CheckResult:
    where = f" at {error.url}" if error.url else ""
    return CheckResult(name, False, error.status, f"{error.message}{where}", error.hint or "")
