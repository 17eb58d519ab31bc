"""Tests the driver of every storage protocol against the API of its service."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import fs

from modelyard_runtime.context import read_frame
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.storage.datasets import read_batches, write_table
from modelyard_runtime.storage.filesystem import (
    SCHEMES,
    Place,
    files,
    first_files,
    listed,
    make_folder,
    move,
    place_in,
    read_whole,
    reading,
    remove,
    remove_folder,
    write_whole,
)
from modelyard_runtime.storage.protocols import azure_access, gcs
from modelyard_runtime.training.checkpoints import FlatFileSystem
from modelyard_runtime.workload.records import Dataset, Store, Workload
from tests.runtime.described import record
from tests.runtime.storage.services import Gcs, Service

PAGES_OF_THEIR_OWN = ("s3:", "gs:")
"""Protocols whose page size tests cannot change: S3 always uses 1,000 names, and Google's emulator has no pages."""

_LARGE = bytes(range(256)) * 4 * 1024 * 24  # 24 MiB, several parts in every protocol


def content_of(where: Place) -> bytes:
    with reading(where) as stream:
        content: bytes = stream.read()
        return content


def names_of(entries: Sequence[Any], where: Place) -> set[str]:
    """Return paths relative to a store location. Folder paths end with a slash."""
    ends = {fs.FileType.Directory: "/"}
    return {entry.path.removeprefix(f"{where.path}/") + ends.get(entry.type, "") for entry in entries}


def test_other_clients_can_read_and_write(service: Service, where: Place, folder: str) -> None:
    write_whole(where.below("a", "b.json"), b"hello")
    service.put(f"{folder}/a/c.json", b"world")

    assert service.get(f"{folder}/a/b.json") == b"hello"
    assert content_of(where.below("a", "c.json")) == b"world"
    assert service.names(f"{folder}/") == [f"{folder}/a/b.json", f"{folder}/a/c.json"]


def test_listing_excludes_folders_with_the_same_prefix(service: Service, where: Place, folder: str) -> None:
    for name in ("a/1", "a/2", "a/deep/er/3", "ab/4", "a.json", "a-b"):
        service.put(f"{folder}/{name}", b"x")

    assert names_of(listed(where.below("a")), where) == {"a/1", "a/2", "a/deep/"}
    assert names_of(listed(where), where) == {"a/", "ab/", "a.json", "a-b"}
    below = [file for file in listed(where.below("a"), recursive=True) if file.type == fs.FileType.File]
    assert names_of(below, where) == {"a/1", "a/2", "a/deep/er/3"}
    assert [file.path for file in files(where.below("a"))] == [
        where.below(name).path for name in ("a/1", "a/2", "a/deep/er/3")
    ]


def test_dataset_is_one_file_or_a_folder_without_hidden_files(service: Service, where: Place, folder: str) -> None:
    for name in ("part.csv", "_staged.csv", ".hidden/part.csv"):
        service.put(f"{folder}/data/{name}", b"xy")

    (file,) = files(where.below("data"))
    (same,) = files(where.below("data", "part.csv"))

    assert file.path == same.path == where.below("data", "part.csv").path
    assert file.size == same.size == 2
    for info in (file, same):
        assert abs(datetime.now(UTC) - info.mtime) < timedelta(minutes=10)


def test_missing_files_and_folders_are_handled(where: Place) -> None:
    with pytest.raises(FileNotFoundError), reading(where.below("none.json")):
        pass
    remove(where.below("none.json"))

    assert listed(where.below("none")) == []
    assert listed(where.below("none"), recursive=True) == []
    assert files(where.below("none")) == []
    assert first_files(where.below("none"), 10) == []
    with pytest.raises(FileNotFoundError):
        read_whole(where.below("none.json"))
    remove_folder(where.below("none"))


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 70_000])
def test_small_file_is_read_up_to_a_limit(service: Service, where: Place, folder: str, content: bytes) -> None:
    service.put(f"{folder}/CURRENT", content)

    assert read_whole(where.below("CURRENT")) == content
    assert read_whole(where.below("CURRENT"), 5) == content[:5]


