"""The build context of the runtime image: for every workload that names no image of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Final, TypedDict

from modelyard.hashing import sha256
from modelyard.plan import Job, ModelServer, MonitorJob, Plan, Promoter, RegistryServer, Resource, Starter
from modelyard.spec import Store, System, TargetSpec
from modelyard.stack import TextFile
from modelyard_targets.kube.image.packages import locked
from modelyard_targets.kube.placement.context import RAY_VERSION, mirrored
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
    """What the image is called on a target: by its content, so that a new one never hides behind an old name.

    Without a registry it has to be on the nodes already. It is then called `localhost/…`, which no node finds anywhere
    else: a bare name would be looked for on Docker Hub, where anybody may put something of that name.
    """
    prefix = target.images.registry or "localhost"
    return f"{prefix}/{system.metadata.name}-runtime:{content_hash(system, target)}"


def image_files(system: System, target: TargetSpec) -> tuple[TextFile, ...]:
    """The files of the build context, at paths relative to the folder of the target."""
    return tuple(TextFile(f"{FOLDER}/{path}", _constant(text)) for path, text in _files(system, target).items())


def content_hash(system: System, target: TargetSpec) -> str:
    """The first characters of a hash over every file of the build context and its path."""
    total = sha256()
    for path, text in _files(system, target).items():
        for part in (path.encode(), text.encode()):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:_HASH_LENGTH]


def needs_runtime_image(plan: Plan, placement: str) -> bool:
    """Whether some container of a placement runs in it: of a workload that names no image, of what starts or resizes
    one, of a monitor, of the Job that makes a bucket or the login of a cloud's database.
    """
    return any(_runs_in_it(resource, plan.system) for resource in plan.on(placement))


def requirements(system: System, target: TargetSpec) -> tuple[str, ...]:
    """What the image requires directly: for every workload, for the frameworks in use, for a managed database, and for
    the registry where it runs on the target.
    """
    table = _table()
    frameworks = {model.framework for model in system.models.values()}
    frameworks |= {step.trainer for pipeline in system.pipelines.values() for step in pipeline.steps}
    lines = list(table["always"])
    if any(store.type == "database" and not store.adopt for store in system.stores.values()):
        lines += table["databases"]
    if system.registry is not None and not system.registry.adopt and _holds_registry(system, target):
        lines += table["registry"]
    for framework, needed in table["frameworks"].items():
        if framework in frameworks:
            lines += needed
    return tuple(sorted(set(lines)))


def _runs_in_it(resource: Resource, system: System) -> bool:
    value = resource.value
    if isinstance(value, ModelServer):
        return serving_cluster_scales(value) or any(not one.inference.source.image for one in value.applications)
    if isinstance(value, RegistryServer):
        return not value.registry.adopt
    if isinstance(value, Store):
        return not value.adopt and (value.type == "object" or system.target(resource.placement).in_cloud)
    return isinstance(value, (Job, MonitorJob, Promoter, Starter))


def _files(system: System, target: TargetSpec) -> dict[str, str]:
    files = {
        "Dockerfile": _DOCKERFILE.format(base=mirrored(BASE, target)),
        "requirements.txt": "".join(f"{entry}\n" for entry in locked("image", requirements(system, target))),
        ".dockerignore": "**/__pycache__\n",
    }
    return {**files, **_runtime()}


def _holds_registry(system: System, target: TargetSpec) -> bool:
    return system.deployment.placement.registry == target.name


@cache
def _runtime() -> dict[str, str]:
    """The source of the runtime, read from where it is installed and not imported."""
    from pathlib import Path

    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    root = Path(next(iter(spec.submodule_search_locations)))
    found = sorted(path for path in root.rglob("*") if path.suffix in _KEPT and path.is_file())
    return {f"{_PACKAGE}/{path.relative_to(root).as_posix()}": path.read_text(encoding="utf-8") for path in found}


class _Table(TypedDict):
    """Lines of `requirements.txt`: for every workload, for what is made beside them, and by framework."""

    always: list[str]
    databases: list[str]
    registry: list[str]
    frameworks: dict[str, list[str]]


@cache
def _table() -> _Table:
    with open(os.path.join(os.path.dirname(__file__), "requirements.json"), encoding="utf-8") as file:
        table: _Table = json.load(file)
    return table


def _constant(text: str) -> Callable[[], str]:
    return lambda: text
