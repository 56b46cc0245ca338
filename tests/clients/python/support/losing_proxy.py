"""An HTTP proxy before an S3 server that forwards a request and then loses the answer, or gives another one."""

import http.client
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What the client sees in place of the server's answer, which has been given by then.
DROP = "connection dropped"
UNAVAILABLE = "503"


class LosingProxy:
    """Spoils the answers to requests whose path matches, as many as `lose` says. Others pass unchanged."""

    def __init__(self, address: str):
        self.upstream = urllib.parse.urlsplit(address).netloc
        self.lost: list[str] = []
        # Writes that were not forwarded: (method, path, headers, body).
        self._kept: list[tuple[str, str, dict, bytes]] = []
        self._rule: tuple[re.Pattern, str, int, bool] | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def lose(self, pattern: str, how: str, times: int = 1, method: str = "PUT", applied: bool = True):
        """The next `times` requests that match are forwarded (`applied`) and then answered as `how` says."""
        with self._lock:
            self.lost.clear()
            self._rule = (re.compile(f"^{method} .*{pattern}"), how, times, applied)

    def deliver(self) -> list[int]:
        """Forwards the writes that were kept from the server so far; gives its answers. A network may be late, too."""
        with self._lock:
            kept, self._kept = self._kept, []
        return [self._forward(*request)[0] for request in kept]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def _verdict(self, request: str) -> tuple[str | None, bool]:
        with self._lock:
            if self._rule:
                pattern, how, times, applied = self._rule
                if pattern.search(request) and len(self.lost) < times:
                    self.lost.append(request)
                    return how, applied
            return None, True

    def _keep(self, *request):
        with self._lock:
            self._kept.append(request)

    def _forward(self, method: str, path: str, headers: dict, body: bytes) -> tuple[int, list, bytes]:
        """(status, headers, content) of the server's answer."""
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        # The host is signed: it must arrive as the client sent it.
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        status, answered, content = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return status, answered, content

    def _handler(self):
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                how, applied = proxy._verdict(f"{self.command} {self.path}")
                request = (self.command, self.path, dict(self.headers.items()), body)
                if applied:
                    status, headers, content = proxy._forward(*request)
                elif self.command == "PUT":
                    proxy._keep(*request)
                if how == DROP:
                    self.close_connection = True
                    return
                if how == UNAVAILABLE:
                    status, headers, content = 503, [], b"<Error><Code>ServiceUnavailable</Code></Error>"
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = dict((name.lower(), value) for name, value in headers).get("content-length")
                keep = self.command == "HEAD" and length is not None
                self.send_header("content-length", length if keep else str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

            def log_message(self, *_):
                pass

        return Handler
