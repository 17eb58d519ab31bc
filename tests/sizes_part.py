"""Generates the section of docs/kubernetes.md on resource requests of the platform's own Pods."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.spec import System, TargetSpec
from modelyard_targets.kube.pods import sizes
from modelyard_targets.kube.pods.platform_sizes import database_size, registry_replicas, registry_size
from modelyard_targets.kube.pods.sizes import Size, head_size
from tests.plans import system_of
from tests.specs import VALID_SPEC, changed

_ENTERPRISE = ("industry: retail, size: small", "industry: retail, size: enterprise")
_EDGE = ("      context: frankfurt\n", "      context: frankfurt\n      edge: true\n")


def sizes_part() -> str:
    """Return a table of the Pods' resource requests, with one column per kind of system."""
    systems = [system_of(text) for text in (VALID_SPEC, changed(*_ENTERPRISE), changed(*_EDGE))]
    rows = zip(*(list(_column(system, system.deployment.targets[0])) for system in systems), strict=True)
    names = (
        *("head of each Ray cluster: one for each variant or pool of endpoints, and for each run", "its autoscaler"),
        *("MLflow, each Pod", "MLflow, Pods", "PostgreSQL of the registry, each instance"),
        *("launcher and submitter of each run", "promoter, every three minutes"),
    )
    lines = ["| Pod | `size: small` | `size: enterprise` | `edge: true` |", "|---|---|---|---|"]
    lines += [f"| {name} | {' | '.join(row)} |" for name, row in zip(names, rows, strict=True)]
    return "\n".join(lines)


def _column(system: System, target: TargetSpec) -> Iterator[str]:
    yield _text(head_size(system, target))
    yield _text(sizes.AUTOSCALER)
    yield _text(registry_size(system, target))
    yield str(registry_replicas(system, target))
    yield _text(database_size(system, target))
    yield _text(sizes.LAUNCHER) + " and " + _text(sizes.SUBMITTER)
    yield _text(sizes.PROMOTER)


def _text(size: Size) -> str:
    memory = size.memory_bytes / 2**30
    memory_text = f"{memory:g} GiB" if memory >= 1 else f"{memory * 1024:g} MiB"
    return f"{size.cpu_millis / 1000:g} CPU, {memory_text}"
