"""The build context of the runtime image, used by workloads that don't have their own image."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Final, TypedDict

from modelyard.hashing import sha256
from modelyard.spec import System, TargetSpec
from modelyard.stack import TextFile
from modelyard_targets.kube.image.needed import BASE
from modelyard_targets.kube.image.packages import locked
from modelyard_targets.kube.placement.context import mirrored
from modelyard_targets.kube.storage.buckets import schemes

FOLDER: Final = "image"

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
    """Return the image's name on a target. The tag is a content hash, so a changed image gets a new tag.

    Without a registry, the image must exist on the nodes. In that case, the `localhost/` prefix prevents a pull from
    Docker Hub, where anyone could have published an image of that name.
    """
    prefix = target.images.registry or "localhost"
    return f"{prefix}/{system.metadata.name}-runtime:{content_hash(system, target)}"


def image_files(system: System, target: TargetSpec) -> tuple[TextFile, ...]:
    """Return the files of the build context, with paths relative to the target's folder."""
    return tuple(TextFile(f"{FOLDER}/{path}", _constant(text)) for path, text in _files(system, target).items())


def content_hash(system: System, target: TargetSpec) -> str:
    """Return a short hash of all paths and contents in the build context."""
    return _hash_of(_base(target), requirements(system, target))


@lru_cache(maxsize=16)
def _hash_of(base: str, direct: tuple[str, ...]) -> str:
    """Return the hash of a base image and its direct requirements, which are all that differs between targets."""
    total = sha256()
    for path, text in _contents(base, direct).items():
        for part in (path.encode(), text.encode()):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:_HASH_LENGTH]


def requirements(system: System, target: TargetSpec) -> tuple[str, ...]:
    """Return the image's direct requirements for this system and target.

    Some requirements are common to all workloads. The others are for the frameworks and storage protocols in use, for
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
    lines += protocol_requirements(system)
    for framework, extra in table["frameworks"].items():
        if framework in frameworks:
            lines += extra
    return tuple(sorted(set(lines)))


def protocol_requirements(system: System) -> tuple[str, ...]:
    """Return the requirements for the storage protocols in use, except those included in every image."""
    table = requirements_table()["protocols"]
    return tuple(line for scheme in sorted(schemes(system)) for line in table.get(scheme, ()))


def _files(system: System, target: TargetSpec) -> dict[str, str]:
    return _contents(_base(target), requirements(system, target))


def _contents(base: str, direct: tuple[str, ...]) -> dict[str, str]:
    files = {
        "Dockerfile": _DOCKERFILE.format(base=base),
        "requirements.txt": "".join(f"{entry}\n" for entry in locked("image", direct)),
        ".dockerignore": "**/__pycache__\n",
    }
    return {**files, **runtime_files()}


def _base(target: TargetSpec) -> str:
    """Return the base image. An image for many sites is built centrally, where no site's mirror applies."""
    return BASE if target.sites is not None else mirrored(BASE, target)


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
    paths = sorted(path for path in root.rglob("*") if path.suffix in _KEPT and path.is_file())
    return {f"{_PACKAGE}/{path.relative_to(root).as_posix()}": path.read_text(encoding="utf-8") for path in paths}


class Table(TypedDict):
    """Lines of `requirements.txt`, grouped by the feature that needs them. Protocols are keyed by URI scheme."""

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