def test_file_is_replaced_by_longer_and_shorter_content(where: Place) -> None:
    file = where.below("state.json")
    for content in (b"first", b"second and longer", b"3", b""):
        write_whole(file, content)

        assert content_of(file) == content
    assert [info.size for info in files(where)] == [0]


def test_files_are_replaced_atomically(where: Place) -> None:
    """Readers never see a half-written file, since bundle pointers and monitor states may be read at any time."""
    file = where.below("CURRENT")
    contents = [bytes([65 + at]) * length for at, length in enumerate((200_000, 170_000))]
    write_whole(file, contents[0])
    done = threading.Event()
    seen: list[bytes] = []

    def read() -> None:
        while not done.is_set():
            seen.append(read_whole(file))

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            for at in range(30):
                write_whole(file, contents[at % 2])
        finally:
            done.set()
        reader.result()

    assert seen
    assert set(seen) <= set(contents)


def test_deletion_leaves_neighbouring_files(service: Service, where: Place, folder: str) -> None:
    for name in ("a/1", "a/2", "a/b/3", "ab/4"):
        service.put(f"{folder}/{name}", b"x")

    remove(where.below("a", "1"))
    assert names_of(files(where), where) == {"a/2", "a/b/3", "ab/4"}

    remove_folder(where.below("a"))
    assert names_of(files(where), where) == {"ab/4"}


def test_move_replaces_the_target(service: Service, where: Place, folder: str) -> None:
    for name in ("_staged", "final"):
        service.put(f"{folder}/{name}", name.encode())

    move(where.below("_staged"), where.below("final"))

    assert content_of(where.below("final")) == b"_staged"
    assert service.names(f"{folder}/") == [f"{folder}/final"]


