"""Sets up a registry, and a promoter whose spec imports a model."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.sklearn import save_model
from sklearn.linear_model import LogisticRegression

from modelyard_runtime.models.loading import Models, load
from modelyard_runtime.promotion import imports, promoter
from modelyard_runtime.promotion.approvals import subject
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.lineage import content_digest
from modelyard_runtime.telemetry import reported
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.workload.records import Model, PromoterWorkload, Promotion, Workload
from tests.narrowing import present
from tests.runtime.described import completed, look_of, record
from tests.runtime.signing import Signer

NAME = "claims-triage"
ROWS = pd.DataFrame({"amount": [1.0, 2.0, 3.0, 4.0]})
FIRST, SECOND = [0, 0, 1, 1], [1, 1, 0, 0]
SERVED = {"registeredName": NAME, "alias": "champion", "uri": f"models:/{NAME}@champion", "history": f"{NAME}/aliases"}
ELSEWHERE: dict[str, Any] = {"name": "model", "serialization_format": "cloudpickle", "pip_requirements": []}


def bought(folder: Path, answers: list[int], **metadata: Any) -> Path:
    """Write the files of a model as a vendor would deliver them."""
    fitted = LogisticRegression().fit(ROWS, answers)
    save_model(fitted, str(folder), serialization_format="cloudpickle", pip_requirements=[], metadata=metadata or None)
    return folder


class Importing:
    """A registry, and a promoter whose spec imports a model."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, uri: str = "") -> None:
        self.file, self.told, self.folder = folder / "workload.json", list[Sample](), folder
        self.risk = Signer(folder, "risk")
        approvals = {"from": ["risk"], "minimum": 1, "groups": {"risk": {"sshKeys": [self.risk.line]}}}
        self.files = bought(folder / "bought", FIRST)
        model = {"name": "triage", "registeredName": NAME, "framework": "scikit-learn", "experiment": f"cards/{NAME}"}
        self.promotion: dict[str, Any] = {
            "model": {**model, "history": f"{NAME}/aliases", "card": {"purpose": "Sorts claims."}},
            "promoteTo": "champion",
            "approvals": approvals,
            "import": {"uri": f"file://{self.files}", "store": "lake", "digest": content_digest(self.files)},
        }
        self.described: dict[str, Any] = {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "Workload",
            "type": "promoter",
            "name": "promoter",
            "address": "promoter",
            "system": "cards",
            "environment": "prod",
            "registry": {"uri": uri or f"sqlite:///{folder}/registry.db"},
            "metrics": {"otlp": "http://127.0.0.1:9/api/v1/otlp/v1/metrics", "namespace": "cards"},
            "imports": {"triage": self.promotion},
        }
        monkeypatch.chdir(folder)
        monkeypatch.setenv("MODELYARD_WORKLOAD", str(self.file))
        monkeypatch.setattr(reported, "push", lambda _url, samples, *_: self.told.extend(samples))
        registry.connect(record(Workload, self.described))

    def name(self, **source: str) -> None:
        """Set the source of the imported model in the promoter's spec."""
        self.promotion["import"] = source

    def look(self) -> int:
        """Run one promoter pass."""
        self.told.clear()
        self.file.write_text(json.dumps(completed(PromoterWorkload, self.described)))
        return promoter.run()

    def bring(self) -> str:
        """Run only the part of a promoter pass that imports models."""
        return imports.import_model(
            look_of({**self.described, "pipeline": self.promotion, "trainedBy": "models.triage"})
        )

    def approve(self) -> None:
        """Approve the newest version of the imported model."""
        newest = max(registry.versions(NAME), key=lambda version: int(version.version))
        self.risk.approve(
            newest,
            subject(record(Workload, self.described), record(Promotion, self.promotion), newest.tags[DIGEST_TAG]),
        )

    def champion(self) -> str:
        """Return the version that the champion alias points to, or an empty string."""
        version = registry.version_at(NAME, "champion")
        return "" if version is None else version.version

    def served(self) -> list[int]:
        """Start a model server and return its predictions."""
        version = present(Models(record(Workload, self.described), record(Model, SERVED)).version())
        return [
            int(prediction)
            for prediction in load(record(Workload, self.described), record(Model, SERVED), version).predict(ROWS)
        ]

    def metric(self, name: str) -> float:
        """Return the most recently pushed value of a metric."""
        (sample,) = [candidate for candidate in self.told if candidate.name == name]
        assert {key: sample.labels[key] for key in ("model", "alias", "system", "namespace")} == {
            "model": "triage",
            "alias": "champion",
            "system": "cards",
            "namespace": "cards",
        }
        return sample.value


def versions() -> dict[str, str]:
    """Return the registered versions with their digests."""
    with suppress(MlflowException):
        return {version.version: version.tags[DIGEST_TAG] for version in registry.versions(NAME)}
    return {}
