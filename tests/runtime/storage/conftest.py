"""Starts one service per storage protocol, giving each test its own folder.

If a service can't run here, its tests fail with the reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from modelyard_runtime.storage.filesystem import Place, place
from modelyard_runtime.workload.records import Workload
from testbed import npm
from tests.runtime.described import record
from tests.runtime.storage import services
from tests.runtime.storage.services import Service

_SERVICES = {"s3": services.s3, "gcs": services.gcs, "azure": services.azure, "disk": services.disk}


@pytest.fixture(scope="session", params=sorted(_SERVICES))
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a storage service. Every test runs once with each of them."""
    kind = str(request.param)
    missing = npm.missing_for_azure() if kind == "azure" else []
    if missing:
        pytest.fail(f"Azure's Blob Storage cannot run here: {'; '.join(missing)}")
    with ExitStack() as stack:
        yield stack.enter_context(_SERVICES[kind](tmp_path_factory.mktemp(kind)))


@pytest.fixture
def folder() -> str:
    """Return a folder used by only one test."""
    return uuid.uuid4().hex


@pytest.fixture
def workload(service: Service, monkeypatch: pytest.MonkeyPatch) -> Workload:
    """Describe the service's store for a workload and set its credentials in the environment."""
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    return record(Workload, {"stores": {"lake": dict(service.store)}})


@pytest.fixture
def where(service: Service, workload: Workload, folder: str) -> Place:
    """Return the folder as a `Place`, the runtime's type for store locations."""
    return place(workload, f"{service.uri}/{folder}/", "lake")
