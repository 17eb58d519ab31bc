"""The last door of the gate: with all approvals for exactly this model, the alias moves; without, the version waits."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from modelyard_runtime.promotion import aliases, approvals, evidence, imports
from modelyard_runtime.promotion.changes import closed
from modelyard_runtime.promotion.checks import check_promoter
from modelyard_runtime.promotion.delivery import deliver_all
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG, HELD
from modelyard_runtime.promotion.history import PROMOTE, TAKE_BACK, History, Move, arrived, whoever
from modelyard_runtime.promotion.soak import soaked
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.lineage import WORKLOAD_TAG
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.telemetry.reported import labels_of, report
from modelyard_runtime.workload.description import Json, Section, description, names, rows, section, sections, text

FAILED_TAG = "modelyard.gate.failed"
"""Tag of a version with the lines of its gate that do not hold."""

AGAINST_TAG = "modelyard.gate.against"
"""Tag of a version whose gate compared it with what an alias pointed to: the number of that, or `none`."""

REFUSED = "modelyard_gate_refused"
WAITING = "modelyard_versions_waiting"
SOAK_FAILED = "modelyard_soak_failed"
IMPORT_MISSING = "modelyard_import_missing"

_NONE = "none"
_FAILED_SOAK = "it failed its soak: "
_WHY = "its gate held, and nothing that it needs is missing"
_log = logging.getLogger(__name__)


def run(now: datetime | None = None) -> int:
    """Promote the newest version whose gate held and that lacks nothing now."""
    workload, now = description(), now or datetime.now(UTC)
    kind = text(workload, "type")
    if kind not in {"promoter", "training"}:
        raise Refusal("only the promoter and a training pipeline promote")
    if kind == "promoter":
        check_promoter(workload)
    registry.connect(workload)
    if kind == "promoter":
        return _promote_all(workload, now)
    _log.info("%s", promote_waiting(workload, now))
    report_standing(workload, now)
    return 0


def _promote_all(workload: Section, now: datetime) -> int:
    """The same for every training, stage and import; what keeps one of them waiting keeps no other.

    Imports come last: they take as long as their source is large.
    """
    failures = 0
    looks: dict[str, Section] = {
        f"pipelines.{name}": {**workload, "pipeline": dict(promotion), "trainedBy": f"pipelines.{name}"}
        for name, promotion in sections(workload, "promotions").items()
    }
    looks |= {
        f"models.{name}": {**workload, "pipeline": dict(promotion), "stage": f"models.{name}"}
        for name, promotion in sections(workload, "stages").items()
    }
    looks |= {
        f"models.{name}": {**workload, "pipeline": dict(promotion), "trainedBy": f"models.{name}"}
        for name, promotion in sections(workload, "imports").items()
    }
    for name, look in looks.items():
        try:
            _look(look, now)
        except Exception as problem:  # noqa: BLE001 - a version may lie anywhere, and each kind of store fails in its own way
            failures += 1
            _log.error("%s: %s", name, problem)
    return min(failures, 1)


def _look(workload: Section, now: datetime) -> None:
    """One look at the versions of a training or an import, or at the one that may enter a stage; what is reported of
    them is also how they stand after a failure. An import that is refused leaves the rest of the look as it is.
    """
    try:
        try:
            if "import" in section(workload, "pipeline"):
                _log.info("%s: %s", _training(workload), imports.import_model(workload))
        finally:
            _move_on(workload, now)
    finally:
        report_standing(workload, now)


def _move_on(workload: Section, now: datetime) -> None:
    pipeline = section(workload, "pipeline")
    aliases.observe(History(section(pipeline, "model")), text(pipeline, "promoteTo"))
    evidence.add_later(workload, pipeline)
    _log.info("%s: %s", text(workload, "stage") or _training(workload), promote_waiting(workload, now))
    if section(pipeline, "soak").get("takeBack"):
        _take_back_failed(workload, now)


def promotes_itself(workload: Section) -> bool:
    """Whether a training run moves the alias: where the registry runs here, the promoter does, and nothing else may."""
    return not text(section(workload, "pipeline"), "promotedBy")


def promote(workload: Section, version: registry.Version) -> str:
    """Move the alias to a version, unless approvals are missing, and deliver it. Says what came of it."""
    pipeline = section(workload, "pipeline")
    alias = text(pipeline, "promoteTo")
    if outdated := _outdated(pipeline, version):
        return outdated
    approved = _approved(workload, version)
    if missing := _unapproved(workload, version):
        return f"{missing}; {alias!r} stays where it is"
    move = Move(
        alias,
        PROMOTE,
        version.version,
        "",
        whoever(workload),
        _WHY,
        digest=_unchanged(pipeline, version),
        evidence=approved.evidence,
    )
    at = aliases.promote(History(section(pipeline, "model")), move)
    delivered = deliver_all(workload, section(pipeline, "model"), alias)
    sentence = f"{alias!r} of {version.name} is now version {at}"
    if at != version.version:
        sentence += f", which is newer than version {version.version} and was promoted at the same time"
    return f"{sentence}; {delivered}" if delivered else sentence


def _unapproved(workload: Section, version: registry.Version) -> str:
    """Whose approvals a version waits for; empty where it has them. What does not count is logged, with the reason."""
    approved = _approved(workload, version)
    for why in approved.refused:
        _log.warning("version %s of %s: %s", version.version, version.name, why)
    if not approved.missing:
        return ""
    waits = (
        f"version {version.version} of {version.name} waits for {approved.missing} more approval(s) of "
        f"{', '.join(approved.groups)}, by `modelyard approve`"
    )
    _log.info("%s", waits)
    return waits


def promote_waiting(workload: Section, now: datetime | None = None) -> str:
    """The same for the newest version that waits and lacks nothing, if it is newer than what the alias points to.

    Where none waits, what aliases point to now is delivered where that was not done yet.
    """
    pipeline, now = section(workload, "pipeline"), now or datetime.now(UTC)
    name, alias = text(section(pipeline, "model"), "registeredName"), text(pipeline, "promoteTo")
    waiting = [one for one in _waiting(pipeline, _candidates(pipeline)) if _is_of(workload, one)]
    for version in sorted(waiting, key=lambda one: -int(one.version)):
        if outdated := _outdated(pipeline, version):
            _log.warning("%s", outdated)
        elif why := soaked(pipeline, version.version, now).why or closed(section(pipeline, "changes"), now):
            _log.info("version %s of %s does not become %r yet: %s", version.version, name, alias, why)
        elif not _unapproved(workload, version):
            return promote(workload, version)
    delivered = deliver_all(workload, section(pipeline, "model"), alias)
    sentence = f"no version of {name} that waits has all that it needs; {len(waiting)} wait"
    return f"{sentence}; {delivered}" if delivered else sentence


def _take_back_failed(workload: Section, now: datetime) -> None:
    """Take the alias of the stage before from a version that has failed there and was to go on."""
    pipeline = section(workload, "pipeline")
    model, before = section(pipeline, "model"), text(pipeline, "after")
    for version in _waiting(pipeline, _candidates(pipeline)):
        found = soaked(pipeline, version.version, now)
        if not found.failed:
            continue
        why = f"{_FAILED_SOAK}{found.why}"
        fit = evidence.fit(workload, {**model, "approvals": _asked_for(workload, model, before)}, before)
        at = aliases.take_back(History(model), before, whoever(workload), why, now, only=version.version, fit=fit)
        none = f"no version before it may be loaded, and it keeps {before!r}"
        to = f"{before!r} is version {at} again" if at else none
        _log.warning("version %s of %s: %s; %s", version.version, version.name, why, to)
        deliver_all(workload, model, text(pipeline, "promoteTo"))


def _asked_for(workload: Section, model: Section, alias: str) -> dict[str, Json]:
    """The approvals that another alias of the same model needs; empty where it needs none."""
    looks = [one for kind in ("promotions", "imports", "stages") for one in sections(workload, kind).values()]
    name = text(model, "registeredName")
    asked = (
        section(one, "approvals")
        for one in looks
        if (text(section(one, "model"), "registeredName"), text(one, "promoteTo")) == (name, alias)
    )
    return dict(next(asked, {}))


def report_standing(workload: Section, now: datetime | None = None) -> None:
    """Push where the versions of a training stand, for alerts, if the description names a receiver.

    A run and the promoter push the same series, in the name of the training, so that the last of them counts.
    A run is as good without: where nobody takes the metrics, that is logged.
    """
    if "metrics" in workload:
        registry.connect(workload)
        now = now or datetime.now(UTC)
        if "import" in section(workload, "pipeline"):
            report(workload, _standing_of_import(workload), now.timestamp())
            return
        if "stage" in workload:
            report(workload, _standing_of_stage(workload, now), now.timestamp())
            return
        source = {**workload, "name": _training(workload).rpartition(".")[2]}
        report(source, standing(workload), now.timestamp())


def standing(workload: Section) -> list[Sample]:
    """Whether the gate refused the newest version, and how many versions lack nothing but an approval: the one that the
    alias points to as well, where its record lacks it.

    A version whose gate compared it with what is not in use any more cannot be promoted, so nobody is asked to sign it.
    """
    pipeline = section(workload, "pipeline")
    name = text(section(pipeline, "model"), "registeredName")
    versions = [one for one in registry.versions(name) if _is_of(workload, one)]
    newest = max(versions, key=lambda one: int(one.version), default=None)
    refused = newest is not None and newest.tags.get(GATE_TAG) == "refused" and not _passed(pipeline, newest)
    waiting = [one for one in _waiting(pipeline, versions) if not _outdated(pipeline, one)]
    unapproved = [one for one in waiting if _approved(workload, one).missing]
    own = labels_of({**workload, "address": _training(workload)}, "pipeline")
    waits = len(unapproved) + evidence.lacks_approvals(workload, pipeline)
    return [Sample(REFUSED, float(refused), own), Sample(WAITING, float(waits), own)]


def _standing_of_stage(workload: Section, now: datetime) -> list[Sample]:
    """How many versions lack nothing but an approval before they enter a stage, and whether one has failed its soak."""
    pipeline = section(workload, "pipeline")
    found = [one for one in _waiting(pipeline, _candidates(pipeline)) if not _outdated(pipeline, one)]
    standings = {one.version: soaked(pipeline, one.version, now) for one in found}
    unapproved = [one for one in found if not standings[one.version].why and _approved(workload, one).missing]
    own = _labels_of_alias(workload)
    failed = any(one.failed for one in standings.values()) or _failed_last(pipeline)
    waits = len(unapproved) + evidence.lacks_approvals(workload, pipeline)
    return [Sample(WAITING, float(waits), own), Sample(SOAK_FAILED, float(failed), own)]


def _standing_of_import(workload: Section) -> list[Sample]:
    """Whether the version that an import names is not there, and whether it lacks nothing but an approval."""
    pipeline, found = section(workload, "pipeline"), imports.registered(workload)
    waiting = [] if found is None else _waiting(pipeline, [found])
    unapproved = [one for one in waiting if _approved(workload, one).missing]
    waits = len(unapproved) + evidence.lacks_approvals(workload, pipeline)
    own = _labels_of_alias(workload)
    return [Sample(IMPORT_MISSING, float(found is None), own), Sample(WAITING, float(waits), own)]


def _labels_of_alias(workload: Section) -> dict[str, str]:
    """The labels of what is known of an alias of a model, by whomever its versions were made."""
    pipeline = section(workload, "pipeline")
    own = {name: label for name, label in labels_of(workload, "promoter").items() if name != "promoter"}
    return own | {"model": text(section(pipeline, "model"), "name"), "alias": text(pipeline, "promoteTo")}


def _failed_last(pipeline: Section) -> bool:
    """Whether the stage before was taken from a version that failed its soak, and no newer one has come since."""
    history, before = History(section(pipeline, "model")), text(pipeline, "after")
    at = registry.version_at(history.name, before)
    taken = (one for one in history.moves(before) if one.action == TAKE_BACK and one.why.startswith(_FAILED_SOAK))
    return any(at is None or int(one.version) > int(at.version) for one in taken)


def _candidates(pipeline: Section) -> list[registry.Version]:
    """All versions of a model, or of a stage that comes after another the one that has the alias of that."""
    name, before = text(section(pipeline, "model"), "registeredName"), text(pipeline, "after")
    if not before:
        return registry.versions(name)
    found = registry.version_at(name, before)
    return [] if found is None else [found]


def _passed(pipeline: Section, version: registry.Version) -> bool:
    """Whether the lines of the gate hold that are asked for."""
    if "checks" not in pipeline or version.tags.get(GATE_TAG) != "refused":
        return version.tags.get(GATE_TAG) == HELD
    try:
        failed = json.loads(version.tags.get(FAILED_TAG, ""))
    except ValueError:
        return False
    return isinstance(failed, list) and not {*names(pipeline, "checks")} & {str(one) for one in failed}


def _waiting(pipeline: Section, versions: list[registry.Version]) -> list[registry.Version]:
    """The versions whose gate held and that are newer than what the alias points to."""
    model, alias = section(pipeline, "model"), text(pipeline, "promoteTo")
    now = registry.version_at(text(model, "registeredName"), alias)
    refused = aliases.refused_again(History(model), alias)
    return [
        one
        for one in versions
        if _passed(pipeline, one)
        and one.version not in refused
        and (now is None or int(one.version) > int(now.version))
    ]


def _training(workload: Section) -> str:
    """The address of the training whose versions are looked at: by the promoter, or by itself."""
    return text(workload, "trainedBy") or text(workload, "address")


def _is_of(workload: Section, version: registry.Version) -> bool:
    """Whether a version is for the alias that is asked for: each training of a model promotes its own versions, an
    import the one that it names, and a stage takes those of the stage before.
    """
    if "stage" in workload:
        return True
    pipeline = section(workload, "pipeline")
    if "import" in pipeline and not imports.is_named(pipeline, version):
        return False
    alone = "trainedBy" not in workload and promotes_itself(workload)
    return alone or version.tags.get(WORKLOAD_TAG) == _training(workload)


def compared_with(pipeline: Section, name: str) -> dict[str, str]:
    """Tags that say which version a gate is about to compare a new one with; none where it compares with none."""
    alias = next((text(line, "versus") for line in rows(pipeline, "validation") if text(line, "versus")), "")
    if not alias:
        return {}
    found = registry.version_at(name, alias)
    return {AGAINST_TAG: _NONE if found is None else found.version}


def _outdated(pipeline: Section, version: registry.Version) -> str:
    """Why a version is not promoted although its gate held; empty where nothing happened in between.

    Another run may have promoted a newer one, or what it was compared with may not be in use any more.
    """
    alias = text(pipeline, "promoteTo")
    now = registry.version_at(version.name, alias)
    refused = aliases.refused_again(History(section(pipeline, "model")), alias)
    if now is not None and int(now.version) > int(version.version) and now.version not in refused:
        return f"{alias!r} of {version.name} is the newer version {now.version}; version {version.version} is kept"
    for line in rows(pipeline, "validation"):
        other = text(line, "versus")
        spared = "checks" in pipeline and text(line, "name") not in names(pipeline, "checks")
        if not other or spared or AGAINST_TAG not in version.tags:
            continue
        found = registry.version_at(version.name, other)
        number = _NONE if found is None else found.version
        if number not in {version.tags[AGAINST_TAG], version.version}:
            return (
                f"version {version.version} of {version.name} is kept: its gate compared it with version "
                f"{version.tags[AGAINST_TAG]}, and {other!r} is {number} now; train again"
            )
    return ""


def _approved(workload: Section, version: registry.Version) -> approvals.Standing:
    """The approvals of a version, by the digest that its gate saw; its files are compared with that before it moves."""
    return approvals.standing(workload, section(workload, "pipeline"), version.tags, version.tags.get(DIGEST_TAG, ""))


def _unchanged(pipeline: Section, version: registry.Version) -> str:
    """The hash of a version's files; refused where they are not those that its gate saw and that were approved, or not
    those that have served in the stage before.
    """
    found, before = digest_of(version.uri), text(pipeline, "after")
    if found != version.tags.get(DIGEST_TAG, found):
        raise Refusal(
            f"version {version.version} of {version.name} is not what its gate saw: its files hash to {found}"
        )
    if before:
        move = arrived(History(section(pipeline, "model")).moves(before), version.version)
        if move is None or move.digest != found:
            other = f"its files hash to {found}"
            raise Refusal(f"version {version.version} of {version.name} is not what has been {before!r}: {other}")
    return found
