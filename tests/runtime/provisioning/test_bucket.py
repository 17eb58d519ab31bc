"""Tests creating a bucket, and writing and reading datasets, on an S3-compatible service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from moto.s3.responses import S3Response

from modelyard_runtime.provisioning.bucket import ensure_bucket
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.datasets import read_batches, read_frame, write_table
from modelyard_runtime.storage.filesystem import first_files, place, write_whole
from modelyard_runtime.workload.records import Dataset, Workload
from tests.moto.s3 import S3, s3
from tests.runtime.described import record


@pytest.fixture(scope="module")
def service() -> Iterator[S3]:
    """Run the service without buckets."""
    with s3([]) as running:
        yield running


@pytest.fixture
def client(service: S3) -> Any:
    """Return a client for the service."""
    return service.client


@pytest.fixture
def workload(service: S3, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Describe a store whose credentials come from two environment variables."""
    monkeypatch.setenv("LAKE_ID", "id")
    monkeypatch.setenv("LAKE_KEY", "key")
    opened = {"accessKeyIdEnv": "LAKE_ID", "secretAccessKeyEnv": "LAKE_KEY"}
    return {"stores": {"lake": {"uri": "s3://lake/", "endpoint": service.endpoint, "region": "us-east-1", **opened}}}


@pytest.fixture(params=["folder", "bucket"])
def base(request: pytest.FixtureRequest, client: Any, tmp_path: Path) -> str:
    """Return the URI of a folder with ten files and two subfolders, either on the local disk or in a bucket."""
    names = [*(f"{at}.json" for at in range(10)), "0/deep.json", "a/deep.json"]
    if request.param == "bucket":
        client.create_bucket(Bucket="lake")
        for name in (*names, ""):
            client.put_object(Bucket="lake", Key=f"some/{name}", Body=b"x")
        return "s3://lake/some/"
    for name in names:
        (tmp_path / "some" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "some" / name).write_bytes(b"x")
    return f"{(tmp_path / 'some').as_uri()}/"


def test_first_files_are_listed_up_to_a_limit(
    workload: dict[str, Any], base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listings are read page by page, so they may slightly exceed the limit. Subfolders are ignored."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    where = place(record(Workload, workload), base, "lake")
    names = [file.name for file in first_files(where, 4)]

    assert names == [f"{at}.json" for at in range(len(names))]
    assert 3 <= len(names) <= 5
    assert [file.name for file in first_files(where, 99)] == [f"{at}.json" for at in range(10)]
    assert [file.name for file in first_files(where, 99, after="7")] == [
        "7.json",
        "8.json",
        "9.json",
    ]
    (last,) = first_files(where, 99, after="8.json")
    assert abs(datetime.now(UTC) - last.modified) < timedelta(minutes=5)
    assert first_files(where.below("none"), 99) == []


def test_bucket_has_the_specified_settings(client: Any) -> None:
    """The command can be repeated. Retention is rounded up to whole days and also covers old object versions."""
    for _ in range(2):
        ensure_bucket(client, "kept", versioned=True, retention_s=86400 + 1, expire={})

    assert client.get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    (rule,) = client.get_bucket_lifecycle_configuration(Bucket="kept")["Rules"]
    assert rule["Expiration"] == {"Days": 2}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 2}


def test_captures_expire_in_their_folder(client: Any) -> None:
    """Captures expire in their own folder. If the bucket has its own retention, they can be restored for a month."""
    ensure_bucket(client, "captured", versioned=True, retention_s=86400, expire={"captures/scorer": 90})

    captures, everything = client.get_bucket_lifecycle_configuration(Bucket="captured")["Rules"]
    assert captures["Filter"] == {"Prefix": "captures/scorer/"}
    assert captures["Expiration"] == {"Days": 90}
    assert captures["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert everything["Filter"] == {"Prefix": ""}


def test_every_part_has_the_checksum_required_by_object_lock(
    client: Any, workload: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 requires part checksums with Object Lock (docs.aws.amazon.com/AmazonS3, PutObject, read 2026-11-25)."""
    trailers: list[str] = []
    upload_part = S3Response.upload_part

    def recorded(self: S3Response) -> Any:
        trailers.append(str(self.headers.get("x-amz-trailer")))
        return upload_part(self)

    monkeypatch.setattr(S3Response, "upload_part", recorded)
    ensure_bucket(client, "audit", versioned=True, retention_s=0, expire={})

    write_whole(place(record(Workload, workload), "s3://audit/captures/day=2026-01-01/one.parquet", "lake"), b"kept")

    assert trailers == ["x-amz-checksum-crc64nvme"]


def test_removed_settings_are_reset(client: Any) -> None:
    ensure_bucket(client, "changed", versioned=True, retention_s=86400, expire={})
    ensure_bucket(client, "changed", versioned=False, retention_s=0, expire={})

    assert client.get_bucket_versioning(Bucket="changed")["Status"] == "Suspended"
    with pytest.raises(client.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        client.get_bucket_lifecycle_configuration(Bucket="changed")


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_types_survive_writing_and_reading(client: Any, workload: dict[str, Any], kind: str) -> None:
    """Data that is read back has the schema's types, and a time window returns only the newest row."""
    ensure_bucket(client, "lake", versioned=False, retention_s=0, expire={})
    now = datetime.now(UTC)
    times = [now - timedelta(days=2), now - timedelta(minutes=1)]
    table = pa.table({"id": [1, 2], "amount": [1.5, 2.0], "at": times})
    schema = {"id": "integer", "amount": "number", "at": "timestamp"}
    dataset: dict[str, Any] = {"uri": f"s3://lake/{kind}", "store": "lake", "format": kind, "timestamp": "at"}
    dataset["schema"] = schema

    write_table(record(Workload, workload), record(Dataset, dataset), table, "part")

    assert read_frame(record(Workload, workload), record(Dataset, dataset))["amount"].tolist() == [1.5, 2.0]
    (newest,) = read_batches(
        record(Workload, workload), record(Dataset, dataset), since=now - timedelta(hours=1), until=now
    )
    assert newest["id"].tolist() == [2]


def test_missing_store_credentials_are_refused(workload: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the missing environment variable without showing any values."""
    monkeypatch.delenv("LAKE_KEY")

    with pytest.raises(Refusal, match="LAKE_KEY is not set"):
        read_frame(
            record(Workload, workload), record(Dataset, {"uri": "s3://lake/none", "store": "lake", "format": "parquet"})
        )
