"""Secrets for cross-target access, created from access keys that another target's program creates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, metadata
from modelyard.program import Call, Literal, Ref
from modelyard_targets.kube.data.crossing import (
    Crossing,
    crossings_on,
    infrastructure_project,
    infrastructure_setting,
    key_output,
    secret_key,
)
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import Argument, as_literal

COMPONENT: Final = "crossing"
GROUP: Final = "crossings"


def crossing_calls(context: Context, foundation: Ref) -> tuple[Call, ...]:
    """Return references to other targets' projects, and a Secret for each cross-target access.

    The Secrets are in the system's namespace.
    """
    crossings = crossings_on(context)
    targets = dict.fromkeys(crossing.target for crossing in crossings)
    return (
        *(_infrastructure(target, crossings, context) for target in targets),
        *(_secret(crossing, foundation, context) for crossing in crossings),
    )


def _infrastructure(target: str, crossings: tuple[Crossing, ...], context: Context) -> Call:
    name = infrastructure_project(context.system, target)
    setting: tuple[str, Literal] = ("setting", infrastructure_setting(target))
    first = next(crossing for crossing in crossings if crossing.target == target)
    return Call(_variable(target), "Infrastructure", name, (setting,), GROUP, first.identity.origin)


def _secret(crossing: Crossing, foundation: Ref, context: Context) -> Call:
    labelled = labels(context.system.metadata.name, crossing.secret, crossing.workload, COMPONENT)
    document: dict[str, Argument] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(crossing.secret, context.namespace, labelled),
        "type": "Opaque",
        "stringData": dict(_keys(crossing)),
    }
    arguments: tuple[tuple[str, Literal], ...] = (
        ("cluster", Ref("cluster")),
        ("document", as_literal(document)),
        ("depends_on", (foundation,)),
    )
    variable = f"{crossing.secret}-secret"
    return Call(variable, "kubernetes.Object", crossing.secret, arguments, GROUP, crossing.identity.origin)


def _keys(crossing: Crossing) -> Iterator[tuple[str, Argument]]:
    """Yield all numbered access keys. During a rotation there are two, because older Pods still use the old one."""
    for number in crossing.numbers:
        for half in crossing.halves:
            output = key_output(crossing.identity, half, number)
            yield secret_key(half, number), Ref(_variable(crossing.target), key=output)


def _variable(target: str) -> str:
    return f"{target}_infrastructure"
