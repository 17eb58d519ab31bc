"""The build context of the runtime image, which workloads use if they have no image of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Final, TypedDict

from modelyard.hashing import sha256
from modelyard.plan import (
    ByType,
    Job,
    ModelServer,
    MonitorJob,
    Plan,
    Promoter,
    RegistryServer,
    Resource,
    Starter,
    is_adopted,
)
from modelyard.spec import Store, System, TargetSpec
from modelyard.stack import TextFile
from modelyard_targets.kube.image.packages import locked
from modelyard_targets.kube.placement.context import RAY_VERSION, mirrored
from modelyard_targets.kube.storage.buckets import schemes
from modelyard_targets.kube.workload.ray_cluster import serving_cluster_scales

FOLDER: Final = "image"
BASE: Final = f"docker.io/rayproject/ray:{RAY_VERSION}-py311"

_PACKAGE = "modelyard_runtime"
_KEPT = frozenset({".py", ".json", ".typed"})
_HASH_LENGTH = 12

_DOCKERFILE = """\
# The runtime image, for workloads that name no image of their own.
FROM {base}

# The node's container toolkit mounts GPU devices; libraries come with the packages below.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility \\
    PYTHONPATH=/opt/modelyard \\
    PYTHONDONTWRITEBYTECODE=1

COPY requirements.txt /opt/modelyard/requirements.txt
RUN python -m pip install --no-cache-dir --disable-pip-version-check \\
    --require-hashes -r /opt/modelyard/requirements.txt
COPY modelyard_runtime /opt/modelyard/modelyard_runtime

USER 1000
WORKDIR /tmp
"""


def runtime_image(system: System, target: TargetSpec) -> str:
    """Return the image's name on a target. The tag is a content hash, so that a changed image gets a new tag.

    Without a registry, the image must exist on the nodes. The `localhost/` prefix then prevents a pull from Docker Hub,
    where anyone could have published an image with that name.
    """
    prefix = target.images.registry or "localhost"
    return f"{prefix}/{system.metadata.name}-runtime:{content_hash(system, target)}"


def image_files(system: System, target: TargetSpec) -> tuple[TextFile, ...]:
    """Return the files of the build context, with paths relative to the target's folder."""
    return tuple(TextFile(f"{FOLDER}/{path}", _constant(text)) for path, text in _files(system, target).items())


def content_hash(system: System, target: TargetSpec) -> str:
    """Return a short hash of all paths and contents in the build context."""
    total = sha256()
    for path, text in _files(system, target).items():
        for part in (path.encode(), text.encode()):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:_HASH_LENGTH]


def needs_runtime_image(plan: Plan, placement: str) -> bool:
    """Return whether any container of a placement uses the image.

    The image is used by workloads without their own image, launchers, autoscalers, monitors, and Jobs that create a
    bucket or the login to a cloud database.
    """
    return any(_runs_in_it(resource, plan.system) for resource in plan.on(placement))


def requirements(system: System, target: TargetSpec) -> tuple[str, ...]:
    """Return the image's direct requirements for this system and target.

    All workloads have some requirements in common. The others are for the frameworks and storage protocols in use, for
    managed databases, and for the registry if it runs on the target.
    """
    table = requirements_table()
    frameworks = {model.framework for model in system.models.values()}
    frameworks |= {step.trainer for pipeline in system.pipelines.values() for step in pipeline.steps}
    lines = list(table["always"])
    if any(store.type == "database" and not store.adopt for store in system.stores.values()):
        lines += table["databases"]
    if system.registry is not None and not system.registry.adopt and _holds_registry(system, target):
        lines += table["registry"]
    for scheme in schemes(system):
        lines += table["protocols"].get(scheme, [])
    for framework, needed in table["frameworks"].items():
        if framework in frameworks:
            lines += needed
    return tuple(sorted(set(lines)))


def _never(resource: Resource, system: System) -> bool:
    return False


def _always(resource: Resource, system: System) -> bool:
    return True


def _unless_all_own(resource: Resource[ModelServer], system: System) -> bool:
    server = resource.value
    return serving_cluster_scales(server) or any(not one.inference.source.image for one in server.applications)


def _unless_adopted(resource: Resource[RegistryServer], system: System) -> bool:
    return not is_adopted(resource)


def _made_by_a_job(resource: Resource[Store], system: System) -> bool:
    in_cloud = system.target(resource.placement).in_cloud
    return not is_adopted(resource) and (resource.value.type == "object" or in_cloud)


_runs_in_it: Final = (
    ByType(_never)
    .case(ModelServer, _unless_all_own)
    .case(RegistryServer, _unless_adopted)
    .case(Store, _made_by_a_job)
    .case(Job, _always)
    .case(MonitorJob, _always)
    .case(Promoter, _always)
    .case(Starter, _always)
)


def _files(system: System, target: TargetSpec) -> dict[str, str]:
    files = {
        "Dockerfile": _DOCKERFILE.format(base=mirrored(BASE, target)),
        "requirements.txt": "".join(f"{entry}\n" for entry in locked("image", requirements(system, target))),
        ".dockerignore": "**/__pycache__\n",
    }
    return {**files, **runtime_files()}


def _holds_registry(system: System, target: TargetSpec) -> bool:
    return system.deployment.placement.registry == target.name


@cache
def runtime_files() -> dict[str, str]:
    """Read the installed runtime's source files, by path, without importing the package."""
    from pathlib import Path

    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    root = Path(next(iter(spec.submodule_search_locations)))
    found = sorted(path for path in root.rglob("*") if path.suffix in _KEPT and path.is_file())
    return {f"{_PACKAGE}/{path.relative_to(root).as_posix()}": path.read_text(encoding="utf-8") for path in found}


class Table(TypedDict):
    """Lines of `requirements.txt`, grouped by the feature that needs them. Protocols are listed by URI scheme."""

    beside: str
    always: list[str]
    databases: list[str]
    protocols: dict[str, list[str]]
    registry: list[str]
    frameworks: dict[str, list[str]]


@cache
def requirements_table() -> Table:
    """Return the table of requirements."""
    with open(os.path.join(os.path.dirname(__file__), "requirements.json"), encoding="utf-8") as file:
        table: Table = json.load(file)
    return table


def _constant(text: str) -> Callable[[], str]:
    return lambda: text
