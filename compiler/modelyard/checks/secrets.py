"""Secrets: references lead somewhere, and nothing that looks like a secret stands in the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelyard.checks.deployment import target_path
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import deployment as problems
from modelyard.source import Json, Path
from modelyard.spec import SecretRef, System

_BUILT_IN = "kubernetes"
_SHORTEST = 12
_LONG = 32
_HINTS = re.compile("AKIA|ASIA|gh[opsur]_|github_pat_|xox|AIza|k_live_|eyJ|PRIVATE KEY|://")

_LITERALS = (
    (re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"), "an AWS access key"),
    (re.compile(r"(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"), "a GitHub token"),
    (re.compile(r"(?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,}"), "a Slack token"),
    (re.compile(r"https://hooks\.slack\.com/[A-Za-z0-9/]{10,}"), "a Slack webhook"),
    (re.compile(r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"), "a Google API key"),
    (re.compile(r"(?<![A-Za-z0-9])[sr]k_live_[A-Za-z0-9]{16,}"), "a Stripe key"),
    (re.compile(r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."), "a signed web token"),
    (re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY"), "a private key"),
    (re.compile(r"://[^/\s:@]{1,200}:[^/\s:@]{1,200}@"), "a URL with a password"),
)
_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_NAMES = re.compile(
    r"(?:^|[_.-])(?:password|passwd|passphrase|secret|credentials?|api_?key|private_?key|"
    r"(?:access|auth|api|bearer|refresh)_?(?:key|token))$",
    re.IGNORECASE,
)
_FREE = ("parameters", "space", "patch")  # below these, keys are free names
_UNREAD = (*_FREE, "labels", "description", "reason", "card", "approvals")
_NAMED = {"metadata": 1, "governance": 1, "deployment": 3}  # how many steps lead to an entry, names included; else 2


def literals(system: System) -> Iterator[Diagnostic]:
    """No text of the spec looks like a secret; a reference stands only where secrets are read."""
    suspects: list[tuple[Path, str]] = []
    for section, entry in system.document.value.items():
        _collect(entry, (section,), suspects, free=False)
    for path, value in suspects:
        if value.startswith("secret://"):
            if any(step in _UNREAD for step in path[_NAMED.get(str(path[0]), 2) :]):
                yield problems.secret_reference_unread(system.at(*path), _dotted(path))
            continue
        looks_like = _looks_like(path, value)
        if looks_like:
            yield problems.secret_literal(system.at(*path), _dotted(path), looks_like)


def _collect(value: Json, path: Path, suspects: list[tuple[Path, str]], *, free: bool) -> None:
    """Every text that is worth a closer look, with its path. `free`: keys here are names that the user gave."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        if isinstance(entry, str):
            length = len(entry)
            if (length >= _SHORTEST and (length >= _LONG or _HINTS.search(entry))) or (
                free and _NAMES.search(str(key))
            ):
                suspects.append(((*path, key), entry))
        elif isinstance(entry, dict | list):
            _collect(entry, (*path, key), suspects, free=free or key in _FREE)
        elif free and isinstance(entry, int) and not isinstance(entry, bool) and _NAMES.search(str(key)):
            suspects.append(((*path, key), str(entry)))


def _looks_like(path: Path, value: str) -> str:
    for pattern, what in _LITERALS:
        if pattern.search(value):
            return what
    if any(step in _FREE for step in path[:-1]) and _NAMES.search(str(path[-1])) and value.strip():
        return "a secret, by its name"
    return "a token" if _TOKEN.fullmatch(value) and _mixed(value) else ""


def _mixed(value: str) -> bool:
    """Whether small and capital letters and digits are mixed as in random text, and not as in a path or a name."""
    if value.count("/") > 2 or value.count("-") > 4 or value.count("_") > 3:
        return False
    small = sum(letter.islower() for letter in value)
    capital = sum(letter.isupper() for letter in value)
    digits = sum(letter.isdigit() for letter in value)
    return small >= 6 and capital >= 6 and digits >= 4


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def stores(system: System) -> Iterator[Diagnostic]:
    """Every secret is read from a store of secrets that the cluster declares which reads it.

    Clouds bring a store of their own, and this machine reads secrets from the environment.
    """
    declared = {
        target.name: {store.name for store in target.secret_stores}
        for target in system.deployment.targets
        if target.provider == "kubernetes"
    }
    told: set[tuple[Path, str]] = set()
    for ref, path, targets in _references(system):
        for target in sorted(targets):
            if target not in declared or ref.store == _BUILT_IN or ref.store in declared[target]:
                continue
            if (path, target) not in told:
                told.add((path, target))
                yield problems.secret_store_unknown(system.at(*path), ref.store, target, sorted(declared[target]))


def _references(system: System) -> Iterator[tuple[SecretRef, Path, set[str]]]:
    """Every secret of the spec with its place and the targets that read it."""
    for target in system.deployment.targets:
        path = target_path(system, target.name)
        if target.gateway and target.gateway.certificate:
            yield target.gateway.certificate, (*path, "gateway", "certificate"), {target.name}
        if target.telemetry.secret:
            yield target.telemetry.secret, (*path, "telemetry", "secret"), {target.name}
    for inference in system.inference.values():
        if inference.endpoint.auth.token:
            path = ("inference", inference.name, "endpoint", "auth", "token")
            yield inference.endpoint.auth.token, path, {inference.target}
    with_models = _model_targets(system)
    if system.registry and system.registry.credentials:
        yield system.registry.credentials, ("registry", "credentials"), with_models
    readers = _store_readers(system, with_models)
    for store in system.stores.values():
        if store.credentials:
            yield store.credentials, ("stores", store.name, "credentials"), readers.get(store.name, set())
    speaking = {monitor.target for monitor in system.monitors.values()}
    speaking |= {inference.target for inference in system.inference.values() if inference.slo}
    for channel in system.channels.values():
        if channel.secret:
            field = {"pagerduty": "key", "email": "password"}.get(channel.type, "url")
            yield channel.secret, ("channels", channel.name, field), speaking


def _model_targets(system: System) -> set[str]:
    """The targets on which something reads or writes models."""
    result = {pipeline.target for pipeline in system.pipelines.values() if pipeline.model}
    result |= {inference.target for inference in system.inference.values()}
    return result | ({system.deployment.placement.registry} if system.registry else set())


def _store_readers(system: System, with_models: set[str]) -> dict[str, set[str]]:
    """The targets on which something reads or writes each store."""
    readers: dict[str, set[str]] = {}
    for store, target in _store_uses(system):
        readers.setdefault(store, set()).add(target)
    if system.registry and not system.registry.adopt:
        readers.setdefault(system.registry.database, set()).add(system.deployment.placement.registry)
        readers.setdefault(system.registry.artifacts, set()).update(with_models)
    return readers


def _store_uses(system: System) -> Iterator[tuple[str, str]]:
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            for name in filter(None, (*step.inputs, step.output)):
                yield system.data[name].store, pipeline.target
    for inference in system.inference.values():
        if inference.capture:
            yield inference.capture.store, inference.target
    for monitor in system.monitors.values():
        section, _, watched = monitor.watch.partition(".")
        reference = monitor.reference.data if monitor.reference else ""
        for name in filter(None, (monitor.labels, reference, watched if section == "data" else "")):
            yield system.data[name].store, monitor.target
        capture = system.inference[watched].capture if section == "inference" else None
        if capture:
            yield capture.store, monitor.target
