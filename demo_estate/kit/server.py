"""A threaded HTTP/1.1 server on loopback with kept-open connections."""

from __future__ import annotations

import contextlib
import socket
import threading
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo_estate.kit.http import Request, Response
from demo_estate.kit.service import ConnectionReset

MAX_BODY = 32 * 1024 * 1024
#: Smaller answers are not worth the compression.
MIN_GZIP = 1024

Handle = Callable[[Request], Response]


class LoopbackServer:
    """Serves `handle` on 127.0.0.1. port 0 picks a free one. gzip: compress answers for clients that ask for it."""

    def __init__(self, handle: Handle, port: int = 0, gzip: bool = True) -> None:
        handler = type("Handler", (_Handler,), {"handle_request": staticmethod(handle), "gzip": gzip, "owner": self})
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), handler)
        self.port: int = self._server.server_address[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> LoopbackServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and close open connections, so that the port is free at once."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # the client may have closed it in this moment
                    connection.shutdown(socket.SHUT_RDWR)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is ordinary; anything else is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one send for head and body
    handle_request: Handle
    gzip: bool
    owner: LoopbackServer

    def setup(self) -> None:
        super().setup()
        self.owner.opened(self.connection)

    def finish(self) -> None:
        self.owner.closed(self.connection)
        super().finish()

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY or "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            self.close_connection = True
            self._send(Response({"error": "request body too large or without Content-Length"}, 413))
            return
        body = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        base_url = f"http://{headers.get('host') or f'127.0.0.1:{self.owner.port}'}"
        try:
            self._send(self.handle_request(Request.build(self.command, self.path, headers, body, base_url)))
        except ConnectionReset:
            self.close_connection = True
            # linger 0 makes the close a reset instead of an orderly end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self.connection.close()
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug in a lens must reach the client as 500, and the terminal
            self.log_error("%s %s: %r", self.command, self.path.partition("?")[0], error)
            import traceback

            traceback.print_exc()
            self._send(Response({"error": f"the emulated product failed: {type(error).__name__}: {error}"}, 500))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

    def _send(self, response: Response) -> None:
        body, content_type = response.encode()
        headers = response.header_pairs()
        promised = next((int(value) for name, value in headers if name == "X-Estate-Cut"), None)
        if promised is None and self.gzip and len(body) >= MIN_GZIP and self._wants_gzip(headers):
            packer = zlib.compressobj(1, zlib.DEFLATED, 31)
            body = packer.compress(body) + packer.flush()
            headers.append(("Content-Encoding", "gzip"))
        self.send_response(response.status)
        if not any(name.lower() == "content-type" for name, _ in headers) and response.status != 204:
            self.send_header("Content-Type", content_type)
        for name, value in headers:
            if name != "X-Estate-Cut":
                self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        if self.command != "HEAD" and response.status != 204:
            self.wfile.write(body)
        self.wfile.flush()
        if promised is not None:
            self.close_connection = True

    def _wants_gzip(self, headers: list[tuple[str, str]]) -> bool:
        return "gzip" in (self.headers.get("Accept-Encoding") or "") and not any(
            name.lower() == "content-encoding" for name, _ in headers
        )

    def version_string(self) -> str:
        return "estate"

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are in the journal, never on the terminal (a URL could hold what should not be shown)."""

    def log_error(self, format: str, *args: Any) -> None:
        import sys

        print(format % args, file=sys.stderr)
