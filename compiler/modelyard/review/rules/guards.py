"""Rules about safeguards between a model version and traffic: gates, stages, approvals, change windows, evidence."""

from __future__ import annotations

from typing import Final

from modelyard.public_keys import NotAKey, fingerprint_of
from modelyard.review.calendars import opens_other_times
from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import (
    DANGER,
    NOTE,
    REVIEW,
    Rule,
    Verdict,
    Wording,
    always,
    by_way,
    cut,
    described_by,
    moves,
    stated,
    was,
)
from modelyard.review.sides import Sides
from modelyard.spec import Approval, Check, Stage, System


def _gate_entry(change: Change, _: Sides) -> Verdict:
    return ("R204", NOTE) if change.added else ("R203", DANGER)


def _gate_entry_says(change: Change, sides: Sides) -> str:
    model = change.path[1]
    if change.added:
        return f"{model} also has to pass {change.path[-1]}: {_check(change.now)}"
    return f"{model} no longer has to pass {change.path[-1]}: {_check(change.was)}"


def _check(check: Check | None) -> str:
    if check is None:
        return ""
    parts = [f"{check.metric} by {check.by}" if check.by else check.metric]
    bounds = [f"≥ {check.minimum:g}"] if check.minimum is not None else []
    bounds += [f"≤ {check.maximum:g}"] if check.maximum is not None else []
    bounds += [f"better than the {check.versus} by more than {check.min_delta:g}"] if check.versus else []
    if bounds:
        parts[0] += f" {' and '.join(bounds)}"
    if check.max_difference is not None:
        parts.append(f"with differences of at most {check.max_difference:g}")
    if check.data:
        parts.append(f"evaluated on {check.data}")
    if check.min_rows is not None:
        parts.append(f"with at least {check.min_rows} rows")
    return ", ".join(parts)


_GATE: Final = by_way(("R201", DANGER), ("R202", NOTE), ("R205", REVIEW))
_SIGNS: Final = {"min": "≥", "max": "≤"}


def _group_rows(change: Change, sides: Sides) -> Verdict:
    """Judge `minRows`. A check with `by` judges rarer values together, so neither more nor fewer rows are stricter."""
    if not _slices(change, sides):
        return _GATE(change, sides)
    return "R205", DANGER


def _slices(change: Change, sides: Sides) -> str:
    """Return the column whose values a check judges separately in both versions, or ""."""
    checks = [
        next((check for check in system.models[change.path[1]].validation if check.name == change.path[3]), None)
        for system in (sides.before, sides.after)
        if change.path[1] in system.models
    ]
    columns = {check.by if check is not None else "" for check in checks}
    return columns.pop() if len(columns) == 1 else ""


def _group_rows_why(change: Change, sides: Sides) -> str:
    column = _slices(change, sides)
    if not column:
        return _gate_why(change, sides)
    if change.way is Direction.LOOSER:
        return f"values of {column} with fewer rows are judged, and pass or fail by chance more often"
    return f"values of {column} with fewer rows are judged together, so the check may miss a bad one"


def _gate_why(change: Change, _: Sides) -> str:
    return "a version that failed before may go live" if change.way is Direction.LOOSER else ""


def _gate_says(change: Change, sides: Sides) -> str:
    model, name, field = change.path[1], change.path[3], change.path[-1]
    metric = _metric(change, sides)
    if field in _SIGNS:
        after = f"{metric} {_SIGNS[field]} {change.after.text}" if change.after.text else f"any {metric}"
        return f"{model} passes its gate with {was(after, change.before.text or 'any')}"
    return f"the gate of {model}, {name}: {field} is {moves(change)}"


def _metric(change: Change, sides: Sides) -> str:
    model = sides.after.models.get(change.path[1])
    checks = model.validation if model is not None else ()
    return next((check.metric for check in checks if check.name == change.path[3]), change.path[3])


def _approval_entry(change: Change, _: Sides) -> Verdict:
    return ("R240", NOTE) if change.added else ("R243", DANGER)


def _approval_says(change: Change, _: Sides) -> str:
    what = _scope(change)
    approval = change.now if change.added else change.was
    groups = _people(approval) if isinstance(approval, Approval) else ""
    return (
        f"{what} needs approval by {groups} (was not needed)"
        if change.added
        else f"{what} no longer needs approval (was {groups})"
    )


def _people(approval: Approval) -> str:
    return f"{approval.minimum} of {', '.join(approval.groups)}"


def _minimum_says(change: Change, _: Sides) -> str:
    many = "approval" if change.after.text == "1" else "approvals"
    return f"{_scope(change)} needs {change.after.text} {many} (was {change.before.text})"


