"""Runs moto's server, an independent implementation of AWS, on loopback."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any
from urllib.request import Request, urlopen

_moto: Any = import_module("moto.moto_server.threaded_moto_server")  # moto has no types

logging.getLogger("werkzeug").setLevel(logging.ERROR)


class MotoServer:
    """A server on its own port, initially without resources. This process shares resources between all its servers."""

    def __init__(self) -> None:
        self._port = 0
        self.mend()
        ask("POST", f"{self.endpoint}/moto-api/reset", b"")

    @property
    def endpoint(self) -> str:
        """Return the URL of all services."""
        return f"http://127.0.0.1:{self._port}"

    def cut(self) -> None:
        """Make the server unreachable."""
        self._server.stop()

    def mend(self) -> None:
        """Make the server reachable again at the same address, with the same resources."""
        self._server: Any = _moto.ThreadedMotoServer("127.0.0.1", self._port, verbose=False)
        self._server.start()
        self._port = int(self._server.get_host_and_port()[1])


def ask(method: str, url: str, body: bytes) -> None:
    """Send a JSON request to a service, which must accept it."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    urlopen(Request(url, body, headers, method=method), timeout=60).close()
