"""What commands read from the lock beside a spec, and what a compile would write into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import modelyard_schemas
from modelyard import __version__
from modelyard.disk import read
from modelyard.inputs import Inputs
from modelyard.lock import LOCK_NAME, Addresses, Locked, digest

if TYPE_CHECKING:
    from modelyard.plan import Plan
    from modelyard.target import Targets


def input_key(inputs: Inputs) -> str:
    """A hash of everything that decides the output: files, variables, this version and its schema."""
    overlay = b"" if inputs.overlay is None else _bytes(inputs.overlay.content)
    variables = (text for pair in sorted(inputs.variables.items()) for text in pair)
    names = (inputs.environment or "", __version__, modelyard_schemas.text("system"))
    return digest(_bytes(inputs.spec.content), overlay, *names, *variables)


def read_lock(inputs: Inputs) -> bytes:
    """The lock beside the spec; empty where it is missing, unreadable, or a symbolic link."""
    try:
        return read(str(lock_path(inputs)))
    except OSError:
        return b""


def lock_path(inputs: Inputs) -> Path:
    """Where the lock of a spec is."""
    return Path(inputs.spec.path).parent / LOCK_NAME


def locked(key: str, plan: Plan, targets: Targets, before: Addresses) -> Locked:
    """The lock's entry for a plan; `before` holds what earlier compiles left behind, by target and address."""
    from modelyard.lasting import lasting, removed

    pins = {target.name: targets[target.provider].pins(plan, target.name) for target in plan.system.deployment.targets}
    charts = {name: version for pinned in pins.values() for name, version in pinned.charts.items()}
    images = {name: tag for pinned in pins.values() for name, tag in pinned.images.items()}
    return Locked(key, tuple(pins), charts, images, lasting(plan), removed(plan, before))


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()
