"""What each workload reads and writes on AWS goes through with the role that is emitted for it, and nothing more does.

Policies are evaluated in front of moto, conditions included, and missing keys are answered as S3 documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.batch import Piece, read_marker
from modelyard_runtime.bundle_store import current
from modelyard_runtime.datasets import dataset_place, read_batches, read_frame
from modelyard_runtime.description import section, sections, text
from modelyard_runtime.lineage import fingerprint
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage import place
from tests.runtime.emitted_roles import Account, account, pods

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PODS = tuple(pods())
ROWS = 60


SYSTEMS = tuple(dict.fromkeys(pod.system for pod in PODS))


class System:
    """A system on AWS with data in its stores."""

    def __init__(self, account: Account, name: str, folder: Path) -> None:
        self.account = account
        self.pods = tuple(pod for pod in PODS if pod.system == name)
        self._folder = folder
        for pod in self.pods:
            for dataset in _read_by(pod.workload()).values():
                self._seed(dataset)

    def running(self, *types: str) -> Iterator[dict[str, Any]]:
        """The descriptions of its workloads of these types, each while its own credentials are used."""
        for pod in self.pods:
            if pod.workload()["type"] in types:
                with self.account.running(pod, self._folder) as workload:
                    yield workload

    def put(self, uri: str, content: bytes) -> None:
        """An object that somebody else wrote."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.account.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def names(self) -> set[str]:
        """Every object of every bucket."""
        s3 = self.account.client("s3")
        buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
        listed = [(one, s3.list_objects_v2(Bucket=one).get("Contents", ())) for one in buckets]
        return {f"{bucket}/{each['Key']}" for bucket, found in listed for each in found}

    def _seed(self, dataset: Any) -> None:
        frame, uri, kind = _rows(dataset), text(dataset, "uri").rstrip("/"), text(dataset, "format")
        for day, part in (("day=2026-11-23", frame[:30]), ("day=2026-11-24", frame[30:])):
            stream = BytesIO()
            part.to_parquet(stream) if kind == "parquet" else part.to_csv(stream, index=False)
            self.put(f"{uri}/{day}/a.{kind}", stream.getvalue())
        self.put(f"{uri}-raw/a.{kind}", b"nobody declared this")


def _read_by(workload: Any) -> dict[str, Any]:
    """The datasets that a workload reads."""
    part = section(workload, "pipeline") or section(workload, "monitor")
    written = {text(part, "output"), *(text(step, "output") for step in sections(part, "steps").values())}
    return {name: one for name, one in sections(part, "data").items() if name not in written}


def _rows(dataset: Any) -> pd.DataFrame:
    """Rows with the columns that a dataset declares, and one by which several are joined."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"id": np.arange(ROWS)})
    for name in dataset.get("features", ()):
        frame[name] = random.normal(size=ROWS)
    if text(dataset, "label"):
        frame[text(dataset, "label")] = random.integers(0, 2, ROWS)
        if not dataset.get("features"):
            frame["amount"] = random.normal(size=ROWS)
    if text(dataset, "timestamp"):
        frame[text(dataset, "timestamp")] = [NOW - timedelta(minutes=int(one)) for one in np.arange(ROWS)]
    for name, kind in section(dataset, "schema").items():
        if name not in frame:
            frame[name] = [f"{one}" for one in range(ROWS)] if kind == "string" else random.normal(size=ROWS)
    return frame


@pytest.fixture(params=[True, False], ids=["prefix counts", "prefix does not count"])
def reading(request: pytest.FixtureRequest, system: System) -> Iterator[None]:
    """Both readings of what S3 answers about a missing key to a workload that may only list its folders."""
    authorizer = system.account.guard.authorizer
    authorizer.prefix_counts = request.param
    yield
    authorizer.prefix_counts = True


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Each of the systems in an account of its own."""
    with account(request.param) as found:
        yield System(found, request.param, tmp_path_factory.mktemp("system"))


@pytest.mark.usefixtures("reading")
def test_every_dataset_is_read(system: System) -> None:
    """A folder with folders in it: whole, part by part, and as the state that lineage keeps."""
    for workload in system.running("training", "batch-inference", "monitor"):
        for dataset in _read_by(workload).values():
            assert len(read_frame(workload, dataset)) == ROWS
            assert sum(len(part) for part in read_batches(workload, dataset)) == ROWS
            assert fingerprint(workload, dataset).startswith("files=2 ")
    assert system.account.guard.refused == []


@pytest.mark.usefixtures("reading")
def test_what_is_missing_is_reported_as_such(system: System) -> None:
    """A dataset, the marker of a piece, and what is in use of a model."""
    for workload in system.running("training", "batch-inference"):
        for dataset in _read_by(workload).values():
            with pytest.raises(Refusal, match="nothing lies at"):
                read_frame(workload, {**dataset, "uri": f"{dataset['uri'].rstrip('/')}/none"})
        data, output = sections(section(workload, "pipeline"), "data"), text(section(workload, "pipeline"), "output")
        if output:
            piece = Piece("a", "a/b.parquet", "1-1", "b.parquet.scored.parquet")
            assert read_marker(dataset_place(workload, data[output]), piece) is None
    for workload in system.running("server"):
        for one in workload["applications"].values():
            if "bundle" in one["model"]:
                described = one["model"]["bundle"]
                assert current(place(workload, described["uri"], described["store"])) is None
