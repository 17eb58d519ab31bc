"""Tests that descriptions are decoded into records, and that errors name the path of the invalid value."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.decode import decode
from modelyard_runtime.workload.records import Approvals, Capture, Dataset, Model, Pipeline, Step

STEP: dict[str, Any] = {
    "needs": [],
    "inputs": ["rows"],
    "workers": {"min": 1, "max": 2},
    "resources": {"cpus": 2, "gpus": 0, "group": "group-a"},
    "parameters": {"depth": 3, "nested": {"any": [1, None]}},
    "retries": 1,
    "timeoutSeconds": 60,
}
PIPELINE: dict[str, Any] = {
    "steps": {"train": STEP},
    "data": {"rows": {"uri": "file:///rows", "format": "parquet", "features": ["a", "b"]}},
    "timeoutSeconds": 3600,
}


def test_keys_become_fields() -> None:
    pipeline = decode(Pipeline, PIPELINE)

    assert pipeline.timeout_seconds == 3600
    assert pipeline.data["rows"].features == ("a", "b")
    assert pipeline.steps["train"].workers.max == 2


def test_reserved_names_end_in_an_underscore() -> None:
    approvals = decode(Approvals, {"from": ["risk"], "minimum": 1, "groups": {"risk": {"sshKeys": ["key"]}}})

    assert approvals.from_ == ("risk",)
    assert approvals.groups["risk"].ssh_keys == ("key",)


def test_absent_fields_have_defaults() -> None:
    dataset = decode(Dataset, {"uri": "file:///rows", "format": "csv"})

    assert (dataset.label, dataset.features, dataset.delay_seconds, dict(dataset.schema)) == ("", (), 0, {})
    assert decode(Pipeline, PIPELINE).tuning is None


def test_parameters_are_unchanged() -> None:
    assert decode(Step, STEP).parameters == STEP["parameters"]


def test_integers_are_accepted_as_numbers() -> None:
    assert isinstance(decode(Capture, {"uri": "file:///c", "store": "", "fraction": 1}).fraction, float)


def test_record_keeps_its_json_when_pickled() -> None:
    """A Ray worker must get the same JSON as the driver, because its hashes are compared with the compiler's."""
    pipeline = pickle.loads(pickle.dumps(decode(Pipeline, PIPELINE)))

    assert pipeline.source == PIPELINE
    assert pipeline.steps["train"].source == STEP
    assert pipeline == decode(Pipeline, PIPELINE)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"timeoutSecond": 1}, "pipeline.timeoutSecond is unknown; did you mean 'timeoutSeconds'?"),
        ({"colour": "red"}, "pipeline.colour is unknown$"),
        ({"data": []}, r"pipeline.data is \[\], but must be a mapping"),
        ({"promoteTo": 3}, "pipeline.promoteTo is 3, but must be text"),
        ({"timeoutSeconds": "1h"}, "pipeline.timeoutSeconds is '1h', but must be a whole number"),
        ({"timeoutSeconds": True}, "pipeline.timeoutSeconds is True, but must be a whole number"),
        ({"checks": "auc"}, "pipeline.checks is 'auc', but must be a list"),
        ({"steps": {"train": {**STEP, "needs": [1]}}}, r"pipeline.steps.train.needs\[0\] is 1, but must be text"),
        ({"steps": {"train": {**STEP, "workers": {"min": 1}}}}, "pipeline.steps.train.workers.max is missing"),
        ({"model": None}, "pipeline.model is None, but must be a mapping"),
    ],
)
def test_invalid_value_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refusal, match=why):
        decode(Pipeline, {**PIPELINE, **changes}, "pipeline")


def test_first_missing_field_is_named() -> None:
    with pytest.raises(Refusal, match="registeredName is missing"):
        decode(Model, {"name": "fraud"})
