"""Tests that scoring step pipelines have the right description, permissions, connections and alerts."""

from __future__ import annotations

import json
from typing import Any

import modelyard_schemas
from modelyard.plan import Access
from modelyard.validate import python_fits
from modelyard_targets.kube.workload.registry_access import described_access
from tests.compiler.planner.planned import identity, links
from tests.hybrid import described as described_at
from tests.hybrid import hybrid, hybrid_lowered
from tests.lowering import lowered
from tests.observed import alerts
from tests.plans import plan_of
from tests.scoring_step import SCORING
from tests.specs import VALID_SPEC


def described(text: str, name: str) -> Any:
    """Return a workload's description from its ConfigMap."""
    return json.loads(lowered(text).get("ConfigMap", f"{name}-description")["data"]["workload.json"])


def test_scoring_step_has_model_and_history() -> None:
    """The step's model entry equals that of a batch inference pipeline using the same alias."""
    step = described(SCORING, "report")["pipeline"]["steps"]["score"]

    assert step["model"] == described(SCORING, "nightly")["pipeline"]["model"]
    assert step["model"]["history"]
    assert (step["batchSize"], step["output"]) == (4096, "rated")
    assert not {"entrypoint", "trainer"} & step.keys()


def test_only_scoring_pipelines_have_access_to_the_model() -> None:
    """A pipeline with a scoring step gets access to the model and the registry."""
    before, after = plan_of(VALID_SPEC), plan_of(SCORING)
    model = Access("lake", "mlflow/models/fraud-fraud-xgb/", "read")

    assert model not in identity(before, "report").access
    assert model in identity(after, "report").access
    assert not links(before, "main:custom-job/report", "registry")
    assert links(after, "main:custom-job/report", "registry")
    assert "registry" not in described(VALID_SPEC, "report")
    assert described(SCORING, "report")["registry"] == described(SCORING, "nightly")["registry"]


def test_scoring_login_may_not_change_anything() -> None:
    """A scoring pipeline's login may not change models or experiments."""
    before, after = (described_access(lowered(text).context)["users"] for text in (VALID_SPEC, SCORING))

    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after["workload.report"] == {"experiments": [], "models": []}
    assert "workload.report" not in before


def test_skipped_files_raise_an_alert() -> None:
    by_name = {rule["alert"]: rule for rule in alerts(SCORING, "report")}

    assert "in rated" in by_name["ModelyardFilesRefused"]["annotations"]["description"]
    assert "ModelyardFilesRefused" not in {rule["alert"] for rule in alerts(VALID_SPEC, "report")}
    assert "metrics" in described(SCORING, "report")


def test_scoring_step_reads_a_bundle_without_the_registry() -> None:
    """On a target without registry access, the step reads the bundle written during promotion."""
    text = (
        hybrid()
        .replace(
            "pipelines:\n",
            "pipelines:\n  plan: {type: custom, target: shop, inputs: [sales], compute: {cpu: 1, memory: 2Gi}, "
            "steps: {score: {model: theft@candidate, output: planned}}}\n",
            1,
        )
        .replace("data:\n", "data:\n  planned: {store: lake, path: planned/, format: parquet}\n", 1)
    )
    shop = hybrid_lowered(text)
    model = described_at(shop, "plan")["pipeline"]["steps"]["score"]["model"]
    main = described_at(hybrid_lowered(text, "main"), "promoter")["promotions"]["retrain"]["model"]

    assert model["bundle"]["uri"].endswith("/candidate/")
    assert model["bundle"]["uri"] in json.dumps(main)
    assert "registry" not in described_at(shop, "plan")


def test_description_matches_the_schema() -> None:
    schema = json.loads(modelyard_schemas.text("workload"))

    assert python_fits(schema)(schema, described(SCORING, "report"))
