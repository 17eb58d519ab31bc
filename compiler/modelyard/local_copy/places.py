"""Replace everything that is not on this machine: targets, buckets, databases, the registry, and cluster features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.local_copy.code import HasCode
from modelyard.local_copy.note import Entry, Note, entries, mapping, section, unused

_ONLY_ELSEWHERE: Final = ("environments", "vars", "moved", "overrides")
_PLACED: Final = ("stores", "pipelines", "inference", "monitors")
_KEPT_OF_GOVERNANCE: Final = ("owner", "retention")
_GOVERNANCE: Final = {
    "approvals": "nobody approves versions trained on generated data, so they are promoted without approvals",
    "risk": "generated data puts nobody at risk",
    "residency": "no data leaves this machine",
    "budget": "this machine costs nothing",
    "explainability": "models that declare explanations are still explained",
}


def without_places(spec: Entry, has_code: HasCode) -> Iterator[Note]:
    """Move the copy's targets, stores and registry to this machine, and drop cluster features."""
    yield from _targets(spec)
    yield from _governance(spec)
    for name, _ in entries(spec, "overrides"):
        yield Note(f"overrides.{name}", "left out, because there are no Kubernetes objects")
    for name in _ONLY_ELSEWHERE:
        spec.pop(name, None)
    for name in _PLACED:
        for _, entry in entries(spec, name):
            entry.pop("target", None)
    yield from _stores(spec)
    yield from _registry(spec)
    yield from _datasets(spec)


def _targets(spec: Entry) -> Iterator[Note]:
    deployment = mapping(spec["deployment"])
    targets = mapping(deployment.get("targets")) or {"": deployment}
    for name, target in targets.items():
        here = f"deployment.targets.{name}" if name else "deployment"
        yield Note(here, f"{mapping(target).get('provider', 'its provider')} is replaced by this machine")
    spec["deployment"] = {"mode": "local", "provider": "local"}


def _governance(spec: Entry) -> Iterator[Note]:
    governance = mapping(spec.get("governance"))
    for field, reason in _GOVERNANCE.items():
        if field in governance:
            yield Note(f"governance.{field}", f"left out: {reason}")
    spec["governance"] = {name: value for name, value in governance.items() if name in _KEPT_OF_GOVERNANCE}


def _stores(spec: Entry) -> Iterator[Note]:
    for name, store in entries(spec, "stores"):
        kind = store.get("type")
        where = store.get("endpoint") or store.get("adopt")
        section(spec, "stores")[name] = {"type": kind}
        if where:
            instead = "a folder" if kind == "object" else "an SQLite file"
            yield Note(f"stores.{name}", f"{where} is not opened; {instead} takes its place")


def _registry(spec: Entry) -> Iterator[Note]:
    before = mapping(spec.get("registry"))
    if before.get("adopt"):
        yield Note("registry", f"{before['adopt']} is not opened; an MLflow on this machine takes its place")
    spec["registry"] = {
        "database": before.get("database") or _store(spec, "database", "registry-db"),
        "artifacts": before.get("artifacts") or _store(spec, "object", "artifacts"),
    }


def _store(spec: Entry, kind: str, preferred: str) -> str:
    """Return a store of the given type, adding one if there is none."""
    for name, store in entries(spec, "stores"):
        if store.get("type") == kind:
            return name
    name = unused(spec, "stores", preferred)
    section(spec, "stores")[name] = {"type": kind}
    return name


def _datasets(spec: Entry) -> Iterator[Note]:
    for name, data in entries(spec, "data"):
        if uri := data.pop("uri", None):
            data |= {"store": _store(spec, "object", "data"), "path": name}
            yield Note(f"data.{name}", f"{uri} is not opened; a folder takes its place")
