"""Check the governance rules declared in the spec and those of the system's industry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import approvers as keys
from modelyard.diagnostics.check import governance as problems
from modelyard.provider import Rule
from modelyard.spec import SecretRef, System
from modelyard.spec.scoring import scorings

SENSITIVE = ("pii", "cardholder", "phi")


def _sensitive(system: System) -> list[str]:
    """Return the sensitive data classes declared by governance or by a dataset."""
    classes = {*system.governance.data_classes, *(data.classification for data in system.data.values())}
    return [classification for classification in SENSITIVE if classification in classes]


def _in_production(system: System) -> dict[str, None]:
    """Return the models that are served or used for scoring."""
    models = [ref.model for inference in system.inference.values() for ref in inference.models]
    models += [scoring.model.model for scoring in scorings(system)]
    return dict.fromkeys(models)


def approvals(system: System) -> Iterator[Diagnostic]:
    """Require approvals for promotions in regulated high-risk systems, and enough approvers to grant them."""
    approval = system.governance.approve_promotion
    if approval is not None:
        if approval.minimum > len(approval.groups):
            span = system.key("governance", "approvals", "promote", "minimum")
            yield problems.approvals_impossible(span, approval.minimum, len(approval.groups))
        groups = {group.name for group in system.governance.approvers}
        for place, group in enumerate(approval.groups):
            if group not in groups:
                span = system.at("governance", "approvals", "promote", "from", place)
                yield keys.group_without_key(span, group)
    elif system.profile.regulated and system.governance.risk == "high" and system.models:
        aside = any(path[:2] == ("governance", "approvals") for path in system.document.aside)  # present but invalid
        if not aside:
            yield problems.approvals_missing(system.at("governance", "risk"), system.profile.industry)


def explainability(system: System) -> Iterator[Diagnostic]:
    """Require explanations if governance asks for them or, for models in production, if the industry does.

    Imported models and language models have no explanations; other rules check them.
    """
    advised = system.profile.regulated and system.governance.risk == "high"
    in_production = _in_production(system)
    for model in system.models.values():
        if model.explainability is not None or model.imported is not None or model.generates_text:
            continue
        span = system.key("models", model.name)
        if system.governance.explainability:
            yield problems.explainability_missing(span, model.name)
        elif advised and model.name in in_production:
            yield problems.explanation_advised(span, model.name, system.profile.industry)


def cards(system: System) -> Iterator[Diagnostic]:
    """Require a model card with purpose and limitations for production models in regulated industries."""
    if not system.profile.regulated:
        return
    for name in _in_production(system):
        card = system.models[name].card
        missing = [field for field, text in (("purpose", card.purpose), ("limitations", card.limitations)) if not text]
        if missing:
            span = system.key("models", name, "card") if len(missing) == 1 else system.key("models", name)
            yield problems.card_missing(span, name, missing, system.profile.industry)


def classifications(system: System) -> Iterator[Diagnostic]:
    """Require datasets in regulated industries to declare a sensitivity class, and governance to list each one."""
    declared = system.governance.data_classes
    lists_classes = "dataClasses" in system.written("governance")
    for data in system.data.values():
        if not data.classification:
            if system.profile.regulated:
                yield problems.classification_missing(system.key("data", data.name), data.name, system.profile.industry)
        elif lists_classes and data.classification in SENSITIVE and data.classification not in declared:
            span = system.at("data", data.name, "classification")
            yield problems.class_not_declared(span, data.name, data.classification, declared)


def captures(system: System) -> Iterator[Diagnostic]:
    """Require a retention period for captured requests if the system has sensitive data."""
    sensitive = _sensitive(system)
    if not sensitive:
        return
    for inference in system.inference.values():
        if inference.capture and inference.capture.retain_s is None:
            span = system.key("inference", inference.name, "capture")
            yield problems.capture_without_end(span, inference.name, sensitive)


def retention(system: System) -> Iterator[Diagnostic]:
    """Report bucket retention that deletes models, or captures before their own retention period ends."""
    registry = system.registry
    for store in system.stores.values():
        if store.retention_s is None or store.adopt:
            continue
        span, age = system.at("stores", store.name, "retention"), _days(store.retention_s)
        if registry is not None and not registry.adopt and registry.artifacts == store.name:
            reason = "the registry stores models there, which may be used for longer"
            yield problems.deleted_too_soon(span, store.name, age, reason)
        for inference in system.inference.values():
            capture = inference.capture
            if capture is None or capture.store != store.name or (capture.retain_s or 0) <= store.retention_s:
                continue
            reason = f"captures of {inference.name!r} must be kept for {_days(capture.retain_s or 0)}"
            yield problems.deleted_too_soon(span, store.name, age, reason)


def locks(system: System) -> Iterator[Diagnostic]:
    """Report settings that conflict with Object Lock, and locked buckets whose data workloads overwrite."""
    for store in system.stores.values():
        lock, path = store.object_lock, ("stores", store.name)
        if lock is None or store.adopt:
            continue
        age = str(system.written(*path, "objectLock")["retain"])
        if not store.versioned:
            reason, action = "but Object Lock needs versioning, which is off", "remove `versioned: false`"
            yield problems.lock_contradicted(system.at(*path, "versioned"), store.name, age, reason, action)
        if store.retention_s is not None and store.retention_s < lock.retain_s:
            reason, action = (
                f"longer than its retention of {_days(store.retention_s)}",
                f"set `retention` to {age} or more",
            )
            yield problems.lock_contradicted(system.at(*path, "retention"), store.name, age, reason, action)
        for inference in system.inference.values():
            capture = inference.capture
            if (
                capture is not None
                and capture.store == store.name
                and (capture.retain_s or lock.retain_s) < lock.retain_s
            ):
                span = system.key("inference", inference.name, "capture")
                reason = f"but captures of {inference.name!r} must be deleted after {_days(capture.retain_s or 0)}"
                action = f"set `retain: {age}`, or capture to another store"
                yield problems.lock_contradicted(span, store.name, age, reason, action)
        for reason in _rewritten(system, store.name):
            yield problems.locked_by_habit(system.key(*path, "objectLock"), store.name, age, reason)


def _rewritten(system: System, store: str) -> Iterator[str]:
    """Yield the data in a store that workloads overwrite regularly."""
    if system.registry is not None and system.registry.artifacts == store:
        yield "the registry writes models and checkpoints there"
    outputs = {
        name
        for pipeline in system.pipelines.values()
        for name in (pipeline.output, *(step.output for step in pipeline.steps))
    }
    for data in system.data.values():
        if data.name in outputs and data.store == store:
            yield f"pipelines write {data.name!r} there"


def _days(seconds: int) -> str:
    """Format a duration as in a spec: in days, or in hours if it isn't a whole number of days."""
    return f"{seconds // 3600}h" if seconds % 86400 else f"{seconds // 86400}d"


