"""Moves the alias as the last step of promotion, once this exact model has all approvals.

Until then, the version waits.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime

from modelyard_runtime.promotion import aliases, approvals, evidence, imports
from modelyard_runtime.promotion.changes import closed
from modelyard_runtime.promotion.checks import check_promoter
from modelyard_runtime.promotion.delivery import deliver_all
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG, HELD
from modelyard_runtime.promotion.history import PROMOTE, TAKE_BACK, History, Move, actor_of, arrived
from modelyard_runtime.promotion.look import Subject
from modelyard_runtime.promotion.soak import soaked
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of_version
from modelyard_runtime.registry.lineage import WORKLOAD_TAG
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.telemetry.reported import labels_of, report
from modelyard_runtime.workload.mounted import mounted_workload
from modelyard_runtime.workload.records import Approvals, Model, PipelineWorkload, PromoterWorkload, Promotion, Workload

FAILED_TAG = "modelyard.gate.failed"
"""Tag with the rules of its gate that a version failed."""

AGAINST_TAG = "modelyard.gate.against"
"""Tag with the number of the version that the gate compared a version with, or `none`."""

REFUSED = "modelyard_gate_refused"
WAITING = "modelyard_versions_waiting"
SOAK_FAILED = "modelyard_soak_failed"
IMPORT_MISSING = "modelyard_import_missing"

_NONE = "none"
_FAILED_SOAK = "it failed its soak: "
_WHY = "it passed its gate and has everything that it needs"
_log = logging.getLogger(__name__)


def run(now: datetime | None = None) -> int:
    """Promote the newest versions that passed their gate and currently meet all other requirements."""
    workload, now = mounted_workload(), now or datetime.now(UTC)
    if isinstance(workload, PromoterWorkload):
        check_promoter(workload)
        registry.connect(workload)
        return _promote_all(workload, now)
    if workload.type != "training" or not isinstance(workload, PipelineWorkload):
        raise Refusal("only the promoter and training pipelines promote")
    registry.connect(workload)
    subject = Subject.of_training(workload)
    _log.info("%s", promote_waiting(subject, now))
    report_standing(subject, now)
    return 0


def _promote_all(workload: PromoterWorkload, now: datetime) -> int:
    """Promote for every training, stage and import. A failure in one doesn't block the others."""
    failures = 0
    for subject in Subject.all_of(workload):
        try:
            _look(subject, now)
        except Exception as problem:  # noqa: BLE001 - versions may be in any store, and each kind raises its own exceptions
            failures += 1
            _log.error("%s: %s", subject.address, problem)
    return min(failures, 1)


def _look(subject: Subject, now: datetime) -> None:
    """Process one promotion, then report its status, even after a failure.

    A refused import doesn't prevent the remaining work.
    """
    try:
        try:
            if subject.promotion.import_ is not None:
                _log.info("%s: %s", subject.made_by, imports.import_model(subject))
        finally:
            _move_on(subject, now)
    finally:
        report_standing(subject, now)


def _move_on(subject: Subject, now: datetime) -> None:
    promotion = subject.promotion
    aliases.observe(History(promotion.model), promotion.promote_to)
    evidence.add_later(subject.workload, promotion)
    _log.info("%s: %s", subject.address, promote_waiting(subject, now))
    if promotion.soak is not None and promotion.soak.take_back:
        _take_back_failed(subject, now)


def promote(subject: Subject, version: registry.Version) -> str:
    """Move the alias to a version once it has all approvals, deliver the version, and describe the outcome."""
    promotion = subject.promotion
    alias = promotion.promote_to
    if outdated := _outdated(promotion, version):
        return outdated
    approved = _approved(subject, version)
    if missing := _unapproved(subject, version):
        return f"{missing}; {alias!r} stays where it is"
    move = Move(
        alias,
        PROMOTE,
        version.version,
        "",
        actor_of(subject.workload),
        _WHY,
        digest=_unchanged(promotion, version),
        evidence=approved.evidence,
    )
    current = aliases.promote(History(promotion.model), move)
    delivered = deliver_all(subject.workload, promotion.model, alias)
    sentence = f"{alias!r} of {version.name} is now version {current}"
    if current != version.version:
        sentence += f", which is newer than version {version.version} and was promoted at the same time"
    return f"{sentence}; {delivered}" if delivered else sentence


