"""Tests Azure-specific storage features: Entra ID tokens and roles limited to folders."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.dataset as arrow_dataset
import pytest
from azure.core.exceptions import HttpResponseError
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.azure_data_lake_artifact_repo import AzureDataLakeArtifactRepository
from pyarrow import fs

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import azure_artifacts
from modelyard_runtime.storage.filesystem import (
    Place,
    files,
    first_files,
    listed,
    move,
    place_in,
    read_whole,
    remove,
    write_once,
    write_whole,
)
from modelyard_runtime.workload.records import Store
from tests.runtime.storage.azure_on_loopback.cloud import ACCOUNT, CONTAINER, KEY, Cloud, Mode, Pod
from tests.runtime.storage.azure_on_loopback.entra import HOST
from tests.runtime.storage.services import Azure, Service

pytestmark = pytest.mark.parametrize("service", ["azure"], indirect=True)

LAKE = f"abfss://{CONTAINER}@{ACCOUNT}.dfs.core.windows.net"
_LARGE = bytes(range(256)) * 4 * 1024 * 9  # 9 MiB, more than a block

In = Callable[[Pod], Place]


@pytest.fixture
def cloud(service: Service) -> Iterator[Cloud]:
    """Return the fake Azure with its default token lifetime, which tests may change."""
    assert isinstance(service, Azure)
    lifetime_s = service.cloud.entra.lifetime_s
    yield service.cloud
    service.cloud.entra.lifetime_s = lifetime_s
    service.cloud.front.unreachable.clear()


@pytest.fixture
def lake_in(monkeypatch: pytest.MonkeyPatch) -> In:
    """Return a function that opens the container like a process in a given Pod."""

    def opened(pod: Pod) -> Place:
        for name, value in pod.environment.items():
            monkeypatch.setenv(name, value)
        return place_in(Store(uri=LAKE), LAKE)

    return opened


def everything(place: Place) -> dict[str, Callable[[], object]]:
    """Return one request per storage operation on a folder and a file in it, keyed by operation."""
    file = place.below("file")
    return {
        "read": lambda: read_whole(file),
        "list": lambda: listed(place),
        "list all": lambda: files(place),
        "list first": lambda: first_files(place, 9),
        "look": lambda: place.filesystem.get_file_info(file.path),
        "stream": lambda: place.filesystem.open_input_stream(file.path),
        "write": lambda: write_whole(file, b""),
        "write once": lambda: write_once(file, b""),
        "write stream": lambda: place.filesystem.open_output_stream(file.path).close(),
        "move": lambda: move(file, place.below("other")),
        "remove": lambda: remove(file),
        "dataset": lambda: arrow_dataset.dataset([file.path], filesystem=place.filesystem, format="csv"),
    }


# tokens


def test_pod_without_an_identity_is_refused(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE", raising=False)
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")

    with pytest.raises(Refusal, match=r"AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE not set.*azure\.workload"):
        place_in(Store(uri=LAKE), LAKE)


def test_every_request_without_a_token_is_an_os_error(cloud: Cloud, lake_in: In) -> None:
    """A missing token is reported as an error, never as a missing file, and the process continues."""
    pod = cloud.pod("no-token", {"write": "none"})
    place = lake_in(pod).below("none")
    pod.token_file.unlink()

    for what, request in everything(place).items():
        with pytest.raises(OSError, match=r"there is no Azure token .*No such file") as caught:
            request()
        assert not isinstance(caught.value, FileNotFoundError), what


@pytest.mark.parametrize(
    ("subject", "options", "expected"),
    [
        ("system:serviceaccount:shop:other", {}, "AADSTS700213: No matching federated identity record"),
        ("", {"lifetime_s": -60}, "AADSTS700024: Client assertion is not within its valid time range"),
        ("", {"audience": "https://kubernetes.default.svc"}, "AADSTS700212: "),
    ],
    ids=["other account", "expired", "other audience"],
)
def test_reason_of_a_refused_token_is_reported(
    cloud: Cloud, lake_in: In, subject: str, options: dict[str, Any], expected: str
) -> None:
    pod = cloud.pod("refused", {"write": "refused"})
    pod.token_file.write_text(cloud.entra.service_account_token(subject or pod.subject, **options))

    with pytest.raises(OSError, match=f"there is no Azure token for .*{expected}"):
        read_whole(lake_in(pod).below("refused", "file"))


def test_unreachable_authority_is_an_os_error(cloud: Cloud, lake_in: In) -> None:
    """If Entra ID is unreachable, a Pod keeps its captures until it gets a token again."""
    pod = cloud.pod("offline", {"append": "captures"})
    file = lake_in(pod).below("captures", "file")
    cloud.front.unreachable.add(HOST)
    with pytest.raises(OSError, match="there is no Azure token"):
        write_once(file, b"rows")

    cloud.front.unreachable.clear()
    write_once(file, b"rows")

    assert cloud.container.download_blob("captures/file").readall() == b"rows"


def test_token_is_replaced_before_it_expires(cloud: Cloud, lake_in: In, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are valid for an hour. Azure's library requests a new one within the last five minutes."""
    file = lake_in(cloud.pod("refreshing", {"write": "refreshed"})).below("refreshed", "file")
    write_whole(file, b"1")
    issued, clock = cloud.entra.issued, time.time
    for minutes, more in ((54, 0), (56, 1), (180, 2)):
        monkeypatch.setattr(time, "time", lambda later=minutes * 60: clock() + later)

        assert read_whole(file) == b"1"
        assert cloud.entra.issued == issued + more


