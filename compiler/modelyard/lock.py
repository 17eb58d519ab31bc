"""modelyard.lock: what the last compile of each environment was made from, beside the spec and part of its review.

It holds versions and hashes only, no date and no path, so that it changes when what comes out may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from modelyard import __version__
from modelyard.load import load
from modelyard.records import record
from modelyard.source import Json
from modelyard.stack import Value
from modelyard.writers.yaml_text import comment, document

LOCK_NAME = "modelyard.lock"


@record
class Locked:
    """One environment as it was compiled: the hash of its inputs, its targets, and what these pin by name."""

    inputs: str
    targets: tuple[str, ...]
    charts: Mapping[str, str]
    images: Mapping[str, str]
    resources: Mapping[str, Mapping[str, str]]  # by target: address, and the section and name that asked for it


def digest(*parts: str | bytes) -> str:
    """`sha256:` and the hash over all parts, each with its length, so that no two lists of parts agree by chance."""
    total = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return f"sha256:{total.hexdigest()}"


def environments(text: str | bytes) -> dict[str, Json]:
    """The environments of a lock as they stand in it; none where it cannot be read: it is written anew."""
    return _section(_without_resources(text), "environments")


def resources_locked(text: str | bytes, environment: str) -> dict[str, dict[str, str]]:
    """By target, what the last compile of an environment left behind: addresses, and what asked for them."""
    entry = _section(text, "resources").get(environment)
    targets = entry if isinstance(entry, dict) else {}
    return {
        target: {address: str(owner) for address, owner in found.items()}
        for target, found in targets.items()
        if isinstance(found, dict)
    }


def _section(text: str | bytes, name: str) -> dict[str, Json]:
    found, _ = load(text, LOCK_NAME)
    section = found.value.get(name) if found is not None else None
    return dict(section) if isinstance(section, dict) else {}


def _without_resources(text: str | bytes) -> str | bytes:
    """The lock without its last section, which grows with the system: an unchanged compile does not read it."""
    return text.partition("\nresources:\n")[0] if isinstance(text, str) else text.partition(b"\nresources:\n")[0]


def targets_locked(text: str | bytes, environment: str, inputs: str) -> tuple[str, ...]:
    """The targets that an environment was compiled to from just these inputs; empty when they were others."""
    entry = environments(text).get(environment)
    if not isinstance(entry, dict) or entry.get("inputs") != inputs:
        return ()
    targets = entry.get("targets")
    return tuple(str(target) for target in targets) if isinstance(targets, list) else ()


def lock_text(before: str | bytes, environment: str, locked: Locked, schema: str) -> str:
    """The lock with one environment set and the others as they were, sorted by name."""
    entries: dict[str, Value] = {**environments(before), environment: _entry(locked)}
    written: dict[str, Value] = {
        "lockVersion": 1,
        "modelyard": __version__,
        "schema": digest(schema),
        "environments": {name: entries[name] for name in sorted(entries)},
    }
    resources: dict[str, Value] = {**_section(before, "resources")}
    resources[environment] = {target: dict(sorted(found.items())) for target, found in locked.resources.items()}
    written["resources"] = {name: resources[name] for name in sorted(resources)}
    return comment("Written by modelyard; part of the review, never edited by hand.") + document(written)


def _entry(locked: Locked) -> dict[str, Value]:
    pins = {"charts": locked.charts, "images": locked.images}
    filled: dict[str, Value] = {name: dict(sorted(pinned.items())) for name, pinned in pins.items() if pinned}
    return {"inputs": locked.inputs, "targets": list(locked.targets), **filled}
