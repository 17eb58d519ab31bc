"""Helpers for testing AWS output: a spec with most features, its Kubernetes objects, and its program's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from modelyard.plan import Plan
from modelyard.planner import plan
from modelyard.program import Call, Literal, Ref
from modelyard_targets.aws.lower import lower, objects
from modelyard_targets.aws.platform import context_of
from modelyard_targets.kube.placement.context import Context
from tests.plans import system_of

Object: TypeAlias = dict[str, Any]

AWS_SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: leads, labels: {domain: sales}}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment:
  mode: cloud
  provider: aws
  region: eu-central-1
  vpc: {cidr: 10.20.0.0/16}
  secretStores: {manager: {via: secrets-manager, refresh: 15m}}
stores:
  lake: {type: object}
  runs: {type: database}
registry: {database: runs, artifacts: lake}
compute:
  small: {cpu: 1, memory: 2Gi}
  gpu: {cpu: 4, memory: 16Gi, accelerators: ["L4:1", "A10G:1"], capacity: spot-first}
  free: {cpu: 2, memory: 8Gi, disk: 30Gi, elastic: true}
data:
  clicks: {format: parquet, store: lake, path: clicks, label: left, timestamp: at}
  scores: {format: parquet, store: lake, path: scores}
models: {churn: {task: binary-classification, framework: xgboost}}
pipelines:
  fit: {type: training, model: churn, inputs: [clicks], compute: gpu}
  scoring:
    type: batch-inference
    model: churn@champion
    inputs: [clicks]
    output: scores
    compute: free
    workers: {min: 0, max: 3}
inference:
  score:
    variants: {only: {model: churn@champion}}
    compute: small
    endpoint: {exposure: internal, auth: {type: bearer-token, token: "secret://manager/token#value"}}
"""


def changed(*changes: tuple[str, str]) -> str:
    """Return the spec with the given replacements. Each old string must occur in the spec."""
    text = AWS_SPEC
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


def plan_of(text: str = AWS_SPEC) -> Plan:
    """Return the plan for a spec, with AWS instance types and add-ons."""
    from modelyard_targets import TARGETS

    system = system_of(text)
    targets = system.deployment.targets
    system_plan, diagnostics = plan(
        system, {target.name: TARGETS[target.provider].offer_for(target) for target in targets}
    )
    assert system_plan is not None, diagnostics
    return system_plan


def context(text: str = AWS_SPEC) -> Context:
    """Return the context for lowering the spec's only target."""
    return context_of(plan_of(text), "main")


def emitted(text: str = AWS_SPEC) -> list[Object]:
    """Return all emitted Kubernetes objects in order."""
    return [cast("Object", item.manifest) for item in objects(plan_of(text), "main")]


def emitted_object(kind: str, name: str, text: str = AWS_SPEC) -> Object:
    """Return the only emitted object with the given kind and name."""
    (match,) = [each for each in emitted(text) if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return match


def names(kind: str, text: str = AWS_SPEC) -> list[str]:
    """Return the names of all emitted objects of a given kind, in order."""
    return [each["metadata"]["name"] for each in emitted(text) if each["kind"] == kind]


def calls(text: str = AWS_SPEC) -> dict[str, Call]:
    """Return the component calls in the first workloads project, keyed by variable or, without one, by name."""
    (workloads,) = [project for project in lower(plan_of(text), "main").projects if project.folder == "workloads"]
    return {call.variable or call.name: call for call in workloads.program.calls}


def argument(call: Call, name: str) -> Any:
    """Return an argument of a component call. Outputs of the infrastructure project are shown as `the <name>`."""
    return arrived(dict(call.arguments)[name])


def arrived(value: Literal) -> Any:
    """Return a value in the program as plain data."""
    if isinstance(value, Ref):
        return f"the {value.key}" if value.key else value.variable
    if isinstance(value, Mapping):
        return {key: arrived(entry) for key, entry in value.items()}
    return [arrived(entry) for entry in value] if isinstance(value, tuple) else value
