"""Tests that a model from a bundle is updated while the store is reachable and otherwise keeps serving."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.bundles.bundle import POINTER, VERSIONS
from modelyard_runtime.bundles.store import publish
from modelyard_runtime.bundles.transfer import pack_current, unpack_into
from modelyard_runtime.models.loading import Models
from modelyard_runtime.registry.client import Version
from modelyard_runtime.storage.filesystem import place
from modelyard_runtime.workload.records import Model, Workload
from tests.narrowing import present
from tests.runtime.bundles import make_bundle
from tests.runtime.described import record
from tests.runtime.object_store import BUCKET, ObjectStore

URI = f"s3://{BUCKET}/mlflow/bundles/cards-fraud/champion"


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """Return an empty object store."""
    object_store = ObjectStore()
    yield object_store
    object_store.cut()


@pytest.fixture
def workload(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Describe a workload that has access to the store but has no registry."""
    return store.described(monkeypatch)


def model(disk: Path) -> dict[str, Any]:
    """Describe a model that is delivered as a bundle."""
    bundle = {"uri": f"{URI}/", "store": "artifacts", "cache": str(disk), "pollSeconds": 1}
    return {"registeredName": "cards-fraud", "uri": "models:/cards-fraud@champion", "alias": "champion"} | {
        "bundle": bundle
    }


def deliver(workload: dict[str, Any], folder: Path, version: str) -> None:
    """Promote a version and deliver its bundle, as on the registry's target."""
    make_bundle(folder / version, version)
    publish(folder / version, place(record(Workload, workload), URI, "artifacts"))


def number(version: Version | None) -> str | None:
    """Return the version's number, or None if there is no version."""
    return None if version is None else version.version


def test_delivery_writes_no_folder_markers(store: ObjectStore, workload: dict[str, Any], tmp_path: Path) -> None:
    """Delivery creates no folder markers, because a workload may write only below its own prefix."""
    deliver(workload, tmp_path, "1")

    prefix = "mlflow/bundles/cards-fraud/champion"
    assert [key.removeprefix(f"{prefix}/").partition("/")[0] for key in store.names()] == [POINTER] + [VERSIONS] * 3


def test_new_versions_are_loaded_while_the_store_is_reachable(workload: dict[str, Any], tmp_path: Path) -> None:
    models = Models(record(Workload, workload), record(Model, model(tmp_path / "disk")))
    loaded = [number(models.version())]
    for version in ("1", "2"):
        deliver(workload, tmp_path, version)
        loaded.append(number(models.version()))

    assert loaded == [None, "1", "2"]


def test_process_started_without_the_store_uses_the_last_bundle(
    store: ObjectStore, workload: dict[str, Any], tmp_path: Path
) -> None:
    """New versions are fetched once the store is reachable again.

    A bundle's age is measured from when the store was last reachable.
    """
    deliver(workload, tmp_path, "1")
    Models(record(Workload, workload), record(Model, model(tmp_path / "disk"))).version()
    deliver(workload, tmp_path, "2")
    store.cut()
    hour_ago = time.time() - 3600
    os.utime(tmp_path / "disk" / POINTER, (hour_ago, hour_ago))

    restarted = Models(record(Workload, workload), record(Model, model(tmp_path / "disk")))
    assert restarted.bundles is not None
    assert number(restarted.version()) == "1"
    assert 3600 <= restarted.bundles.age_s() < 3700
    store.mend()
    assert number(restarted.version()) == "2"
    assert restarted.bundles.age_s() < 60


def test_no_version_without_a_store_or_a_bundle(store: ObjectStore, workload: dict[str, Any], tmp_path: Path) -> None:
    store.cut()

    assert Models(record(Workload, workload), record(Model, model(tmp_path / "disk"))).version() is None


def test_bundle_carried_by_hand_is_used_while_the_store_is_unreachable(
    store: ObjectStore, workload: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle is packed using store credentials from the environment, and unpacked into a server's folder."""
    deliver(workload, tmp_path, "1")
    bundles = present(Models(record(Workload, workload), record(Model, model(tmp_path / "disk"))).bundles)
    bundles.renew()
    deliver(workload, tmp_path, "2")
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("AWS_ENDPOINT_URL", store.endpoint),
    ):
        monkeypatch.setenv(name, value)
    pack_current(URI, tmp_path / "stick.tar")
    store.cut()
    bundles.renew()
    assert number(bundles.version()) == "1"

    unpack_into(tmp_path / "stick.tar", str(tmp_path / "disk"))
    bundles.renew()
    assert number(bundles.version()) == "2"


def test_bundle_changed_in_the_store_is_not_used(store: ObjectStore, workload: dict[str, Any], tmp_path: Path) -> None:
    """If a bundle was tampered with in the store, the server keeps the previous one."""
    deliver(workload, tmp_path, "1")
    models = Models(record(Workload, workload), record(Model, model(tmp_path / "disk")))
    models.version()
    deliver(workload, tmp_path, "2")
    changed = next(key for key in store.names() if "/2-" in key and key.endswith("weights.bin"))
    store.client.put_object(Bucket=BUCKET, Key=changed, Body=b"3" * 1000)

    assert number(models.version()) == "1"


def test_bundle_contains_its_profiles(workload: dict[str, Any], tmp_path: Path) -> None:
    """Comparing data with a version that has no training data profiles is refused with a reason."""
    from modelyard_runtime.refusals import Refusal

    deliver(workload, tmp_path, "1")
    models = Models(record(Workload, workload), record(Model, model(tmp_path / "disk")))
    version = models.version()
    assert version is not None
    with pytest.raises(Refusal, match="nothing was stored about the training data"):
        models.profiles(version)