def _unapproved(subject: Subject, version: registry.Version) -> str:
    """Describe missing approvals in a sentence, or return "". Logs why other approvals don't count."""
    approved = _approved(subject, version)
    for reason in approved.refused:
        _log.warning("version %s of %s: %s", version.version, version.name, reason)
    if not approved.missing:
        return ""
    message = (
        f"version {version.version} of {version.name} waits for {approved.missing} more approval(s) of "
        f"{', '.join(approved.groups)}, by `modelyard approve`"
    )
    _log.info("%s", message)
    return message


def promote_waiting(subject: Subject, now: datetime | None = None) -> str:
    """Promote the newest waiting version that meets all requirements and is newer than the alias's version.

    If there is none, the aliases' current versions are delivered, unless that was already done.
    """
    promotion, now = subject.promotion, now or datetime.now(UTC)
    name, alias = promotion.model.registered_name, promotion.promote_to
    waiting = [candidate for candidate in _waiting(promotion, _candidates(promotion)) if _is_of(subject, candidate)]
    for version in sorted(waiting, key=lambda candidate: -int(candidate.version)):
        if outdated := _outdated(promotion, version):
            _log.warning("%s", outdated)
        elif reason := soaked(promotion, version.version, now).reason or closed(promotion.changes, now):
            _log.info("version %s of %s does not become %r yet: %s", version.version, name, alias, reason)
        elif not _unapproved(subject, version):
            return promote(subject, version)
    delivered = deliver_all(subject.workload, promotion.model, alias)
    none = f"none of the {len(waiting)} waiting versions of {name} has everything that it needs"
    sentence = none if waiting else f"no version of {name} is waiting for {alias!r}"
    return f"{sentence}; {delivered}" if delivered else sentence


def _take_back_failed(subject: Subject, now: datetime) -> None:
    """Roll back the alias of the previous stage if its version failed the soak."""
    promotion = subject.promotion
    model, before = promotion.model, promotion.after
    for version in _waiting(promotion, _candidates(promotion)):
        soak = soaked(promotion, version.version, now)
        if not soak.failed:
            continue
        reason = f"{_FAILED_SOAK}{soak.reason}"
        fit = evidence.fit(
            subject.workload, replace(model, approvals=_asked_for(subject.workload, model, before)), before
        )
        restored = aliases.take_back(
            History(model), before, actor_of(subject.workload), reason, now, only=version.version, fit=fit
        )
        unchanged = f"no earlier version can be loaded, so it keeps {before!r}"
        outcome = f"{before!r} is version {restored} again" if restored else unchanged
        _log.warning("version %s of %s: %s; %s", version.version, version.name, reason, outcome)
        deliver_all(subject.workload, model, promotion.promote_to)


def _asked_for(workload: Workload, model: Model, alias: str) -> Approvals | None:
    """Return the approvals required by another alias of the same model, if any."""
    if not isinstance(workload, PromoterWorkload):
        return None
    promotions = [*workload.promotions.values(), *workload.imports.values(), *workload.stages.values()]
    required = (
        promotion.approvals
        for promotion in promotions
        if (promotion.model.registered_name, promotion.promote_to) == (model.registered_name, alias)
    )
    return next(required, None)


