"""Errors of a pull, named by what the caller should do.

Every error says what happened, where (address with its query values masked) and, as `hint`, what to do about it.
"""

from __future__ import annotations

from typing import Any


class ConnectorError(Exception):
    """Base: something kept a stream from being pulled.

    status: HTTP status where there was an answer. url: masked address. hint: what a person should do.
    answer: the vendor's own error body, parsed where it is JSON, shortened text otherwise; for code that must read a
    job id or a code out of it, never for messages. retry_after: seconds the vendor asked to wait, None if it did not.
    """

    retry_later = False
    """Whether the same sync may well succeed at another time without anybody doing anything."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        url: str | None = None,
        hint: str | None = None,
        answer: Any = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = message
        self.status = status
        self.url = url
        self.hint = hint
        self.answer = answer
        self.retry_after = retry_after
        super().__init__(message)

    def __str__(self) -> str:
        parts = [self.message]
        if self.url:
            parts.append(f"at {self.url}")
        if self.hint:
            parts.append(f"- {self.hint}")
        return " ".join(parts)


class RetryLater(ConnectorError):
    """The vendor is unreachable, overloaded or throttling for longer than the pull may wait: try the sync again later."""

    retry_later = True


class NotReached(RetryLater):
    """No connection came about, so that nothing can have begun at the vendor's: any request may be repeated."""


class FixConfiguration(ConnectorError):
    """The connection file is wrong: base address, option, certificate authority, tenant."""


class FixCredentials(ConnectorError):
    """The vendor refused the credentials (401)."""


class FixPermission(ConnectorError):
    """The credentials work but lack a right (403)."""


class NotFound(ConnectorError):
    """The vendor has nothing at that address (404)."""


class BadRequest(ConnectorError):
    """The vendor refused the request itself (400, 409, 422 ...)."""


class ReportRecord(ConnectorError):
    """One record cannot be understood: report it with its place; the others go on."""


class BrokenAnswer(ConnectorError):
    """The body is not what its type says: truncated, malformed or too deep."""

    retry_later = True


class UnexpectedContent(ConnectorError):
    """The answer is of another kind than asked for, such as an HTML sign-in page with status 200."""


class RepeatedCursor(ConnectorError):
    """The vendor handed out a cursor that was followed already: going on would loop for ever."""


class CursorExpired(ConnectorError):
    """The vendor forgot the cursor: the collection must be read again from its start."""

    retry_later = True


class ForeignHost(ConnectorError):
    """A link or redirect leads to a host that is not the vendor's: it is not followed, no credential is sent."""


class BudgetExceeded(ConnectorError):
    """The pull took longer, waited longer or grew larger than its budget allows."""

    retry_later = True


class StreamSkipped(ConnectorError):
    """The stream cannot be had with this licence or permission; the rest of the sync goes on without it."""
