"""Tests that environments on one cluster must not share a namespace, and that shared add-ons are reported."""

from __future__ import annotations

import pytest

from modelyard.inputs import InputFile, Inputs
from modelyard.overlay import environments
from modelyard.pipeline import opened
from modelyard.survey import survey
from modelyard_targets import TARGETS
from tests.compiler.cli.commands import SPEC

BASE = SPEC[: SPEC.index("environments:")]
DEV = "deployment: {namespace: churn-dev}"
PRESENT = "deployment: {namespace: churn-dev, present: [kuberay, prometheus]}"
LAKE = 'stores: {lake: {type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}}\n'
CLOUD = "deployment: {mode: cloud, provider: aws, region: eu-central-1, context: null}"


def conflicts_of(text: str, **files: str) -> list[str]:
    """Return the codes about conflicts between the given environments, with their positions."""
    overlays = {name: InputFile(f"environments/{name}.yaml", content) for name, content in files.items()}
    inputs = Inputs(InputFile("system.yaml", text), beside=overlays)
    spec = opened(inputs)
    assert spec.document is not None
    diagnostics = survey(inputs, spec, sorted({*environments(spec.document), *overlays}), TARGETS).diagnostics
    return [
        f"{diagnostic.code} {diagnostic.span.file}:{diagnostic.span.line}"
        for diagnostic in diagnostics
        if diagnostic.span and "environments" in diagnostic.message
    ]


def test_two_environments_in_one_namespace_are_refused() -> None:
    """Each environment in a namespace that is already taken is reported once, in the spec or in its own file."""
    assert conflicts_of(f"{BASE}environments:\n  dev: {{}}\n  prod: {{}}\n") == ["E0517 system.yaml:17"]
    assert conflicts_of(BASE, dev="", prod="", test="") == [
        "E0517 environments/prod.yaml:1",
        "E0517 environments/test.yaml:1",
    ]


@pytest.mark.parametrize("dev", [PRESENT, "deployment: {context: lab}", CLOUD])
def test_separate_environments_have_no_conflict(dev: str) -> None:
    """Environments may have their own namespaces and add-ons, another existing cluster, or a new cluster."""
    assert conflicts_of(BASE, dev=dev, prod="") == []


def test_the_base_does_not_conflict_with_named_environments() -> None:
    """The base of a spec with environments isn't deployed. In clouds, each environment has its own cluster."""
    assert conflicts_of(BASE, prod="") == []
    assert conflicts_of(BASE, dev=CLOUD, prod=CLOUD) == []


def test_an_addon_that_two_environments_install_is_reported() -> None:
    """An operator can only be installed once per cluster, even if each environment has its own namespace."""
    assert conflicts_of(BASE, dev=DEV, prod="") == ["W0518 environments/prod.yaml:1"]


def test_two_environments_writing_to_one_adopted_bucket_are_reported() -> None:
    """An adopted bucket is the same in all environments, whereas new buckets are named after the environment."""
    new_bucket = f"{BASE}    capture: {{store: lake}}\n{LAKE}"
    adopted = new_bucket.replace("type: object", "type: object, adopt: acme-ml")
    own = "stores: {lake: {adopt: acme-ml-dev}}\ndeployment: {context: lab}"

    assert conflicts_of(new_bucket, dev="deployment: {context: lab}", prod="") == []
    assert conflicts_of(adopted, dev="deployment: {context: lab}", prod="") == ["W0519 environments/prod.yaml:1"]
    assert conflicts_of(adopted, dev=own, prod="") == []
