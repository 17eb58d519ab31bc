"""Lower a plan to the resources that `pulumi up` manages: components in Pulumi projects, and Kubernetes objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

from modelyard.plan import Plan
from modelyard.program import Call, Literal, Ref
from modelyard.records import field, record
from modelyard.review.touched import is_touched
from modelyard.stack import Project
from modelyard.target import Targets

Values: TypeAlias = Mapping[str, Any]
"""The arguments of a component, or a Kubernetes object."""

Key: TypeAlias = tuple[str, str, str]
"""The project, kind and name that identify a resource in Pulumi."""

CLUSTER: Final = "kubernetes.Cluster"
_WORKLOAD: Final = "modelyard.dev/workload"
_PROTECT: Final = "modelyard.dev/protect"
_INFRASTRUCTURE: Final = "Infrastructure"
_KUBECONFIG: Final = "kubeconfig"
_GROUPS_OF_FILES: Final = frozenset({"kubernetes.Manifests", _INFRASTRUCTURE, "kubernetes.Site"})
_OBJECT: Final = "kubernetes.Object"
_ORDER: Final = "depends_on"


@record
class Item:
    """A resource, such as an `aws.Network` or `apps/v1/Deployment`, with its name and input values.

    `workload` is the address of the workload that owns it. `needs` maps arguments to the items they refer to.
    """

    kind: str
    name: str
    values: Values
    workload: str = ""
    protected: bool = False
    needs: Mapping[str, tuple[Key, ...]] = field(default_factory=dict[str, tuple[Key, ...]])


Items: TypeAlias = Mapping[Key, Item]
"""Resources, ordered so that each follows the resources it needs."""


def lowered(plan: Plan, placement: str, targets: Targets, scope: frozenset[str] | None = None) -> Items:
    """Return the resources on a target, or none if the plan has no such target.

    If `scope` is given, objects that belong to a single workload outside it are omitted.
    """
    return dict(_items(plan, placement, targets, scope))


def _items(plan: Plan, placement: str, targets: Targets, scope: frozenset[str] | None) -> Iterator[tuple[Key, Item]]:
    provider = next((target.provider for target in plan.system.deployment.targets if target.name == placement), "")
    if provider:
        clusters: dict[str, Key] = {}
        for project in targets[provider].lower(plan, placement).projects:
            yield from _of_project(project, provider, scope, clusters)


def _of_project(
    project: Project, provider: str, scope: frozenset[str] | None, clusters: dict[str, Key]
) -> Iterator[tuple[Key, Item]]:
    """Yield a project's resources. `clusters` holds the clusters that projects export, by the name of the project."""
    variables: dict[str, Key] = {}
    imported: dict[str, Key] = {}
    for call in project.program.calls:
        if call.component == _INFRASTRUCTURE and call.name in clusters:
            imported[call.variable] = clusters[call.name]
        if call.component in _GROUPS_OF_FILES:
            continue
        item = _component(call, provider, project, variables | imported if call.component == CLUSTER else variables)
        key = (project.name, item.kind, item.name)
        variables[call.variable] = key
        yield key, item
    for export in project.program.exports:
        if export.name == _KUBECONFIG and export.value.variable in variables:
            clusters[project.name] = variables[export.value.variable]
    cluster = {"cluster": (variables["cluster"],)} if "cluster" in variables else {}
    for file in project.manifests:
        if not is_touched(file.owner, scope):
            continue
        for document in file.documents():
            item = _object(document, _name_of(document), cluster)
            yield (project.name, item.kind, item.name), item


def _component(call: Call, provider: str, project: Project, variables: Mapping[str, Key]) -> Item:
    arguments = dict(call.arguments)
    needs = {
        name: tuple(variables[ref.variable] for ref in _refs(value) if ref.variable in variables)
        for name, value in call.arguments
        if name != _ORDER
    }
    if call.component == _OBJECT:
        return _object(cast("Values", arguments["document"]), call.name, needs)
    if call.component == CLUSTER:
        arguments |= {name: cast("Any", value) for name, value in project.settings.items()}
    kind = call.component if "." in call.component else f"{provider}.{call.component}"
    owner = ".".join(map(str, call.origin[:2]))
    return Item(kind, call.name, arguments, owner, needs=needs)


def _refs(value: Literal) -> Iterator[Ref]:
    """Yield the references to other components in an argument."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, tuple):
        yield from (ref for entry in value for ref in _refs(entry))
    elif isinstance(value, dict):
        yield from (ref for entry in value.values() for ref in _refs(entry))


def _object(document: Values, name: str, needs: Mapping[str, tuple[Key, ...]]) -> Item:
    version = str(document["apiVersion"])
    kind = f"{version if '/' in version else f'core/{version}'}/{document['kind']}"
    metadata = cast("Values", document.get("metadata") or {})
    labels, annotations = (cast("Values", metadata.get(name) or {}) for name in ("labels", "annotations"))
    workload, is_protected = str(labels.get(_WORKLOAD, "")), annotations.get(_PROTECT) == "true"
    return Item(kind, name, document, workload, is_protected, needs)


def _name_of(document: Values) -> str:
    """Return the Pulumi resource name: `namespace/name`, or just the name for cluster-scoped objects."""
    metadata = cast("Values", document["metadata"])
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