def test_listing_reads_all_pages(service: Service, where: Place, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listings are read page by page.

    Real services return a thousand names at a time, and moto's page size is reduced to 50 here.
    """
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "50")
    names = [f"{at:05}.json" for at in range(120)]
    for name in names:
        service.put(f"{folder}/{name}", b"")

    assert sorted(file.base_name for file in listed(where)) == names
    assert [file.path.rpartition("/")[2] for file in files(where)] == names
    assert [file.name for file in first_files(where, 2000)] == names


def test_first_files_start_after_a_name(service: Service, where: Place, folder: str) -> None:
    """The first files after a given name are listed, excluding subfolders and their contents."""
    for name in ("1.json", "2.json", "2/deep.json", "3.json", "4.json"):
        service.put(f"{folder}/{name}", b"x")

    assert [file.name for file in first_files(where, 99)] == ["1.json", "2.json", "3.json", "4.json"]
    assert [file.name for file in first_files(where, 99, after="2.json")] == ["3.json", "4.json"]
    (last,) = first_files(where, 99, after="3.json")
    assert abs(datetime.now(UTC) - last.modified) < timedelta(minutes=10)
    assert [file.name for file in first_files(where, 1)][:1] == ["1.json"]


def test_first_files_do_not_depend_on_how_many_there_are(service: Service, where: Place, folder: str) -> None:
    for at in range(40):
        service.put(f"{folder}/{at:02}.json", b"")
        service.put(f"{folder}/{at:02}/deep.json", b"")

    for most in (1, 7, 30):
        names = [file.name for file in first_files(where, most)]
        assert names == [f"{at:02}.json" for at in range(len(names))]
        assert most // 2 <= len(names), "folders count as well"
        assert len(names) <= most + 1 or service.uri.startswith(PAGES_OF_THEIR_OWN)


def test_large_file_is_written_in_parts_and_read_at_an_offset(where: Place) -> None:
    file = where.below("large")
    make_folder(where)
    with where.filesystem.open_output_stream(file.path) as stream:
        for at in range(0, len(_LARGE), 1024 * 1024):
            stream.write(_LARGE[at : at + 1024 * 1024])

    assert content_of(file) == _LARGE
    with where.filesystem.open_input_file(file.path) as stream:
        assert stream.size() == len(_LARGE)
        assert stream.read_at(1000, 20_000_000) == _LARGE[20_000_000:20_001_000]
    write_whole(file, _LARGE[: len(_LARGE) // 2])
    assert content_of(file) == _LARGE[: len(_LARGE) // 2]


@pytest.mark.parametrize(
    "name",
    ["with space.csv", "größe-数.csv", "100%.csv", "a%20b.csv", "a+b=c.csv", "q?u#h&x.csv", "day=2026-01-01/x~y"],
)
def test_special_characters_in_names_are_kept(service: Service, where: Place, folder: str, name: str) -> None:
    write_whole(where.below(name), name.encode())

    assert service.get(f"{folder}/{name}") == name.encode()
    assert [file.path for file in files(where)] == [where.below(name).path]
    assert content_of(where.below(name)) == name.encode()
    move(where.below(name), where.below(f"{name}2"))
    assert service.names(f"{folder}/") == [f"{folder}/{name}2"]
    if "/" not in name:
        assert [file.name for file in first_files(where, 9)] == [f"{name}2"]
    remove(where.below(f"{name}2"))
    assert files(where) == []


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_dataset_is_written_and_read(service: Service, workload: Workload, folder: str, kind: str) -> None:
    uri = f"{service.uri}/{folder}/data"
    table = pa.table({"id": [1, 2], "amount": [1.5, 2.0]})
    for day in (1, 2):
        described = {"uri": f"{uri}/day={day}", "store": "lake", "format": kind}
        write_table(workload, record(Dataset, described), table, "part")

    dataset = record(Dataset, {"uri": f"{uri}/", "store": "lake", "format": kind})
    assert read_frame(workload, dataset)[["id", "amount", "day"]].to_numpy().tolist() == [
        [1, 1.5, 1],
        [2, 2.0, 1],
        [1, 1.5, 2],
        [2, 2.0, 2],
    ]
    assert sum(len(part) for part in read_batches(workload, dataset)) == 4
    assert len(service.names(f"{folder}/")) == 2


def test_place_can_be_pickled(where: Place) -> None:
    """A `Place` must be picklable because Ray sends it to workers."""
    same: Place = pickle.loads(pickle.dumps(where))
    write_whole(where.below("a"), b"here")

    assert content_of(same.below("a")) == b"here"
    assert [file.name for file in first_files(same, 9)] == ["a"]


def test_ray_checkpoints_are_stored_in_one_folder(service: Service, where: Place, folder: str) -> None:
    filesystem = fs.PyFileSystem(FlatFileSystem(where))
    base = f"{where.path}/training-1"
    make_folder(where)
    filesystem.create_dir(f"{base}/run/checkpoint", recursive=True)
    with filesystem.open_output_stream(f"{base}/run/checkpoint/model") as stream:
        stream.write(b"weights")

    assert service.names(f"{folder}/") == [f"{folder}/training-1~run~checkpoint~model"]
    assert filesystem.open_input_file(f"{base}/run/checkpoint/model").read() == b"weights"
    filesystem.move(f"{base}/run/checkpoint", f"{base}/run/moved")
    filesystem.delete_dir(f"{base}/run")
    assert service.names(f"{folder}/training") == []


def test_mlflow_stores_artifacts_in_the_store(
    service: Service, workload: Workload, folder: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MLFLOW_S3_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")  # so that the variable is restored afterwards
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "")
    for name in ("MLFLOW_S3_ENDPOINT_URL", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name)
    described = {"registry": {"uri": f"file://{tmp_path}/registry", "artifacts": "lake"}}
    registry.connect(record(Workload, {**described, "stores": {"lake": dict(service.store)}}))
    (tmp_path / "MLmodel").write_text("model")

    artifacts = get_artifact_repository(f"{service.uri}/{folder}/models")
    artifacts.log_artifact(str(tmp_path / "MLmodel"))
    artifacts.log_artifacts(str(tmp_path), "deep/er")

    assert service.get(f"{folder}/models/MLmodel") == b"model"
    assert [artifact.path for artifact in artifacts.list_artifacts()] == ["MLmodel", "deep"]
    (tmp_path / "fetched").mkdir()
    artifacts.download_artifacts("deep", str(tmp_path / "fetched"))
    assert (tmp_path / "fetched" / "deep" / "er" / "MLmodel").read_text() == "model"


@pytest.mark.parametrize("service", ["gcs"], indirect=True)
def test_google_listing_uses_a_start_offset(service: Service, where: Place, folder: str) -> None:
    """Listings send a start offset.

    The test checks the request itself, because the emulator ignores the offset.
    """
    assert isinstance(service, Gcs)
    first_files(where, 9, after="7.json")

    (request,) = [line for line in service.requests() if folder in line]
    assert f"startOffset={folder}%2F7.json" in request
    assert f"prefix={folder}%2F" in request
    assert "delimiter=%2F" in request


@pytest.mark.parametrize(
    "uri", ["file:///lake/x", "s3://lake/x", "gs://lake/x", "abfss://lake@acme.dfs.core.windows.net/x"]
)
def test_store_is_opened_without_any_cloud_library(uri: str) -> None:
    """Cloud libraries are imported on demand, since an image contains only those for its system's protocols."""
    program = (
        "import sys\n"
        "for name in ('boto3', 'botocore', 'google.cloud', 'google.auth', 'azure'):\n"
        "    sys.modules[name] = None\n"
        "from modelyard_runtime.storage.filesystem import place_in\n"
        "from modelyard_runtime.workload.records import Store\n"
        "place_in(Store(uri=sys.argv[1], endpoint='http://127.0.0.1:1'), sys.argv[1])\n"
    )
    identity = dict.fromkeys(("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"), "x")
    path = {**os.environ, **identity, "PYTHONPATH": os.pathsep.join(sys.path)}
    completed = subprocess.run(
        [sys.executable, "-c", program, uri], capture_output=True, text=True, check=False, env=path
    )

    assert completed.stderr == ""
    assert completed.returncode == 0


def test_unknown_scheme_is_refused() -> None:
    with pytest.raises(Refusal, match=r"az:// is not supported; supported: abfss://, file://, gs://, s3://"):
        place_in(Store(uri=""), "az://lake/x")
    assert SCHEMES == ("abfss://", "file://", "gs://", "s3://")


@pytest.mark.parametrize("uri", ["abfss://lake/x", "abfss://lake@acme/x", "abfss://@acme.dfs.core.windows.net/x"])
def test_an_address_without_an_account_is_refused(uri: str) -> None:
    with pytest.raises(Refusal, match="names no account"):
        place_in(Store(uri=""), uri)


@pytest.mark.parametrize("uri", ["s3://lake/x", "gs://lake/x", "abfss://lake@devstoreaccount1.dfs.core.windows.net/x"])
def test_unreachable_store_is_an_os_error(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All storage protocols raise the same error type, so callers can keep their data until the store is back."""
    monkeypatch.setattr(gcs, "_TRIED_FOR", timedelta(seconds=1))
    monkeypatch.setattr(azure_access, "_RETRIES", 0)
    for name in ("STORE_ID", "STORE_KEY"):
        monkeypatch.setenv(name, "a2V5")
    keys = {"accessKeyIdEnv": "STORE_ID", "secretAccessKeyEnv": "STORE_KEY", "accountKeyEnv": "STORE_KEY"}
    described = {"uri": uri, "endpoint": "http://127.0.0.1:1", "region": "us-east-1", **keys}
    closed = place_in(record(Store, described), uri)

    for request in (lambda: read_whole(closed), lambda: first_files(closed, 9)):
        with pytest.raises(OSError, match="does not respond"):
            request()