def exposure(system: System) -> Iterator[Diagnostic]:
    """Require authentication for public endpoints and, in regulated industries, for internal ones."""
    for inference in system.inference.values():
        endpoint = inference.endpoint
        if endpoint.auth.type != "none":
            continue
        span = system.at("inference", inference.name, "endpoint", "exposure")
        if endpoint.exposure == "public":
            yield problems.public_without_auth(span, inference.name)
        elif endpoint.exposure == "internal" and system.profile.regulated:
            yield problems.internal_without_auth(span, inference.name, system.profile.industry)


def callers(system: System) -> Iterator[Diagnostic]:
    """Require a separate secret for each caller of an endpoint."""
    for inference in system.inference.values():
        owners: dict[SecretRef, str] = {}
        for caller in inference.endpoint.auth.callers:
            owner = owners.setdefault(caller.token, caller.name)
            if owner != caller.name:
                span = system.at("inference", inference.name, "endpoint", "auth", *caller.field)
                yield problems.callers_share_token(span, inference.name, caller.name, owner)


def residency_limited(system: System) -> Iterator[Diagnostic]:
    """Require allowed regions if the system has sensitive data."""
    sensitive = _sensitive(system)
    if sensitive and not system.governance.residency and system.deployment.mode != "local":
        path = ("governance", "dataClasses") if system.governance.data_classes else ("governance",)
        yield problems.residency_not_limited(system.key(*path), sensitive)


RULES: Final[tuple[Rule, ...]] = (
    approvals,
    explainability,
    cards,
    classifications,
    captures,
    retention,
    locks,
    exposure,
    callers,
    residency_limited,
)
