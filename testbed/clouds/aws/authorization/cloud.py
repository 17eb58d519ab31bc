"""Runs moto behind the guard in this process."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch
from urllib.request import Request, urlopen

from testbed.clouds.aws.authorization.guard import Guard, guarded

_server: Any = import_module("moto.server")
_access: Any = import_module("moto.iam.access_control")
_s3: Any = import_module("moto.s3.models")

logging.getLogger("werkzeug").setLevel(logging.ERROR)


@contextmanager
def guarded_cloud(region: str) -> Generator[tuple[str, Guard]]:
    """Start an empty moto. Yields its own address, where no policy applies, and a guard that enforces policies.

    moto ignores conditions in bucket policies, so a policy that denies requests without TLS would deny all requests.
    Bucket policies are therefore only evaluated by the guard.
    """
    server = _server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    neutral = _access.PermissionResult.NEUTRAL
    with patch.object(_s3.FakeBucket, "get_permission", lambda *_: neutral):
        server.start()
        try:
            host, port = server.get_host_and_port()
            moto = f"http://{host}:{port}"
            urlopen(Request(f"{moto}/moto-api/reset", method="POST"), timeout=30).close()
            with guarded(moto, region) as guard:
                yield moto, guard
        finally:
            server.stop()
