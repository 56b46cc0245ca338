"""A TCP proxy that lets so many bytes of the client pass and then cuts the connection, once: a network that fails."""

import socket
import threading
import urllib.parse

CHUNK = 16 << 10


class CuttingProxy:
    """Forwards connections to `address` until `cut_after` is used up."""

    def __init__(self, address: str):
        upstream = urllib.parse.urlsplit(address)
        self._upstream = (upstream.hostname, upstream.port)
        self._left: int | None = None
        self._lock = threading.Lock()
        self.cut = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"grpc://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, sent: int):
        """From now on the client gets so many bytes through; connections after the cut are whole again."""
        with self._lock:
            self._left = sent

    def stop(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            for source, target, is_client in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._forward, args=(source, target, is_client), daemon=True).start()

    def _allowed(self, size: int) -> int:
        with self._lock:
            if self._left is None:
                return size
            allowed = min(size, self._left)
            self._left -= allowed
            return allowed

    def _forward(self, source: socket.socket, target: socket.socket, is_client: bool):
        try:
            while data := source.recv(CHUNK):
                allowed = self._allowed(len(data)) if is_client else len(data)
                target.sendall(data[:allowed])
                if allowed < len(data):
                    with self._lock:
                        self._left = None
                    self.cut.set()
                    break
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
