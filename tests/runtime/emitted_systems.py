"""Sets up the AWS systems from the golden files and fills the datasets their workloads read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from modelyard_runtime.workload.description import section, sections, text
from tests.runtime.emitted_roles import Account, pods

NOW = datetime.now(UTC)  # labels and windows are relative to the present
PODS = tuple(pods())
ROWS = 60
SYSTEMS = tuple(dict.fromkeys(pod.system for pod in PODS))


class System:
    """An emitted system on AWS, with data in its stores."""

    def __init__(self, account: Account, name: str, folder: Path) -> None:
        self.account = account
        self.pods = tuple(pod for pod in PODS if pod.system == name)
        self.folder = folder
        for pod in self.pods:
            for dataset in read_by(pod.workload()).values():
                self._seed(dataset)

    def running(self, *types: str) -> Iterator[dict[str, Any]]:
        """Yield each description of the given workload types while that workload's credentials are active."""
        for pod in self.pods:
            if pod.workload()["type"] in types:
                with self.account.running(pod, self.folder) as workload:
                    yield workload

    def put(self, uri: str, content: bytes) -> None:
        """Write an object to a bucket."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.account.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def names(self) -> set[str]:
        """Return the names of all objects in all buckets."""
        s3 = self.account.client("s3")
        buckets = [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
        listed = [(entry, s3.list_objects_v2(Bucket=entry).get("Contents", ())) for entry in buckets]
        return {f"{bucket}/{each['Key']}" for bucket, contents in listed for each in contents}

    def _seed(self, dataset: Any) -> None:
        frame, uri, kind = _rows(dataset), text(dataset, "uri").rstrip("/"), text(dataset, "format")
        for day, part in (("day=2026-11-23", frame[:30]), ("day=2026-11-24", frame[30:])):
            stream = BytesIO()
            part.to_parquet(stream, row_group_size=10) if kind == "parquet" else part.to_csv(stream, index=False)
            self.put(f"{uri}/{day}/a.{kind}", stream.getvalue())
        self.put(f"{uri}-raw/a.{kind}", b"nobody declared this")


def read_by(workload: Any) -> dict[str, Any]:
    """Return the datasets that a workload reads, except those it writes itself."""
    part = section(workload, "pipeline") or section(workload, "monitor")
    written = {text(part, "output"), *(text(step, "output") for step in sections(part, "steps").values())}
    return {name: dataset for name, dataset in sections(part, "data").items() if name not in written}


def _rows(dataset: Any) -> pd.DataFrame:
    """Generate rows with a dataset's declared columns plus a join column."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"id": np.arange(ROWS)})
    for name in dataset.get("features", ()):
        frame[name] = random.normal(size=ROWS)
    if text(dataset, "label"):
        frame[text(dataset, "label")] = random.integers(0, 2, ROWS)
        if not dataset.get("features"):
            frame["plain"] = random.normal(size=ROWS)
    if text(dataset, "timestamp"):
        ages = [timedelta(days=60 if number % 2 else 0, minutes=number) for number in range(ROWS)]  # half have labels
        frame[text(dataset, "timestamp")] = [NOW - age for age in ages]
    for name, kind in section(dataset, "schema").items():
        if name not in frame:
            frame[name] = [f"{number}" for number in range(ROWS)] if kind == "string" else random.normal(size=ROWS)
    return frame
