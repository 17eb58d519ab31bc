"""Tests that regions are listed nearest first, and that hints only name regions where the data is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import modelyard.checks
from modelyard.checks.regions import regions
from tests.diagnosing import Question, examine

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: scans}
governance: {owner: {team: radiology, email: radiology@acme.example}, residency: RESIDENCY}
deployment: {mode: cloud, provider: PROVIDER, region: REGION}
registry: {adopt: "https://mlflow.acme.example"}
stores: {lake: {type: object}}
compute: {gpu: {cpu: 4, memory: 16Gi, accelerators: ACCELERATOR}}
data: {scans: {store: lake, path: scans, format: parquet, label: finding}}
models: {finding: {task: binary-classification, framework: pytorch}}
pipelines: {train: {type: training, model: finding, inputs: [scans], compute: gpu}}
"""


def test_every_region_has_a_place() -> None:
    (folder,) = modelyard.checks.__path__
    places = json.loads((Path(folder) / "region_places.json").read_text(encoding="utf-8"))["places"]

    assert places.keys() == {region for countries in regions().countries.values() for region in countries}


@pytest.mark.parametrize(
    ("provider", "country", "region", "nearest"),
    [
        ("aws", "de", "eu-central-1", ["eu-central-1", "eu-west-3", "eu-south-1"]),
        ("gcp", "de", "eu-central-1", ["europe-west3", "europe-west10", "europe-west1"]),
        ("azure", "us", "us-west-1", ["westus", "westus3", "westus2"]),
        ("gcp", "pl", "europe-central2", ["europe-central2", "europe-west10", "europe-north2"]),
    ],
)
def test_the_own_country_is_first_and_then_the_nearest(
    provider: str, country: str, region: str, nearest: list[str]
) -> None:
    assert list(regions().near(provider, country, (), region)[:3]) == nearest


@pytest.mark.parametrize(
    ("provider", "region", "accelerator", "residency", "hint"),
    [
        ("gcp", "europe-west10", "A100-80GB:1", "[eu]", "europe-west4 has one"),
        ("gcp", "europe-west10", "A100-80GB:1", "[de]", ""),
        ("aws", "eu-west-1", "H100:8", "[eu, uk]", "eu-west-2 and eu-north-1 have one"),
        ("aws", "eu-west-1", "H100:8", "[eu]", "eu-north-1 has one"),
        ("aws", "eu-west-1", "H100:8", "[ie]", ""),
        ("azure", "austriaeast", "A100-80GB:1", "[at, ch]", "switzerlandnorth has one"),
    ],
)
def test_a_missing_accelerator_names_the_nearest_regions_that_the_residency_allows(
    provider: str, region: str, accelerator: str, residency: str, hint: str
) -> None:
    text = SPEC.replace("PROVIDER", provider).replace("REGION", region).replace("ACCELERATOR", f'"{accelerator}"')
    (problem,) = [each for each in examine(Question(text.replace("RESIDENCY", residency))) if each.code == "E0504"]

    assert (problem.hint or "") == hint
