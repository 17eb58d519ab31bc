"""Read the lock stored next to a spec, and render the lock that a compile writes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import modelyard_schemas
from modelyard import __version__
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.verify import lock_unreadable
from modelyard.inputs import LOCK_NAME, InputFile, Inputs
from modelyard.lock import (
    Addresses,
    Locked,
    Pinned,
    digest,
    entry_for,
    environments,
    unreadable,
    without_resources,
    wrong_pins,
)
from modelyard.records import replace
from modelyard.regular_files import read
from modelyard.value_hash import values_hash

if TYPE_CHECKING:
    from modelyard.plan import Plan
    from modelyard.spec import System
    from modelyard.target import Targets


def input_key(inputs: Inputs, system: System) -> str:
    """Return a hash of everything that determines the output: values, tables, modelyard's version and schema.

    Values are taken from the environment's typed spec, so formatting doesn't matter.
    """
    names = (inputs.folder, __version__, modelyard_schemas.decisive())
    tables = (part for name, table in sorted(inputs.tables.items()) for part in (name, _rows(table)))
    return digest(values_hash(system), *names, *tables)


def _rows(table: InputFile | str) -> str:
    """Return a CSV file's rows, or the reason it can't be read, as text unaffected by quotes and line breaks."""
    import csv  # imported here because only a few specs have tables

    text = table if isinstance(table, str) else _bytes(table.content).decode("utf-8", "replace")
    return repr([row for row in csv.reader(text.splitlines()) if row])


def text_key(inputs: Inputs) -> str:
    """Return a hash of all input texts, which lets a compile detect quickly that there's nothing to do."""
    overlay = b"" if inputs.overlay is None else _bytes(inputs.overlay.content)
    variables = (text for pair in sorted(inputs.variables.items()) for text in pair)
    names = (inputs.environment or "", __version__, modelyard_schemas.decisive())
    approvals = (_bytes(approval.content) for approval in inputs.approvals)
    tables = (
        part
        for name, table in sorted(inputs.tables.items())
        for part in (name, table if isinstance(table, str) else _bytes(table.content))
    )
    return digest(_bytes(inputs.spec.content), overlay, *names, *variables, *approvals, *tables)


def read_lock(inputs: Inputs) -> bytes:
    """Return the lock next to the spec, or b"" if it is missing, unreadable, or a symbolic link."""
    try:
        return read(lock_path(inputs))
    except OSError:
        return b""


def lock_path(inputs: Inputs) -> str:
    """Return the path of a spec's lock."""
    return os.path.join(os.path.dirname(inputs.spec.path), LOCK_NAME)


def locked(key: str, plan: Plan, targets: Targets, before: Addresses) -> Locked:
    """Return the lock entry for a plan. `before` holds resources left by earlier compiles, by target and address."""
    from modelyard.persistent import persistent_resources, removed

    names = tuple(target.name for target in plan.system.deployment.targets)
    pins = _pinned(plan, targets)
    return Locked(key, names, pins["charts"], pins["images"], persistent_resources(plan), removed(plan, before))


def _pinned(plan: Plan, targets: Targets) -> Pinned:
    pins = [targets[target.provider].pins(plan, target.name) for target in plan.system.deployment.targets]
    charts = {name: version for pinned in pins for name, version in pinned.charts.items()}
    images = {name: tag for pinned in pins for name, tag in pinned.images.items()}
    return {"charts": charts, "images": images}


def lock_problems(inputs: Inputs, whole: bool = True) -> tuple[Diagnostic, ...]:
    """Report why an existing lock can't be read. With `whole`, also read the lock's resources."""
    text = read_lock(inputs)
    reason = unreadable(text if whole else without_resources(text))
    return (lock_unreadable(lock_path(inputs), reason),) if reason else ()


def false_pins(inputs: Inputs, plans: Mapping[str | None, Plan], targets: Targets) -> Iterator[Diagnostic]:
    """Report pinned versions in the lock that differ from the compiled ones, by environment.

    Entries for other inputs are outdated and skipped, so no pins are computed while a spec is being edited.
    """
    entries = environments(read_lock(inputs))
    for name, plan in plans.items():
        picked = replace(inputs, environment=name, overlay=inputs.beside.get(name) if name is not None else None)
        entry = entry_for(entries, picked.folder, input_key(picked, plan.system)) if picked.folder in entries else None
        if entry is not None:
            yield from wrong_pins(entry, lock_path(inputs), picked.folder, _pinned(plan, targets))


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()