def test_token_that_azure_does_not_accept_is_reported(cloud: Cloud, lake_in: In) -> None:
    place = lake_in(cloud.pod("unknown", {"write": "unknown"})).below("unknown", "file")
    cloud.entra.sign_with_another_key()

    with pytest.raises(OSError, match=r"does not accept the login for .*failed to authenticate the request"):
        read_whole(place)


def test_one_token_serves_many_places(cloud: Cloud, lake_in: In) -> None:
    """One token is reused for many locations.

    Workloads open their stores repeatedly, and Entra ID limits the rate of token requests.
    """
    pod = cloud.pod("often", {"write": "often"})
    before = cloud.entra.issued
    for at in range(5):
        write_whole(lake_in(pod).below("often", str(at)), b"")

    assert cloud.entra.issued == before + 1


def test_account_key_opens_an_endpoint(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    for name, value in (("KEY", KEY), ("NO_PROXY", "127.0.0.1"), ("REQUESTS_CA_BUNDLE", str(cloud.authority))):
        monkeypatch.setenv(name, value)
    store = Store(uri=LAKE, endpoint=cloud.endpoint, account_key_env="KEY")
    place = place_in(store, f"{LAKE}/{folder}")
    write_whole(place.below("file"), b"here")
    move(place.below("file"), place.below("moved"))

    assert [file.base_name for file in files(place)] == ["moved"]


# roles


def test_role_is_limited_to_its_folder(cloud: Cloud, lake_in: In) -> None:
    """A role limited to one folder doesn't extend to a folder whose name merely shares its prefix."""
    for folder in ("mine", "mine2"):
        cloud.container.upload_blob(f"{folder}/file", b"x")
    lake = lake_in(cloud.pod("limited", {"write": "mine"}))

    assert read_whole(lake.below("mine", "file")) == b"x"
    for request in everything(lake.below("mine2")).values():
        with pytest.raises(PermissionError, match="AuthorizationPermissionMismatch: no role of this identity"):
            request()
    for where in (lake, lake.below("mine2")):
        with pytest.raises(PermissionError):
            listed(where)
    with pytest.raises(PermissionError):
        move(lake.below("mine", "file"), lake.below("mine2", "moved"))


def test_listings_name_a_folder_with_its_slash(cloud: Cloud, lake_in: In) -> None:
    lake = lake_in(cloud.pod("listing", {"read": "listed"}))
    before = len(cloud.front.requests)
    for request in (listed, files, lambda place: first_files(place, 9)):
        request(lake.below("listed"))

    listings = [line for line in cloud.front.requests[before:] if "comp=list" in line]
    assert len(listings) == 3
    assert all("prefix=listed%2F" in line for line in listings)


@pytest.mark.parametrize("mode", ["read", "write", "append"])
def test_each_mode_allows_its_requests(cloud: Cloud, lake_in: In, folder: str, mode: Mode) -> None:
    allowed = {
        "read": {"read", "list", "list all", "list first", "look", "stream", "dataset"},
        "write": set(everything(lake_in(cloud.pod("any", {"read": folder})))),
        "append": {"write once"},
    }
    cloud.container.upload_blob(f"{folder}/file", b"a,b\n")
    place = lake_in(cloud.pod(f"only-{mode}", {mode: folder})).below(folder)
    passed: set[str] = set()
    for what, request in everything(place).items():
        with suppress(PermissionError):
            request()
            passed.add(what)
        if mode == "write":
            cloud.container.upload_blob(f"{folder}/file", b"a,b\n", overwrite=True)

    assert passed == allowed[mode]


@pytest.mark.parametrize("content", [b"", _LARGE], ids=["empty", "large"])
def test_workload_that_only_adds_can_repeat_an_attempt(cloud: Cloud, lake_in: In, folder: str, content: bytes) -> None:
    """Permission to add blobs doesn't include uploading blocks, so even large files are sent in one request."""
    file = lake_in(cloud.pod("adding", {"append": folder})).below(folder, "rows.parquet")
    for _ in range(2):
        write_once(file, content)

    assert cloud.container.download_blob(f"{folder}/rows.parquet").readall() == content
    with pytest.raises(PermissionError, match="may add files, but not replace any"):
        write_whole(file, b"other")


def test_locked_blobs_are_not_overwritten(cloud: Cloud, lake_in: In, folder: str) -> None:
    """Under an immutability policy, a file is written only if no blob of that name exists yet."""
    cloud.container.upload_blob(f"{folder}/locked/rows.parquet", b"rows")
    file = lake_in(cloud.pod("locking", {"write": folder})).below(folder, "locked", "rows.parquet")

    with pytest.raises(OSError, match="immutable"):
        write_whole(file, b"other")
    write_once(file, b"other")

    assert read_whole(file) == b"rows"


# MLflow


@pytest.mark.parametrize("scheme", ["abfss", "wasbs"])
def test_mlflow_opens_artifacts_with_the_identity(
    cloud: Cloud, lake_in: In, folder: str, scheme: str, tmp_path: Path
) -> None:
    """With either URI scheme, MLflow's artifact client uses the Pod's identity and has no other access."""
    lake_in(cloud.pod("training", {"write": folder}))
    azure_artifacts.register()
    part = {"abfss": "dfs", "wasbs": "blob"}[scheme]
    address = f"{scheme}://{CONTAINER}@{ACCOUNT}.{part}.core.windows.net"
    (tmp_path / "MLmodel").write_text("model")

    get_artifact_repository(f"{address}/{folder}/models").log_artifact(str(tmp_path / "MLmodel"))

    assert cloud.container.download_blob(f"{folder}/models/MLmodel").readall() == b"model"
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        get_artifact_repository(f"{address}/other").log_artifact(str(tmp_path / "MLmodel"))


def test_mlflow_would_fail_at_the_other_address(cloud: Cloud, lake_in: In, folder: str, tmp_path: Path) -> None:
    """Only one address works for an account with soft delete and without a hierarchical namespace."""
    lake_in(cloud.pod("training", {"write": folder}))
    (tmp_path / "MLmodel").write_text("model")

    with pytest.raises(HttpResponseError, match="EndpointUnsupportedAccountFeatures"):
        AzureDataLakeArtifactRepository(f"{LAKE}/{folder}").log_artifact(str(tmp_path / "MLmodel"))


# files


def test_log_does_not_repeat_each_request(
    cloud: Cloud, lake_in: In, folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_whole(lake_in(cloud.pod("logging", {"write": folder})).below(folder, "file"), b"")

    assert [record.name for record in caplog.records if record.name.startswith("azure")] == []


def test_stream_is_visible_when_it_is_closed(cloud: Cloud, lake_in: In, folder: str) -> None:
    place = lake_in(cloud.pod("streaming", {"write": folder})).below(folder)
    for content in (_LARGE, b"", b"short"):
        stream = place.filesystem.open_output_stream(place.below("model").path)
        stream.write(content)
        remove(place.below("model"))
        assert files(place) == []
        stream.close()

        assert [file.size for file in files(place)] == [len(content)]
        assert read_whole(place.below("model")) == content


def test_stream_that_is_never_closed_leaves_nothing(cloud: Cloud, lake_in: In, folder: str) -> None:
    place = lake_in(cloud.pod("killed", {"write": folder})).below(folder)
    stream = place.filesystem.open_output_stream(place.below("model").path)
    stream.write(_LARGE)
    del stream

    assert files(place) == []


def test_file_that_is_replaced_while_it_is_read_is_an_error(cloud: Cloud, lake_in: In, folder: str) -> None:
    """Reading fails if a file is replaced in the meantime, so two versions are never mixed."""
    file = lake_in(cloud.pod("reading", {"write": folder})).below(folder, "data")
    write_whole(file, _LARGE)
    with file.filesystem.open_input_file(file.path) as stream:
        assert stream.read_at(10, 1000) == _LARGE[1000:1010]
        write_whole(file, _LARGE[::-1])
        with pytest.raises(OSError, match="was replaced while it was being read"):
            stream.read_at(10, 2000)


def test_folders_of_other_tools_are_no_files(cloud: Cloud, lake_in: In, folder: str) -> None:
    """Folders of other tools aren't treated as files.

    Some tools represent folders as empty blobs, and accounts with a hierarchical namespace have real ones.
    """
    cloud.container.upload_blob(f"{folder}/a", b"", metadata={"hdi_isfolder": "true"})
    for name in ("", "a/", "a/1"):
        cloud.container.upload_blob(f"{folder}/{name}", b"")
    place = lake_in(cloud.pod("folders", {"write": folder})).below(folder)

    assert [(file.base_name, file.type) for file in listed(place)] == [("a", fs.FileType.Directory)]
    assert [file.base_name for file in files(place)] == ["1"]
    assert place.filesystem.get_file_info(place.below("a").path).type == fs.FileType.Directory
    assert first_files(place, 9) == []
    place.filesystem.delete_dir(place.below("a").path)
    assert files(place) == []


FOREIGN = "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF"


def test_pod_of_another_cluster_has_the_identity_that_trusts_its_issuer(cloud: Cloud, lake_in: In, folder: str) -> None:
    place = lake_in(cloud.pod("foreign", {"write": folder}, FOREIGN)).below(folder)

    write_whole(place.below("a"), b"1")
    assert read_whole(place.below("a")) == b"1"
    with pytest.raises(PermissionError, match="AuthorizationPermissionMismatch"):
        read_whole(place.folder().below("b"))


def test_same_service_account_of_another_cluster_is_refused(cloud: Cloud, lake_in: In, folder: str) -> None:
    pod = cloud.pod("twin", {"read": folder}, FOREIGN)
    pod.token_file.write_text(cloud.entra.service_account_token(pod.subject))

    with pytest.raises(OSError, match="AADSTS700211"):
        read_whole(lake_in(pod).below(folder, "a"))