def _groups(change: Change, sides: Sides) -> Verdict:
    if _needless(change, sides):
        return "R241", DANGER
    if _includes_old(change, sides):
        return "R242", NOTE
    return {Direction.LOOSER: ("R241", DANGER), Direction.STRICTER: ("R242", NOTE), Direction.OTHER: ("R241", REVIEW)}[
        change.way
    ]


def _needless(change: Change, sides: Sides) -> tuple[str, ...]:
    """Return the groups that no longer have to approve a promotion, if all groups had to before."""
    approval = _approval_of(change, sides.before)
    if approval is None or approval.minimum < len(approval.groups):
        return ()
    return tuple(group for group in approval.groups if group not in (change.after.items or ()))


def _includes_old(change: Change, sides: Sides) -> bool:
    """Return whether as many of the old groups as before still have to approve, even if all new ones do."""
    old, new = _approval_of(change, sides.before), _approval_of(change, sides.after)
    if old is None or new is None:
        return False
    return new.minimum - len(set(new.groups) - set(old.groups)) >= old.minimum


def _approval_of(change: Change, system: System) -> Approval | None:
    if change.path[0] == "governance":
        return system.governance.approve_promotion
    model = system.models.get(change.path[1])
    stages = model.stages if model is not None else ()
    return next((stage.approval for stage in stages if stage.alias == change.path[3]), None)


def _groups_why(change: Change, sides: Sides) -> str:
    if needless := _needless(change, sides):
        return f"{' and '.join(needless)} had to agree, but no longer {'has' if len(needless) == 1 else 'have'} to"
    if _includes_old(change, sides):
        return ""
    return "different people can approve" if change.way is Direction.LOOSER else "fewer groups can approve"


def _groups_says(change: Change, _: Sides) -> str:
    return stated(f"groups that may approve {_scope(change)}", change)


def _scope(change: Change) -> str:
    return "a promotion" if change.path[0] == "governance" else f"promoting {change.path[1]} to {change.path[3]}"


def _changes_say(change: Change, _: Sides) -> str:
    if change.entry:
        return (
            f"versions may go live only within {change.after.text} (was at any time)"
            if change.added
            else f"versions may go live at any time (was only within {change.before.text})"
        )
    return stated(f"when versions may go live: {change.path[-1]}", change)


def _stage(change: Change, _: Sides) -> Verdict:
    if change.entry:
        return ("R207", NOTE) if change.added else ("R206", DANGER)
    return {Direction.LOOSER: ("R206", DANGER), Direction.STRICTER: ("R207", NOTE), Direction.OTHER: ("R208", REVIEW)}[
        change.way
    ]


def _stage_says(change: Change, _: Sides) -> str:
    model, stage = change.path[1], "".join(change.path[3:4])
    if len(change.path) <= 4:
        return f"stage {stage} of {model} is {moves(change)}"
    return stated(f"before {model} reaches {stage}: {' '.join(change.path[4:])}", change)


def _stage_why(change: Change, _: Sides) -> str:
    if change.way is not Direction.LOOSER:
        return ""
    if change.entry and len(change.path) <= 4:
        approval = change.was.approval if isinstance(change.was, Stage) else None
        lost = f", and no longer need approval by {_people(approval)}" if approval is not None else ""
        return f"versions no longer have to pass through {' '.join(change.path[3:]) or 'any stage'}{lost}"
    return f"versions may reach {change.path[3]} sooner, or without having passed a check"


def _any_time(change: Change, sides: Sides) -> Verdict:
    """Judge a stage's `anyTime`, which has no effect without change windows or freezes."""
    code, level = _stage(change, sides)
    return code, level if sides.after.governance.changes is not None else NOTE


def _any_time_why(change: Change, sides: Sides) -> str:
    if sides.after.governance.changes is None:
        return "it has no effect, because no change windows are declared"
    is_looser = change.way is Direction.LOOSER
    return "versions can reach it at times that are closed for other stages" if is_looser else ""


def _changes_why(change: Change, _: Sides) -> str:
    return "versions can go live at times that were closed before" if change.way is Direction.LOOSER else ""


def _time_zone(_: Change, sides: Sides) -> Verdict:
    """Judge a different time zone by the hours that it opens."""
    return ("R206", DANGER) if _is_opened(sides) else ("R208", REVIEW)


def _time_zone_why(_: Change, sides: Sides) -> str:
    return "versions can go live at times that were closed before" if _is_opened(sides) else ""


def _is_opened(sides: Sides) -> bool:
    """Return whether the new change windows and freezes open times that were closed before."""
    old, new = sides.before.governance.changes, sides.after.governance.changes
    return old is not None and new is not None and opens_other_times(old, new)


