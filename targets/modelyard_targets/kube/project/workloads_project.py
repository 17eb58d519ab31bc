"""A placement's `workloads`, `workloads-2` … projects, with all objects inside an existing cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from modelyard.records import record
from modelyard.stack import Facts, Manifest, ManifestFile, Project, TextFile, Value
from modelyard_targets.components import with_imports
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.image.packages import locked
from modelyard_targets.kube.image.runtime_image import image_files
from modelyard_targets.kube.image.sbom import bill_of_materials
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.project.files import File, files_of, has_objects, objects_of, owner_of
from modelyard_targets.kube.project.program import further_program, program_of
from modelyard_targets.kube.project.split import split

FOLDER: Final = "workloads"
_NEEDS: Final = ("pulumi", "pulumi-kubernetes", "pyyaml")


@record
class Written:
    """Facts about a manifest file for the README, i.e. its objects by kind and its network policies."""

    kinds: Counter[str]
    policies: tuple[Manifest, ...]


@record
class Workloads:
    """A placement's projects in order, their files, and the runtime image's build context.

    The facts are set while manifests are written. The README is written last.
    """

    projects: tuple[Project, ...]
    files: tuple[File, ...]
    image: tuple[TextFile, ...]
    facts: Mapping[str, Facts]

    def written(self, file: File) -> Written | None:
        """Return the facts about a file, or None if it has not been written."""
        value = self.facts[file.name].value
        return value if isinstance(value, Written) else None


def workloads_of(context: Context, settings: Mapping[str, Value]) -> Workloads:
    """Return the projects for all objects in a placement's cluster, each with the given stack settings."""
    files = tuple(file for file in files_of(context) if has_objects(file, context))
    facts = {file.name: Facts() for file in files}
    projects = tuple(_project(at, batch, facts, context, settings) for at, batch in enumerate(split(files)))
    needs_image = needs_runtime_image(context.plan, context.placement)
    image = _image(context) if needs_image else ()
    return Workloads(projects, files, image, facts)


def objects_of_placement(context: Context) -> Iterator[KubeObject]:
    """Yield every object of a placement in the order in which they are applied, with its spec line."""
    for file in files_of(context):
        yield from objects_of(file, context)


def _project(
    at: int,
    files: tuple[File, ...],
    facts: Mapping[str, Facts],
    context: Context,
    settings: Mapping[str, Value],
) -> Project:
    system = context.system
    folder = FOLDER if at == 0 else f"{FOLDER}-{at + 1}"
    names = tuple(file.name for file in files)
    program = program_of(context, names) if at == 0 else further_program(context, names)
    reads = any(call.component == "Infrastructure" for call in program.calls)
    return Project(
        folder=folder,
        name=f"{system.metadata.name}-{context.placement}-{folder}",
        description=f"The workloads of {system.metadata.name} on {context.placement}",
        program=program,
        components=with_imports(("infrastructure", "kubernetes") if reads else ("kubernetes",)),
        requirements=_requirements(),
        settings=settings,
        manifests=tuple(_manifests(file, facts[file.name], context) for file in files),
    )


@cache
def _requirements() -> tuple[str, ...]:
    """Return the packages that every project requires."""
    return locked("programs", _NEEDS)


def written_of(file: File, context: Context) -> Written:
    """Build a file's objects to collect its facts for the README, if the file hasn't been written."""
    manifests = [obj.manifest for obj in objects_of(file, context)]
    return Written(Counter(str(each["kind"]) for each in manifests), _policies(manifests))


def _policies(manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
    return tuple(each for each in manifests if each["kind"] == "NetworkPolicy")


def _manifests(file: File, facts: Facts, context: Context) -> ManifestFile:
    """Return a manifest file that records README facts while being written, so objects are built only once."""

    def documents() -> Iterator[Manifest]:
        kinds: Counter[str] = Counter()
        policies: list[Manifest] = []
        for obj in objects_of(file, context):
            kinds[str(obj.manifest["kind"])] += 1
            policies += _policies([obj.manifest])
            yield obj.manifest
        facts.value = Written(kinds, tuple(policies))

    return ManifestFile(file.name, documents, owner_of(file), facts)


def _image(context: Context) -> tuple[TextFile, ...]:
    """Return the runtime image's build context and bill of materials."""
    return (*image_files(context.system, context.target), bill_of_materials(context.system, context.target))