def report_standing(subject: Subject, now: datetime | None = None) -> None:
    """Push the status of a training's versions for alerts, if the description names a receiver.

    Training runs and the promoter push the same series, labelled with the training, so the latest value counts. A
    failed push is logged and doesn't fail the run.
    """
    if subject.workload.metrics is not None:
        registry.connect(subject.workload)
        now = now or datetime.now(UTC)
        if subject.promotion.import_ is not None:
            report(subject.workload, _standing_of_import(subject), now.timestamp())
            return
        if subject.stage:
            report(subject.workload, _standing_of_stage(subject, now), now.timestamp())
            return
        source = replace(subject.workload, name=subject.made_by.rpartition(".")[2])
        report(source, standing(subject), now.timestamp())


def standing(subject: Subject) -> list[Sample]:
    """Report whether the gate refused the newest version, and how many versions are only waiting for approvals.

    The count includes the alias's current version if it is missing approvals. It excludes versions whose gate compared
    them with a version that is no longer in use, since those can't be promoted and need no approval.
    """
    promotion = subject.promotion
    name = promotion.model.registered_name
    versions = [version for version in registry.versions(name) if _is_of(subject, version)]
    newest = max(versions, key=lambda version: int(version.version), default=None)
    refused = newest is not None and newest.tags.get(GATE_TAG) == "refused" and not _passed(promotion, newest)
    waiting = [version for version in _waiting(promotion, versions) if not _outdated(promotion, version)]
    unapproved = [version for version in waiting if _approved(subject, version).missing]
    labels = labels_of(replace(subject.workload, address=subject.made_by), "pipeline")
    count = len(unapproved) + evidence.lacks_approvals(subject.workload, promotion)
    return [Sample(REFUSED, float(refused), labels), Sample(WAITING, float(count), labels)]


def _standing_of_stage(subject: Subject, now: datetime) -> list[Sample]:
    """Report how many versions only need an approval to enter a stage, and whether one has failed its soak."""
    promotion = subject.promotion
    candidates = [entry for entry in _waiting(promotion, _candidates(promotion)) if not _outdated(promotion, entry)]
    standings = {entry.version: soaked(promotion, entry.version, now) for entry in candidates}
    unapproved = [
        entry for entry in candidates if not standings[entry.version].reason and _approved(subject, entry).missing
    ]
    labels = _labels_of_alias(subject)
    failed = any(entry.failed for entry in standings.values()) or _failed_last(promotion)
    count = len(unapproved) + evidence.lacks_approvals(subject.workload, promotion)
    return [Sample(WAITING, float(count), labels), Sample(SOAK_FAILED, float(failed), labels)]


def _standing_of_import(subject: Subject) -> list[Sample]:
    """Report whether the version named by an import is missing, and whether it only needs an approval."""
    promotion, version = subject.promotion, imports.registered(subject)
    waiting = [] if version is None else _waiting(promotion, [version])
    unapproved = [candidate for candidate in waiting if _approved(subject, candidate).missing]
    count = len(unapproved) + evidence.lacks_approvals(subject.workload, promotion)
    labels = _labels_of_alias(subject)
    return [Sample(IMPORT_MISSING, float(version is None), labels), Sample(WAITING, float(count), labels)]


def _labels_of_alias(subject: Subject) -> dict[str, str]:
    """Return the labels for metrics about a model's alias, regardless of which workload created its versions."""
    promotion = subject.promotion
    labels = {name: label for name, label in labels_of(subject.workload, "promoter").items() if name != "promoter"}
    return labels | {"model": promotion.model.name, "alias": promotion.promote_to}


def _failed_last(promotion: Promotion) -> bool:
    """Return whether the last version in the previous stage failed its soak and was rolled back."""
    history, before = History(promotion.model), promotion.after
    current = registry.version_at(history.name, before)
    rollbacks = (
        rollback
        for rollback in history.moves(before)
        if rollback.action == TAKE_BACK and rollback.why.startswith(_FAILED_SOAK)
    )
    return any(current is None or int(rollback.version) > int(current.version) for rollback in rollbacks)


def _candidates(promotion: Promotion) -> list[registry.Version]:
    """Return all versions of a model or, for a later stage, the version at the previous stage's alias."""
    name, before = promotion.model.registered_name, promotion.after
    if not before:
        return registry.versions(name)
    version = registry.version_at(name, before)
    return [] if version is None else [version]


