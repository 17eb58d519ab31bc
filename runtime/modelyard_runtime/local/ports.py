"""Ports of this machine."""

from __future__ import annotations

import socket

_TRIED = 50


def free_port(wanted: int, taken: frozenset[int] = frozenset()) -> int:
    """Return the wanted port or the first free one after it. If none is, the kernel chooses."""
    for port in (*range(wanted, wanted + _TRIED), 0):
        if port in taken:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(listener.getsockname()[1])
    raise OSError(f"no port is free on 127.0.0.1, from {wanted}")