def _approvals(prefix: tuple[str, ...]) -> tuple[Rule, ...]:
    weaker = by_way(("R241", DANGER), ("R242", NOTE), ("R241", REVIEW))
    why = "fewer people have to agree"
    because: Wording = lambda change, _: why if change.way is Direction.LOOSER else ""  # noqa: E731 - short, used twice
    return (
        Rule((*prefix, "minimum"), weaker, _minimum_says, because),
        Rule((*prefix, "from"), _groups, _groups_says, _groups_why),
        Rule(
            prefix,
            _approval_entry,
            _approval_says,
            lambda change, _: "" if change.added else "versions go live without anyone's agreement",
        ),
    )


_VALIDATION: Final = ("models", "*", "validation", "*")


def _keys_says(change: Change, _: Sides) -> str:
    return f"keys that can sign for {change.path[2]}: {_keys(change)}"


def _keys(change: Change) -> str:
    before, after = change.before.items or (), change.after.items or ()
    gained = [_owner(key) for key in after if key not in before]
    lost = [_owner(key) for key in before if key not in after]
    parts = [f"{' and '.join(gained)} added"] if gained else []
    parts += [f"{' and '.join(lost)} removed"] if lost else []
    return ", ".join(parts) or "reordered"


def _owner(key: str) -> str:
    """Return a public key's comment, which names its owner, and its fingerprint as printed by `ssh-keygen -l`."""
    _, body, comment = ([*key.split(None, 2), "", "", ""])[:3]
    try:
        fingerprint = fingerprint_of(body)
    except NotAKey:  # an error elsewhere
        fingerprint = "not a key"
    return cut(f"{comment.strip()} ({fingerprint})" if comment.strip() else fingerprint)


RULES: Final[tuple[Rule, ...]] = (
    Rule((*_VALIDATION, "minRows"), _group_rows, _gate_says, _group_rows_why),
    Rule((*_VALIDATION, "*"), _GATE, _gate_says, _gate_why),
    Rule(
        _VALIDATION,
        _gate_entry,
        _gate_entry_says,
        lambda change, _: "" if change.added else "a version that failed before may go live",
    ),
    *_approvals(("models", "*", "stages", "*", "approvals")),
    *_approvals(("governance", "approvals", "promote")),
    Rule(("models", "*", "stages", "*", "anyTime"), _any_time, _stage_says, _any_time_why),
    Rule(("models", "*", "stages"), _stage, _stage_says, _stage_why),
    Rule(
        ("governance", "approvers", "*", "sshKeys"),
        by_way(("R241", DANGER), ("R242", REVIEW), ("R241", REVIEW)),
        _keys_says,
        lambda change, _: (
            "whoever holds a removed key can no longer approve"
            if change.way is Direction.STRICTER
            else "whoever holds a key can approve promotions, and accept dangers"
        ),
    ),
    Rule(
        ("governance", "approvers"),
        by_way(("R241", REVIEW), ("R242", NOTE), ("R241", REVIEW)),
        described_by("approver group {last} is {moves}"),
    ),
    Rule(("governance", "changes", "timeZone"), _time_zone, _changes_say, _time_zone_why),
    Rule(
        ("governance", "changes"),
        by_way(("R206", DANGER), ("R207", NOTE), ("R208", REVIEW)),
        _changes_say,
        _changes_why,
    ),
    Rule(
        ("governance", "risk"),
        by_way(("R251", DANGER), ("R252", NOTE), ("R252", NOTE)),
        described_by("the system's risk is {moves}"),
        lambda change, _: (
            "rules for higher risks no longer apply" if change.way is Direction.LOOSER else "more rules apply"
        ),
    ),
    Rule(
        ("profile", "industry"),
        always("R253", REVIEW),
        described_by("the industry is {moves}"),
        "different rules and defaults apply",
    ),
    Rule(
        ("profile", "size"),
        by_way(("R254", REVIEW), ("R255", REVIEW), ("R254", REVIEW)),
        described_by("the system's size is {moves}"),
        "the defaults for redundancy depend on it",
    ),
    Rule(
        ("governance", "lineage"),
        by_way(("R246", DANGER), ("R247", NOTE), ("R249", REVIEW)),
        described_by("lineage is {moves}"),
        lambda change, _: "the origin of new versions is not recorded" if change.way is Direction.LOOSER else "",
    ),
    Rule(
        ("governance", "retention", "runs"),
        by_way(("R246", REVIEW), ("R247", NOTE), ("R249", REVIEW)),
        described_by("finished runs are kept {moves}"),
    ),
    Rule(
        ("governance", "retention", "metrics"),
        by_way(("R246", REVIEW), ("R247", NOTE), ("R249", REVIEW)),
        described_by("metrics are kept {moves}"),
    ),
)