def _passed(promotion: Promotion, version: registry.Version) -> bool:
    """Return whether a version passed the gate's required rules."""
    if promotion.checks is None or version.tags.get(GATE_TAG) != "refused":
        return version.tags.get(GATE_TAG) == HELD
    try:
        failed = json.loads(version.tags.get(FAILED_TAG, ""))
    except ValueError:
        return False
    return isinstance(failed, list) and not {*promotion.checks} & {str(name) for name in failed}


def _waiting(promotion: Promotion, versions: list[registry.Version]) -> list[registry.Version]:
    """Return the versions that passed the gate and are newer than the one at the alias."""
    model, alias = promotion.model, promotion.promote_to
    current = registry.version_at(model.registered_name, alias)
    refused = aliases.refused_again(History(model), alias)
    return [
        version
        for version in versions
        if _passed(promotion, version)
        and version.version not in refused
        and (current is None or int(version.version) > int(current.version))
    ]


def _is_of(subject: Subject, version: registry.Version) -> bool:
    """Return whether a version may be given this alias.

    A training promotes its own versions, an import promotes the version it names, and a stage promotes versions from
    the previous stage.
    """
    if subject.stage:
        return True
    promotion = subject.promotion
    if promotion.import_ is not None and not imports.is_named(promotion, version):
        return False
    return subject.alone or version.tags.get(WORKLOAD_TAG) == subject.made_by


def compared_with(promotion: Promotion, name: str) -> dict[str, str]:
    """Return tags naming the version the gate compares the new one with, or none without a comparison."""
    alias = next((line.versus for line in promotion.validation if line.versus), "")
    if not alias:
        return {}
    version = registry.version_at(name, alias)
    return {AGAINST_TAG: _NONE if version is None else version.version}


def _outdated(promotion: Promotion, version: registry.Version) -> str:
    """Return why a version isn't promoted despite having passed the gate, or "".

    Another run may have promoted a newer version, or the version it was compared with may no longer be in use.
    """
    alias = promotion.promote_to
    current = registry.version_at(version.name, alias)
    refused = aliases.refused_again(History(promotion.model), alias)
    if current is not None and int(current.version) > int(version.version) and current.version not in refused:
        return f"{alias!r} of {version.name} is the newer version {current.version}; version {version.version} is kept"
    for line in promotion.validation:
        other = line.versus
        spared = promotion.checks is not None and line.name not in promotion.checks
        if not other or spared or AGAINST_TAG not in version.tags:
            continue
        compared = registry.version_at(version.name, other)
        number = _NONE if compared is None else compared.version
        if number not in {version.tags[AGAINST_TAG], version.version}:
            return (
                f"version {version.version} of {version.name} is kept: its gate compared it with version "
                f"{version.tags[AGAINST_TAG]}, and {other!r} is {number} now; train again"
            )
    return ""


def _approved(subject: Subject, version: registry.Version) -> approvals.Standing:
    """Check a version's approvals against the digest from its gate. Its files are verified before the alias moves."""
    return approvals.standing(subject.workload, subject.promotion, version.tags, version.tags.get(DIGEST_TAG, ""))


def _unchanged(promotion: Promotion, version: registry.Version) -> str:
    """Verify that a version's files are unchanged, and return their digest.

    They must be the same files that the gate evaluated, that were approved, and that served in the previous stage.
    """
    digest, before = digest_of_version(version), promotion.after
    if digest != version.tags.get(DIGEST_TAG, digest):
        raise Refusal(
            f"version {version.version} of {version.name} has changed since its gate: its files hash to {digest}"
        )
    if before:
        move = arrived(History(promotion.model).moves(before), version.version)
        if move is None or move.digest != digest:
            difference = f"its files hash to {digest}"
            raise Refusal(
                f"version {version.version} of {version.name} is not the version that has been {before!r}: {difference}"
            )
    return digest
