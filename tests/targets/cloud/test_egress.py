"""Tests that `egress` on a cloud limits the spec's own addresses, and that it is reported where it limits nothing."""

from __future__ import annotations

import pytest

from tests.diagnosing import Question, examine

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: mini}
governance: {owner: {team: fresh, email: fresh@acme.example}}
deployment: {mode: cloud, provider: %s, region: %s, egress: [10.99.0.0/16]}
stores: {lake: {type: object}}
data: {x: {store: lake, path: x, format: parquet, label: y}}
pipelines: {t: {type: custom, inputs: [x], source: {entrypoint: "a.b:c"}, compute: {cpu: 1, memory: 2Gi}}}
"""
OUTSIDE = """\
registry: {adopt: "https://mlflow.acme.example"}
models: {gaps: {task: binary-classification, framework: xgboost}}
"""
TRAINING = SPEC.replace(
    'type: custom, inputs: [x], source: {entrypoint: "a.b:c"}', "type: training, model: gaps, inputs: [x]"
)


@pytest.mark.parametrize(
    ("provider", "region"), [("aws", "eu-central-1"), ("gcp", "europe-west4"), ("azure", "westeurope")]
)
def test_ranges_that_limit_nothing_are_reported(provider: str, region: str) -> None:
    """A range opens nothing by itself. The ports come from the spec's addresses, e.g. the registry's."""
    idle = [each.code for each in examine(Question(SPEC % (provider, region)))]
    limiting = [each.code for each in examine(Question(TRAINING % (provider, region) + OUTSIDE))]

    assert idle.count("W0634") == 1
    assert "W0634" not in limiting
