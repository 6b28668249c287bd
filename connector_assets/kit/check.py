"""The proof that an instance works: credentials first, then each permission, each failure with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from connector_assets.kit.api import open_api
from connector_assets.kit.declaration import Connector
from connector_assets.kit.errors import ConnectorError, FixConfiguration, FixCredentials, RetryLater
from connector_assets.kit.settings import Settings


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Outcome of one permission's probe. `status` is the HTTP status where there was an answer."""

    permission: str
    ok: bool
    status: int | None
    message: str
    hint: str


def check(connector: Connector, settings: Settings) -> list[CheckResult]:
    """Probe every permission of a connector. A failure that would repeat for all (address, credentials) ends the list."""
    results: list[CheckResult] = []
    try:
        api = open_api(connector, settings, datetime.now(UTC))
    except ConnectorError as error:
        return [failed("connection", error)]
    with api.client:
        for permission in connector.permissions:
            try:
                permission.probe(api)
            except (FixConfiguration, FixCredentials, RetryLater) as error:
                results.append(failed(permission.name, error))
                if not isinstance(error, RetryLater) or error.status is None:
                    break
            except ConnectorError as error:
                if permission.optional:
                    results.append(
                        CheckResult(
                            permission.name,
                            True,
                            error.status,
                            f"not granted (optional): {error.message}",
                            permission.grants,
                        )
                    )
                else:
                    results.append(failed(permission.name, error))
            else:
                results.append(CheckResult(permission.name, True, 200, permission.grants, ""))
    return results


def failed(name: str, error: ConnectorError) -> CheckResult:
    return CheckResult(
        name, False, error.status, f"{error.message}{f' at {error.url}' if error.url else ''}", error.hint or ""
    )
