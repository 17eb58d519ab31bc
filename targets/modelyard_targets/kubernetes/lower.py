"""From a plan to the projects of one cluster: programs, manifests, the runtime image and a README."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from modelyard.plan import Plan
from modelyard.stack import Manifest, ManifestFile, Project, Stack
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.runtime_image import image_files, needs_runtime_image
from modelyard_targets.kubernetes.files import File, files_of, objects_of
from modelyard_targets.kubernetes.placed import context_of
from modelyard_targets.kubernetes.program import further_program, program_of
from modelyard_targets.kubernetes.readme import Counted, texts_of
from modelyard_targets.kubernetes.split import split

FOLDER: Final = "workloads"
REQUIREMENTS: Final = ("pulumi==3.272.0", "pulumi-kubernetes==4.34.2", "PyYAML==6.0.4")


def lower(plan: Plan, placement: str) -> Stack:
    """The stack of a placement on a cluster; empty where nothing is placed."""
    if not plan.on(placement):
        return Stack(plan.system.environment, placement, ())
    context = context_of(plan, placement)
    files = tuple(file for file in files_of(context) if next(objects_of(file, context), None) is not None)
    counted: Counted = {}
    projects = tuple(_project(at, held, counted, context) for at, held in enumerate(split(files)))
    image = image_files(plan.system, context.target) if needs_runtime_image(plan, placement) else ()
    texts = texts_of(context, files, projects, counted)
    return Stack(plan.system.environment, placement, projects, (*image, *texts))


def objects(plan: Plan, placement: str) -> Iterator[Made]:
    """Every object of a placement with the line of the spec that asked for it, in order of application."""
    if plan.on(placement):
        context = context_of(plan, placement)
        for file in files_of(context):
            yield from objects_of(file, context)


def _project(at: int, files: tuple[File, ...], counted: Counted, context: Context) -> Project:
    system, target = context.system, context.target
    folder = FOLDER if at == 0 else f"{FOLDER}-{at + 1}"
    names = tuple(file.name for file in files)
    return Project(
        folder=folder,
        name=f"{system.metadata.name}-{context.placement}-{folder}",
        description=f"The workloads of {system.metadata.name} on {context.placement}",
        program=program_of(context, names) if at == 0 else further_program(context, names),
        components=("base", "kubernetes"),
        requirements=REQUIREMENTS,
        settings={"context": target.context} if target.context else {},
        manifests=tuple(_manifests(file, counted, context) for file in files),
    )


def _manifests(file: File, counted: Counted, context: Context) -> ManifestFile:
    """A file whose objects are counted for the README while they are made, so that they are made once."""

    def documents() -> Iterator[Manifest]:
        kinds: Counter[str] = Counter()
        for made in objects_of(file, context):
            kinds[str(made.manifest["kind"])] += 1
            yield made.manifest
        counted[file.name] = kinds

    return ManifestFile(file.name, documents)
