"""Every read from a vendor's socket asks first whether the pull has time left.

A read has its own timeout, but an answer that comes a byte at a time never meets it: neither its headers nor one read of
its body would ever come to an end.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

RequireTime = Callable[[], None]


class BoundedReads(io.RawIOBase):
    """The bytes of a socket, as long as there is time."""

    def __init__(self, source: io.RawIOBase, require_time: RequireTime) -> None:
        self._source = source
        self._require_time = require_time

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._require_time()
        return self._source.readinto(buffer)

    def close(self) -> None:
        self._source.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    def __init__(self, require_time: RequireTime, sock: socket.socket, *given: Any, **named: Any) -> None:
        super().__init__(sock, *given, **named)
        self.fp = io.BufferedReader(BoundedReads(self.fp.detach(), require_time))


class BoundedAdapter(HTTPAdapter):
    """An adapter whose answers end with the pull's time. `require_time` raises when it is over."""

    def __init__(self, require_time: RequireTime, **given: Any) -> None:
        response = staticmethod(functools.partial(BoundedResponse, require_time))
        plain = type("BoundedHTTPConnection", (HTTPConnection,), {"response_class": response})
        secure = type("BoundedHTTPSConnection", (HTTPSConnection,), {"response_class": response})
        self._pools = {
            "http": type("BoundedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("BoundedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__(**given)

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager
