"""Check that every secret reference can be resolved, and that the spec contains no literal secrets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import deployment as problems
from modelyard.provider import Rule
from modelyard.secret_literals import secret_literals
from modelyard.source import Path
from modelyard.spec import SecretRef, System, target_path
from modelyard.spec.scoring import models_of

_BUILT_IN = "kubernetes"
_ON_ANY_CLUSTER: Final = frozenset({"existing", "external-secrets"})


def literals(system: System) -> Iterator[Diagnostic]:
    """Report strings that look like secrets, and secret references in fields that do not support references."""
    return secret_literals(system.document)


def stores(system: System) -> Iterator[Diagnostic]:
    """Require every secret to come from a secret store that its target declares.

    The local machine reads secrets from the environment.
    """
    declared = {
        target.name: {store.name for store in target.secret_stores}
        for target in system.deployment.targets
        if target.secrets_via
    }
    via_by_target = {target.name: target.secrets_via for target in system.deployment.targets}
    reported: set[tuple[Path, str]] = set()
    for ref, path, targets in _references(system):
        for target in sorted(targets):
            if target not in declared or ref.store == _BUILT_IN or ref.store in declared[target]:
                continue
            if (path, target) not in reported:
                reported.add((path, target))
                names, via = sorted(declared[target]), via_by_target[target]
                yield problems.secret_store_unknown(system.at(*path), ref.store, target, names, via)


def sources(system: System) -> Iterator[Diagnostic]:
    """Allow a cloud's own service for secrets only on clusters in that cloud."""
    for target in system.deployment.targets:
        for store in target.secret_stores:
            if store.via not in _ON_ANY_CLUSTER | {target.secrets_via}:
                span = system.at(*target_path(system, target.name), "secretStores", store.name, "via")
                yield problems.secrets_of_a_cloud_elsewhere(span, store.name, target.name, target.provider)


def _references(system: System) -> Iterator[tuple[SecretRef, Path, set[str]]]:
    """Yield every secret in the spec, with its location and the targets that read it."""
    for target in system.deployment.targets:
        path = target_path(system, target.name)
        if target.gateway and target.gateway.certificate:
            yield target.gateway.certificate, (*path, "gateway", "certificate"), {target.name}
        if target.head_state and target.head_state.password:
            yield target.head_state.password, (*path, "headState", "password"), {target.name}
        if target.telemetry.secret:
            yield target.telemetry.secret, (*path, "telemetry", "secret"), {target.name}
    for inference in system.inference.values():
        for caller in inference.endpoint.auth.callers:
            yield caller.token, ("inference", inference.name, "endpoint", "auth", *caller.field), {inference.target}
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
    """Return the targets where any workload reads or writes models."""
    result = {pipeline.target for pipeline in system.pipelines.values() if pipeline.model or models_of(pipeline)}
    result |= {inference.target for inference in system.inference.values()}
    return result | ({system.deployment.placement.registry} if system.registry else set())


def _store_readers(system: System, with_models: set[str]) -> dict[str, set[str]]:
    """Return, for each store, the targets where any workload reads or writes it."""
    readers: dict[str, set[str]] = {}
    for store, target in _store_uses(system):
        readers.setdefault(store, set()).add(target)
    if system.registry and not system.registry.adopt:
        readers.setdefault(system.registry.database, set()).add(system.deployment.placement.registry)
        readers.setdefault(system.registry.artifacts, set()).update(with_models)
    return readers


def _store_uses(system: System) -> Iterator[tuple[str, str]]:
    for pipeline in system.pipelines.values():
        inputs = (step.inputs for step in pipeline.steps if step.inputs is not pipeline.inputs)
        outputs = (step.output for step in pipeline.steps if step.output)
        for name in chain(pipeline.inputs, *inputs, outputs):
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


RULES: Final[tuple[Rule, ...]] = (literals, stores, sources)
