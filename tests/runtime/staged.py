"""A registry whose versions go live in stages, and a promoter with an adjustable clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pytest

from modelyard_runtime.promotion import promoter
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG
from modelyard_runtime.promotion.soak import Judged, witness
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.lineage import WORKLOAD_TAG
from modelyard_runtime.telemetry import reported
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.workload.records import MonitorWorkload, PromoterWorkload, Workload
from tests.runtime.described import completed, record

NAME = "cards-fraud"
DAY = timedelta(days=1)
CANDIDATE: dict[str, Any] = {"model": {"name": "fraud", "registeredName": NAME}, "promoteTo": "candidate"}
SOAK = {"seconds": 7 * 86400, "monitor": "labels", "minRows": 50, "takeBack": False}
CHAMPION: dict[str, Any] = {**CANDIDATE, "promoteTo": "champion", "after": "candidate"}


class Yard:
    """A registry, its promoter, and the metrics that the promoter pushed last."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file, self.told = folder / "workload.json", list[Sample]()
        self.described: dict[str, Any] = {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "Workload",
            "type": "promoter",
            "name": "promoter",
            "address": "promoter",
            "system": "cards",
            "environment": "prod",
            "registry": {"uri": f"file://{folder}/registry"},
            "metrics": {"otlp": "http://127.0.0.1:9/api/v1/otlp/v1/metrics", "namespace": "cards"},
            "promotions": {"retrain": CANDIDATE},
            "stages": {"fraud.champion": CHAMPION},
        }
        monkeypatch.setenv("MODELYARD_WORKLOAD", str(self.file))
        monkeypatch.setattr(reported, "push", lambda _url, samples, *_: self.told.extend(samples))
        registry.connect(record(Workload, self.described))
        mlflow.MlflowClient().create_registered_model(NAME)
        mlflow.set_experiment("stages")

    def ask(self, **more: Any) -> None:
        """Change the requirements for the champion stage."""
        self.described["stages"] = {"fraud.champion": {**CHAMPION, **more}}

    def train(self, **tags: str) -> registry.Version:
        """Register a version whose gate has passed, as the training pipeline does."""
        with mlflow.start_run() as run:
            mlflow.log_text(f"weights of {run.info.run_id}", "model/weights.txt")
            uri = mlflow.get_artifact_uri("model")
        created = mlflow.MlflowClient().create_model_version(NAME, uri, run_id=run.info.run_id)
        version = registry.version(NAME, str(created.version))
        own = {DIGEST_TAG: digest_of(version.uri), WORKLOAD_TAG: "pipelines.retrain", GATE_TAG: "held"}
        registry.tag(version, {**own, **tags})
        return registry.version(NAME, version.version)

    def look(self, after: timedelta = timedelta(0)) -> dict[str, str]:
        """Run one promoter pass `after` some time from now, and return the version each alias points to."""
        self.told.clear()
        self.file.write_text(json.dumps(completed(PromoterWorkload, self.described)))
        assert promoter.run(datetime.now(UTC) + after) == 0
        versions = {alias: registry.version_at(NAME, alias) for alias in ("candidate", "champion")}
        return {alias: version.version for alias, version in versions.items() if version is not None}

    def metric(self, name: str) -> float:
        """Return the value that was last pushed for a metric of the champion stage."""
        return next(
            sample.value for sample in self.told if sample.name == name and sample.labels.get("alias") == "champion"
        )

    def judge(self, after: timedelta, version: str, judged: Judged) -> None:
        """Record the given soak result for a version, as a monitor pass would."""
        model = {**CANDIDATE["model"], "alias": "candidate", "variant": "next"}
        watching: dict[str, Any] = {
            **self.described,
            "address": "monitors.labels",
            "monitor": {"soaks": ["next"], "models": [model]},
        }
        witness(record(MonitorWorkload, watching), {(f"{NAME}@candidate", version): judged}, datetime.now(UTC) + after)
