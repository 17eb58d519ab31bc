"""Fixtures that provide a registry like a deployed system's, with an approved and served version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.promotion.history import PROMOTE
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import Workload
from tests.narrowing import present
from tests.runtime.attack.attacked import Yard
from tests.runtime.described import record
from tests.runtime.registries import (
    MODEL,
    TRAINER,
    Running,
    started,
)


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run one registry server for all attacks."""
    with started(tmp_path_factory.mktemp("attacked")) as server:
        yield server


@pytest.fixture
def yard(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    def connect(name: str) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", f"the password of {name}")
        registry.connect(record(Workload, {"registry": {"uri": running.url}}))

    monkeypatch.setenv("MODELYARD_WORKLOAD", str(tmp_path / "promoter.json"))
    return Yard(running, tmp_path, connect)


@pytest.fixture
def good(yard: Yard) -> registry.Version:
    """Return a served version approved by both groups, and leave the attacker logged in."""
    version = yard.train("approved")
    for signer in (yard.risk, yard.payments):
        signer.approve(version, yard.about(version.tags[DIGEST_TAG]))
    assert yard.look() == 0
    assert yard.served() == "approved"
    yard.connect(TRAINER)
    return registry.version(MODEL, version.version)


@pytest.fixture
def harmless(yard: Yard, good: registry.Version) -> Callable[[], None]:
    """Return a function that checks that an attack didn't affect the promoted and served version or history."""
    before = yard.moves()
    assert before[-1] == (PROMOTE, good.version)
    yard.connect(TRAINER)

    def check() -> None:
        yard.look()
        assert yard.moves() == before
        assert yard.served() == "approved"
        assert present(registry.version_at(MODEL, "champion")).version == good.version

    return check
