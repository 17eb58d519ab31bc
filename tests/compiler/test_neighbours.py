"""Tests that two environments on one cluster must not share a namespace, and that shared add-ons are reported."""

from __future__ import annotations

import pytest

from modelyard.inputs import Given, Inputs
from modelyard.overlay import environments
from modelyard.pipeline import opened
from modelyard.survey import survey
from modelyard_targets import TARGETS
from tests.compiler.cli.said import SPEC

BASE = SPEC[: SPEC.index("environments:")]
DEV = "deployment: {namespace: churn-dev}"
PRESENT = "deployment: {namespace: churn-dev, present: [kuberay, prometheus]}"
LAKE = 'stores: {lake: {type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}}\n'
CLOUD = "deployment: {mode: cloud, provider: aws, region: eu-central-1, context: null}"


def told(text: str, **files: str) -> list[str]:
    """Return the codes about conflicting environments, with their positions."""
    beside = {name: Given(f"environments/{name}.yaml", content) for name, content in files.items()}
    inputs = Inputs(Given("system.yaml", text), beside=beside)
    spec = opened(inputs)
    assert spec.document is not None
    found = survey(inputs, spec, sorted({*environments(spec.document), *beside}), TARGETS).diagnostics
    return [
        f"{one.code} {one.span.file}:{one.span.line}" for one in found if one.span and "environments" in one.message
    ]


def test_two_environments_in_one_namespace_are_refused() -> None:
    """Each further environment in the namespace is reported once, in the spec or in its own file."""
    assert told(f"{BASE}environments:\n  dev: {{}}\n  prod: {{}}\n") == ["E0517 system.yaml:17"]
    assert told(BASE, dev="", prod="", test="") == ["E0517 environments/prod.yaml:1", "E0517 environments/test.yaml:1"]


@pytest.mark.parametrize("dev", [PRESENT, "deployment: {context: lab}", CLOUD])
def test_separate_environments_have_no_conflict(dev: str) -> None:
    """Environments may have their own namespaces and add-ons, another existing cluster, or a new one."""
    assert told(BASE, dev=dev, prod="") == []


def test_the_base_does_not_conflict_with_named_environments() -> None:
    """If a spec has environments, only they are deployed. In clouds, each has its own cluster."""
    assert told(BASE, prod="") == []
    assert told(BASE, dev=CLOUD, prod=CLOUD) == []


def test_an_addon_that_two_environments_install_is_reported() -> None:
    """An operator can be installed only once per cluster, even if both environments have their own namespace."""
    assert told(BASE, dev=DEV, prod="") == ["W0518 environments/prod.yaml:1"]


def test_two_environments_writing_to_one_adopted_bucket_are_reported() -> None:
    """An adopted bucket is the same in all environments. The name of a new bucket contains the environment."""
    made = f"{BASE}    capture: {{store: lake}}\n{LAKE}"
    adopted = made.replace("type: object", "type: object, adopt: acme-ml")
    own = "stores: {lake: {adopt: acme-ml-dev}}\ndeployment: {context: lab}"

    assert told(made, dev="deployment: {context: lab}", prod="") == []
    assert told(adopted, dev="deployment: {context: lab}", prod="") == ["W0519 environments/prod.yaml:1"]
    assert told(adopted, dev=own, prod="") == []
