"""The Pulumi program of a workloads project: cluster, add-ons and manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter

from modelyard.indexes import index
from modelyard.plan import Identity, Resource
from modelyard.program import WRITTEN_BY, Call, Import, Literal, Program, Ref
from modelyard.records import replace
from modelyard_targets.kube.access.identity import placeholder
from modelyard_targets.kube.addons.addons import addon_calls, registry_calls
from modelyard_targets.kube.data.crossing_secrets import crossing_calls
from modelyard_targets.kube.data.federation_maps import federation_calls
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.project.files import FIRST, FOUNDATION, REGISTRY, file_of
from modelyard_targets.kube.project.storage_network import storage_calls


def program_of(context: Context, files: tuple[str, ...]) -> Program:
    """Build the first project's program. `files` lists its manifest files in the order in which they are applied."""
    addons = addon_calls(context)
    replaced = partial(_replaced, context)
    foundation = tuple(name for name in files if name in FOUNDATION)
    workloads = tuple(name for name in files if name not in FIRST)
    charts = tuple(Ref(call.variable) for call in addons if _is_needed(call))
    registry = registry_calls(context, Ref("foundation"))
    crossing = (*crossing_calls(context, Ref("foundation")), *federation_calls(context, Ref("foundation")))
    storage = (*storage_calls(context, Ref("foundation")), *_late(context))
    server = tuple(name for name in files if name == REGISTRY)
    before = [call.variable for call in crossing if call.component == "kubernetes.Object"]
    before += [call.variable for call in storage]
    needs = (Ref("foundation"), *(Ref("registry") for _ in server), *(Ref(variable) for variable in before))
    logins = (Ref("foundation"), *(Ref(variable) for variable in (*before, *(call.variable for call in registry))))
    calls = (
        *_cluster(context),
        *context.platform.foundation(context),
        *addons,
        _manifests("foundation", foundation, charts, replaced(foundation), in_order=True),
        *storage,
        *crossing,
        *registry,
        *((_manifests(REGISTRY, server, logins, replaced(server), in_order=True),) if server else ()),
        *((_manifests("workloads", workloads, needs, replaced(workloads)),) if workloads else ()),
    )
    return Program(title=WRITTEN_BY, imports=imports_of(calls), calls=calls)


def _late(context: Context) -> Iterator[Call]:
    """Yield the platform's own objects in the namespace created by the foundation."""
    for call in context.platform.late(context):
        yield replace(call, arguments=(*call.arguments, ("depends_on", (Ref("foundation"),))))


def further_program(context: Context, files: tuple[str, ...]) -> Program:
    """Build the program of an additional project, which is applied after the first."""
    calls = (*_cluster(context), _manifests("workloads", files, (), _replaced(context, files)))
    return Program(title=WRITTEN_BY, imports=imports_of(calls), calls=calls)


def imports_of(calls: Iterable[Call]) -> tuple[Import, ...]:
    """Return a program's imports, including `Infrastructure` if it reads another project."""
    imports = [Import("modelyard_stacks", "kubernetes")]
    if any(call.component == "Infrastructure" for call in calls):
        imports.append(Import("modelyard_stacks.infrastructure", "Infrastructure"))
    return tuple(imports)


def _cluster(context: Context) -> Iterator[Call]:
    """Yield the cluster call, which uses a kubeconfig context or the infrastructure project's outputs."""
    below = context.platform.below(context.plan, context.placement)
    if not below:
        yield Call("cluster", "kubernetes.Cluster", context.placement, group="cluster")
        return
    yield Call("infrastructure", "Infrastructure", below, group="cluster")
    for variable, project in context.platform.further_below(context).items():
        yield Call(variable, "Infrastructure", project, (("setting", variable),), group="cluster")
    arguments: tuple[tuple[str, Literal], ...] = (("kubeconfig", Ref("infrastructure", key="kubeconfig")),)
    yield Call("cluster", "kubernetes.Cluster", context.placement, arguments, group="cluster")


def _replaced(context: Context, files: tuple[str, ...]) -> tuple[tuple[str, Literal], ...]:
    """Return the arguments that replace image registry and cloud identity placeholders in the given files."""
    images, identities = _images(context), _identities(context, files)
    return (*((("images", images),) if images else ()), *((("annotations", identities),) if identities else ()))


def _identities(context: Context, files: tuple[str, ...]) -> dict[str, Literal]:
    """Map ServiceAccount placeholders in the given files to the cloud identities they act as."""
    if not context.platform.identity_annotation:  # no ServiceAccount has a placeholder
        return {}
    by_file = _by_file(context.plan.of(Identity, context.placement))
    pairs = sorted((pair for name in files for pair in by_file.get(name, ())), key=itemgetter(0))  # in plan order
    outputs = ((placeholder(identity), context.platform.identity_output(identity, context)) for _, identity in pairs)
    return {text: output for text, output in outputs if output is not None}


@index
def _by_file(identities: tuple[Resource[Identity], ...]) -> Mapping[str, Sequence[tuple[int, Resource[Identity]]]]:
    """Group cloud identities by manifest file, along with their position in the plan."""
    groups: dict[str, list[tuple[int, Resource[Identity]]]] = {}
    for position, identity in enumerate(identities):
        groups.setdefault(file_of(identity), []).append((position, identity))
    return groups


def _images(context: Context) -> dict[str, Literal]:
    """Map the runtime image's host to the registry address output, if only `pulumi up` knows the address."""
    registries = context.platform.image_registries
    if not registries:  # the name of the image is a hash of its files
        return {}
    host = context.runtime_image.partition("/")[0]
    output = registries.get(host)
    return {host: Ref("infrastructure", key=output)} if output else {}


def _is_needed(call: Call) -> bool:
    """Return whether later resources must wait for a call's resources, as is the case for charts and objects."""
    return bool(call.variable) and call.component in {"kubernetes.Chart", "kubernetes.Object"}


def _manifests(
    name: str,
    files: tuple[str, ...],
    needs: tuple[Ref, ...],
    replaced: tuple[tuple[str, Literal], ...],
    *,
    in_order: bool = False,
) -> Call:
    arguments: list[tuple[str, Literal]] = [
        ("cluster", Ref("cluster")),
        ("files", tuple(f"{file}.yaml" for file in files)),
    ]
    if in_order:
        arguments.append(("in_order", True))
    arguments += replaced
    if needs:
        arguments.append(("depends_on", needs))
    return Call("" if name == "workloads" else name, "kubernetes.Manifests", name, tuple(arguments), group=name)
