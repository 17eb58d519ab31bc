"""Tests that readers never see a partial bundle, even after interruptions and data loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard_runtime.bundles import store as bundle_store
from modelyard_runtime.bundles.bundle import POINTER, VERSIONS, Broken, Pointer, pointer_to
from modelyard_runtime.bundles.store import current, fetch, publish, put_in_use, usable_bundle
from modelyard_runtime.storage.filesystem import Place, local
from tests.runtime.bundles import delivered, make_bundle


def pointed(where: Path) -> Pointer:
    """Return the pointer, stored in the given folder, to the current bundle."""
    pointer = current(local(where))
    assert pointer is not None
    return pointer


def test_delivered_bundle_is_fetched_completely(tmp_path: Path) -> None:
    """The disk keeps the newest bundle and its predecessor, which a server may still be loading."""
    store, disk = tmp_path / "store", tmp_path / "disk"
    folders: list[str] = []
    for version in ("1", "2", "3"):
        bundle = delivered(store, version)
        folder = fetch(local(store), pointed(store), disk)
        folders.append(folder.name)
        assert (folder / "model" / "weights.bin").read_bytes() == version.encode() * 1000
        assert usable_bundle(disk) == (pointer_to(bundle), folder)

    assert sorted(path.name for path in (disk / VERSIONS).iterdir()) == sorted(folders[1:])


def test_current_bundle_is_not_written_again(tmp_path: Path) -> None:
    delivered(tmp_path / "store")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")}
    publish(tmp_path / "made-store-1", local(tmp_path / "store"))

    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")} == before


def test_interrupted_delivery_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next delivery completes an interrupted one."""
    store = tmp_path / "store"
    first = delivered(store, "1")
    make_bundle(tmp_path / "second", "2")

    def lost(where: Place, pointer: Pointer) -> None:
        raise OSError("the link is down")

    with monkeypatch.context() as patched:
        patched.setattr(bundle_store, "put_in_use", lost)
        with pytest.raises(OSError, match="the link is down"):
            publish(tmp_path / "second", local(store))

    assert pointed(store) == pointer_to(first)
    assert publish(tmp_path / "second", local(store)) == pointed(store)


def test_bundle_with_wrong_files_is_not_used(tmp_path: Path) -> None:
    """If a new bundle has wrong files, the disk keeps its current bundle."""
    store, disk = tmp_path / "store", tmp_path / "disk"
    first = delivered(store, "1")
    fetch(local(store), pointed(store), disk)
    second = delivered(store, "2")
    (store / VERSIONS / second.folder / "model" / "weights.bin").write_bytes(b"3" * 1000)

    with pytest.raises(Broken, match=r"weights\.bin"):
        fetch(local(store), pointed(store), disk)
    on_disk = usable_bundle(disk)
    assert on_disk is not None
    assert on_disk[0] == pointer_to(first)
    assert len(list((disk / VERSIONS).iterdir())) == 1


def test_file_larger_than_declared_is_not_read_completely(tmp_path: Path) -> None:
    """Reading stops at the size declared in the manifest to bound memory use."""
    store = tmp_path / "store"
    bundle = delivered(store)
    (store / VERSIONS / bundle.folder / "model" / "weights.bin").write_bytes(b"1" * 1001)

    with pytest.raises(Broken, match="larger than 1000 bytes"):
        fetch(local(store), pointed(store), tmp_path / "disk")


def test_previous_bundle_survives_a_power_loss(tmp_path: Path) -> None:
    """A power loss leaves a truncated file and an empty pointer. The next fetch repairs both."""
    store, disk = tmp_path / "store", tmp_path / "disk"
    first = delivered(store, "1")
    fetch(local(store), pointed(store), disk)
    second = delivered(store, "2")
    folder = fetch(local(store), pointed(store), disk)
    (folder / "model" / "weights.bin").write_bytes(b"2" * 500)
    (disk / POINTER).write_bytes(b"")

    on_disk = usable_bundle(disk)
    assert on_disk is not None
    assert on_disk[0] == pointer_to(first)
    fetch(local(store), pointed(store), disk)
    assert usable_bundle(disk) == (pointer_to(second), folder)


def test_no_bundle_is_current_before_a_delivery(tmp_path: Path) -> None:
    assert current(local(tmp_path)) is None
    assert usable_bundle(tmp_path) is None
    put_in_use(local(tmp_path), Pointer("1-a", "1", "0"))
    assert usable_bundle(tmp_path) is None
