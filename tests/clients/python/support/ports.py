"""Ports of this machine that nobody listens on."""

import socket


def free(count: int) -> list[int]:
    """Different free ports; held together until all are known."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
