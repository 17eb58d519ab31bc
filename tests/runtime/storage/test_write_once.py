"""Tests that write-once files can be retried, even where files must not be overwritten."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard_runtime.storage.filesystem import Place, place_in, write_once, write_whole
from modelyard_runtime.workload.records import Store
from tests.runtime.storage.services import Service

_LARGE = bytes(range(256)) * 4 * 1024 * 24  # 24 MiB, several parts in every protocol


@pytest.mark.parametrize("content", [b"", b"rows", _LARGE], ids=["empty", "small", "large"])
def test_an_attempt_to_add_a_file_can_be_repeated(service: Service, where: Place, folder: str, content: bytes) -> None:
    for _ in range(2):
        write_once(where.below("locked", "rows.parquet"), content)

    assert service.get(f"{folder}/locked/rows.parquet") == content
    assert service.names(f"{folder}/") == [f"{folder}/locked/rows.parquet"]


@pytest.mark.parametrize("service", ["gcs"], indirect=True)
def test_google_refuses_to_overwrite_retained_objects(service: Service, where: Place, folder: str) -> None:
    """Under a retention policy, overwriting an object fails with a 403, so files are written only if they are new."""
    service.put(f"{folder}/locked/rows.parquet", b"rows")

    with pytest.raises(OSError, match="retention"):
        write_whole(where.below("locked", "rows.parquet"), b"other")
    write_once(where.below("locked", "rows.parquet"), b"other")

    assert service.get(f"{folder}/locked/rows.parquet") == b"rows"


@pytest.mark.parametrize(
    ("message", "exists"),
    [
        ("caller does not have storage.objects.delete access to the Google Cloud Storage object", True),
        ("Object 'lake/a' is subject to bucket's retention policy and cannot be overwritten", True),
        ("caller does not have storage.objects.create access to the Google Cloud Storage object", False),
    ],
)
def test_google_may_check_rights_before_the_condition(
    message: str, exists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 403 about permission to delete means that the object exists. A 403 about permission to create is an error."""
    from google.api_core.exceptions import Forbidden
    from google.cloud.storage import Blob

    def refuse(*_: Any, **__: Any) -> None:
        raise Forbidden(message)

    monkeypatch.setattr(Blob, "upload_from_string", refuse)
    file = place_in(Store(uri="gs://lake/", endpoint="http://127.0.0.1:9"), "gs://lake/a")

    if exists:
        write_once(file, b"rows")
    else:
        with pytest.raises(PermissionError, match=r"storage\.objects\.create"):
            write_once(file, b"rows")
