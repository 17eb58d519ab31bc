"""A system with its registry in a cloud and its servers elsewhere, for testing cross-target access."""

from __future__ import annotations

import json
from typing import Any

from modelyard.plan import Plan
from modelyard.planner import plan
from modelyard_targets import TARGETS
from modelyard_targets.kube.project.workloads import WORKLOADS
from tests.lowering import Lowered, context_of, lower_workload
from tests.plans import system_of

HYBRID_SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: till}
profile: {industry: retail, size: small}
governance: {owner: {team: stores, email: stores@acme.example}}
deployment:
  mode: hybrid
  targets:
    main: {provider: aws, region: eu-central-1}
    shop:
      provider: kubernetes
      context: shop
      edge: true
      storageClass: local-path
      capacity: [{count: 2, cpu: 16, memory: 64Gi}]
  placement: {default: main, inference: shop, batch: shop, monitors: shop, registry: main}
stores:
  lake: {type: object, target: main}
  runs: {type: database, target: main}
registry: {database: runs, artifacts: lake}
data:
  sales: {store: lake, path: sales/, format: parquet, label: stolen, timestamp: at}
  scores: {store: lake, path: scores/, format: parquet}
models:
  theft: {task: binary-classification, framework: xgboost, validation: {auc: {metric: auc_pr, min: 0.8}}}
pipelines:
  retrain: {type: training, model: theft, inputs: [sales], compute: {cpu: 4, memory: 16Gi}}
  nightly:
    {type: batch-inference, model: theft@champion, inputs: [sales], output: scores, compute: {cpu: 2, memory: 8Gi}}
inference:
  till:
    variants: {live: {model: theft@champion}}
    compute: {cpu: 2, memory: 8Gi}
    replicas: 1
    rollout: {strategy: in-place}
    capture: {sample: 10%, store: lake}
monitors:
  drift:
    {type: data-drift, watch: inference.till, reference: {data: sales, window: 30d}, window: 1d,
     checks: {psi: {max: 0.2}}, compute: {cpu: 1, memory: 4Gi}}
"""


def hybrid(*changes: tuple[str, str]) -> str:
    """Return the hybrid system's spec with the given replacements."""
    text = HYBRID_SPEC
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


def hybrid_plan(text: str = HYBRID_SPEC) -> Plan:
    """Return the hybrid system's plan, with each target's machines."""
    system = system_of(text)
    targets = system.deployment.targets
    result, diagnostics = plan(system, {target.name: TARGETS[target.provider].offer_for(target) for target in targets})
    assert result is not None, diagnostics
    return result


def hybrid_lowered(text: str = HYBRID_SPEC, placement: str = "shop") -> Lowered:
    """Return the objects of the workloads that the hybrid system runs on a placement."""
    plan = hybrid_plan(text)
    context = context_of(plan, placement)
    resources = [resource for resource in plan.on(placement) if WORKLOADS.covers(resource)]
    return Lowered(context, tuple(plan for resource in resources for plan in lower_workload(resource, context)))


def described(lowered: Lowered, name: str) -> Any:
    """Return the description of a workload for the runtime."""
    return json.loads(lowered.get("ConfigMap", f"{name}-description")["data"]["workload.json"])


def without_section(text: str, name: str) -> str:
    """Return a spec without one entry of a section, also removing the section if that leaves it empty."""
    lines = text.splitlines(keepends=True)
    start = next(at for at, line in enumerate(lines) if line.startswith(f"  {name}:"))
    ends = (at for at in range(start + 1, len(lines)) if lines[at].strip() and not lines[at].startswith("   "))
    end = next(ends, len(lines))
    alone = not lines[start - 1].startswith(" ") and not "".join(lines[end : end + 1]).startswith(" ")
    return "".join(lines[: start - alone] + lines[end:])
