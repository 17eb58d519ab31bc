"""Creates plans from the text of a spec, and specs with any number of models."""

from __future__ import annotations

from modelyard.diagnostics import Diagnostic
from modelyard.load import load
from modelyard.plan import Kind, Plan, Resource
from modelyard.plan.graph import V
from modelyard.planner import plan
from modelyard.resolve import resolve
from modelyard.spec import System
from modelyard_targets import TARGETS


def system_of(text: str, environment: str = "prod") -> System:
    """Return the system that a valid spec describes."""
    document, diagnostics = load(text, "system.yaml")
    assert document is not None, diagnostics
    system, diagnostics = resolve(document, environment, TARGETS)
    assert system is not None, diagnostics
    return system


def planned(text: str) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """Plan a spec whose targets are all Kubernetes clusters."""
    system = system_of(text)
    return plan(system, {target.name: TARGETS["kubernetes"].offer for target in system.deployment.targets})


def plan_of(text: str) -> Plan:
    """Return the plan of a valid spec."""
    result, diagnostics = planned(text)
    assert result is not None, diagnostics
    return result


def marked_diagnostics(text: str) -> list[str]:
    """Return each diagnostic's code with the text it marks, e.g. `E0501 retrain`."""
    lines = text.splitlines()
    return [
        f"{problem.code} {lines[problem.span.line - 1][problem.span.column - 1 : problem.span.end_column - 1]}"
        if problem.span
        else problem.code
        for problem in planned(text)[1]
    ]


def resource(plan: Plan, kind: Kind, name: str) -> Resource:
    """Return the only resource of the given kind and name."""
    (match,) = [candidate for candidate in plan.resources if candidate.kind is kind and candidate.name == name]
    return match


def resource_of(plan: Plan, what: type[V], name: str) -> Resource[V]:
    """Return the only resource with the given name and value type."""
    (match,) = [candidate for candidate in plan.of(what) if candidate.name == name]
    return match


_HEAD = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: large}
governance: {owner: {team: ml, email: ml@acme.example, oncall: oncall}}
deployment:
  mode: on-prem
  targets:
    near: {provider: kubernetes, context: near, reachableFrom: [far]}
    far: {provider: kubernetes, context: far}
  placement: {default: near, inference: far}
stores: {lake: {type: object, target: near, adopt: lake, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}}
registry: {adopt: "https://mlflow.acme.example", credentials: secret://vault/mlflow}
compute: {cpu: {cpu: 2, memory: 8Gi}, large: {cpu: 8, memory: 32Gi}}
channels: {oncall: {type: pagerduty, key: secret://vault/pagerduty#key}}
data: {events: {store: lake, path: events/, format: parquet}}
"""


def large_spec(models: int) -> str:
    """Return a spec with `models` models, each with a pipeline, a monitor, and a pooled or split endpoint."""
    sections: dict[str, list[str]] = {"models": [], "pipelines": [], "inference": [], "monitors": []}
    for at in range(models):
        sections["models"].append(f"m{at}: {{task: regression, framework: xgboost}}")
        compute, workers = "large" if at % 3 else "cpu", f"{{min: 1, max: {at % 5 + 1}}}"
        sections["pipelines"].append(
            f"p{at}: {{type: training, model: m{at}, inputs: [events], compute: {compute}, workers: {workers}}}"
        )
        sections["inference"].append(f"e{at}: {_endpoint(at)}")
        kind = "performance" if at % 7 == 0 else "data-drift"
        checks = "p99_ms: {max: 90}" if at % 7 == 0 else "psi: {max: 0.2}"
        breach = "" if at % 7 == 0 else f", onBreach: {{run: pipelines.p{at}}}"
        sections["monitors"].append(f"w{at}: {{type: {kind}, watch: inference.e{at}, checks: {{{checks}}}{breach}}}")
    return _HEAD + "".join(
        f"{name}:\n" + "".join(f"  {entry}\n" for entry in entries) for name, entries in sections.items() if entries
    )


def _endpoint(at: int) -> str:
    variants, extra = f"a: {{model: m{at}@champion}}", ""
    if at % 4 == 0:
        extra = f", pool: shared{at // 40}"
    elif at % 4 == 1:
        variants += f", b: {{model: m{at}@candidate}}"
        extra = ", traffic: {a: 90, b: 10}, capture: {sample: 10%, store: lake}"
    slo = ", slo: {p99: 80ms}" if at % 2 else ""
    return f"{{variants: {{{variants}}}, compute: cpu, replicas: {{min: 1, max: {at % 3 + 1}}}{slo}{extra}}}"
