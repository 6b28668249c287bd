"""Progress of long work, from wherever it happens to whoever watches: nobody, unless a command listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


def report(text: str) -> None:
    """Tell what is being done now, e.g. 'users: 12,000 records'."""
    listener = _listener.get()
    if listener:
        listener(text)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
