"""Starts one service per storage protocol. Tests of a service that cannot run here fail, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from testbed import npm
from tests.runtime.storage import services
from tests.runtime.storage.services import Service

_SERVICES = {"s3": services.s3, "gcs": services.gcs, "azure": services.azure, "disk": services.disk}


@pytest.fixture(scope="session", params=sorted(_SERVICES))
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return each service in turn."""
    kind = str(request.param)
    missing = npm.missing_for_azure() if kind == "azure" else []
    if missing:
        pytest.fail(f"Azure's Blob Storage cannot run here: {'; '.join(missing)}")
    with ExitStack() as stack:
        yield stack.enter_context(_SERVICES[kind](tmp_path_factory.mktemp(kind)))
