"""The program of a cluster's project: the cluster, its add-ons, and the manifests in order."""

from __future__ import annotations

from modelyard.program import WRITTEN_BY, Call, Import, Literal, Program, Ref
from modelyard_targets.cluster.addons import addon_calls, registry_calls
from modelyard_targets.cluster.context import Context
from modelyard_targets.cluster.files import FOUNDATION


def program_of(context: Context, files: tuple[str, ...]) -> Program:
    """The program; `files` are the names of the manifest files in order."""
    addons = addon_calls(context)
    foundation = tuple(name for name in files if name in FOUNDATION)
    workloads = tuple(name for name in files if name not in FOUNDATION)
    charts = tuple(Ref(call.variable) for call in addons if call.component == "kubernetes.Chart")
    registry = registry_calls(context, Ref("foundation"))
    needs = (Ref("foundation"), *(Ref(call.variable) for call in registry if call.component == "kubernetes.Chart"))
    calls = (
        Call("cluster", "kubernetes.Cluster", context.placement, group="cluster"),
        *addons,
        _manifests("foundation", foundation, charts, in_order=True),
        *registry,
        *((_manifests("workloads", workloads, needs),) if workloads else ()),
    )
    return Program(title=WRITTEN_BY, imports=(Import("modelyard_stacks", "kubernetes"),), calls=calls)


def further_program(context: Context, files: tuple[str, ...]) -> Program:
    """The program of one of several projects, which stands on what the first one has made."""
    calls = (
        Call("cluster", "kubernetes.Cluster", context.placement, group="cluster"),
        _manifests("workloads", files, ()),
    )
    return Program(title=WRITTEN_BY, imports=(Import("modelyard_stacks", "kubernetes"),), calls=calls)


def _manifests(name: str, files: tuple[str, ...], needs: tuple[Ref, ...], *, in_order: bool = False) -> Call:
    arguments: list[tuple[str, Literal]] = [
        ("cluster", Ref("cluster")),
        ("files", tuple(f"{file}.yaml" for file in files)),
    ]
    if in_order:
        arguments.append(("in_order", True))
    if needs:
        arguments.append(("depends_on", needs))
    return Call(name if name == "foundation" else "", "kubernetes.Manifests", name, tuple(arguments), group=name)
