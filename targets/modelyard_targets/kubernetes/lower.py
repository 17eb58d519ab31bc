"""From a plan to the project of one cluster: its program, its manifests, the runtime image and a README."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from modelyard.plan import Plan
from modelyard.stack import Manifest, ManifestFile, Project, Stack
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.runtime_image import image_files, needs_runtime_image
from modelyard_targets.kubernetes.files import File, files_of, objects_of
from modelyard_targets.kubernetes.placed import context_of
from modelyard_targets.kubernetes.program import program_of

FOLDER = "workloads"
REQUIREMENTS = ("pulumi==3.272.0", "pulumi-kubernetes==4.34.2", "PyYAML==6.0.4")


def lower(plan: Plan, placement: str) -> Stack:
    """The stack of a placement on a cluster."""
    if not plan.on(placement):
        return Stack(plan.system.environment, placement, ())
    context = context_of(plan, placement)
    system = plan.system
    files = tuple(file for file in files_of(context) if _holds_something(file, context))
    target = context.target
    project = Project(
        folder=FOLDER,
        name=f"{system.metadata.name}-{placement}-{FOLDER}",
        description=f"The workloads of {system.metadata.name} on {placement}",
        program=program_of(context, tuple(file.name for file in files)),
        components=("base", "kubernetes"),
        requirements=REQUIREMENTS,
        settings={"context": target.context} if target.context else {},
        manifests=tuple(ManifestFile(file.name, _documents(file, context)) for file in files),
    )
    texts = image_files(system, target) if needs_runtime_image(plan, placement) else ()
    return Stack(system.environment, placement, (project,), texts)


def objects(plan: Plan, placement: str) -> Iterator[Made]:
    """Every object of a placement with the line of the spec that asked for it, in order of application."""
    context = context_of(plan, placement)
    for file in files_of(context):
        yield from objects_of(file, context)


def _holds_something(file: File, context: Context) -> bool:
    return next(objects_of(file, context), None) is not None


def _documents(file: File, context: Context) -> Callable[[], Iterable[Manifest]]:
    return lambda: (made.manifest for made in objects_of(file, context))
