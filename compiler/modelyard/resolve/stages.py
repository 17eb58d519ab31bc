"""Resolve model stages and change windows."""

from __future__ import annotations

from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, as_node, flag, integer, items, mapping, named_nodes, text, texts
from modelyard.resolve.quantities import seconds_or
from modelyard.resolve.scope import Scope, reference
from modelyard.source import Path
from modelyard.spec import Approval, Changes, ChangeWindow, Freeze, Soak, Stage

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY = tuple(range(len(_DAYS)))


def approval_of(node: Node) -> Approval:
    """Resolve the groups that approve and the number of required approvals."""
    return Approval(texts(node, "from"), integer(node, "minimum", 1))


def stages_of(scope: Scope, model: Node, path: Path, approval: Approval | None) -> tuple[Stage, ...]:
    """Resolve a model's stages from first to last, followed by the unordered stages sorted by name.

    `approval` is the default for stages without their own approval.
    """
    stages, lines = mapping(model, "stages"), mapping(model, "validation")
    unordered = {
        alias: _stage(scope, (*path, "stages", alias), node, stages, lines, approval)
        for alias, node in named_nodes(model, "stages")
    }
    ordered: dict[str, Stage] = {}
    before = ""
    while len(ordered) < len(unordered):
        following = next(
            (stage for stage in unordered.values() if stage.after == before and stage.alias not in ordered), None
        )
        if following is None:
            break
        ordered[following.alias] = following
        before = following.alias
    return tuple((ordered | unordered).values())


def first_stage(stages: tuple[Stage, ...]) -> str:
    """Return the alias that training promotes new versions to, or "" if the model has no stages."""
    return next((stage.alias for stage in stages if not stage.after), "")


def _stage(scope: Scope, path: Path, node: Node, stages: Node, lines: Node, approval: Approval | None) -> Stage:
    after = text(node, "after")
    if after and after not in stages:
        span = scope.document.value_span((*path, "after"))
        scope.report(problems.unknown_reference(span, "stage", after, scope.suggestions(stages)), (*path[:-1], after))
    checks = texts(node, "checks") if "checks" in node else None
    for at, line in enumerate(checks or ()):
        if line not in lines:
            span = scope.document.value_span((*path, "checks", at))
            problem = problems.unknown_reference(span, "line of validation", line, scope.suggestions(lines))
            scope.report(problem, (*path[:2], "validation", line))
    approvals = node.get("approvals")
    own_approval = approval_of(as_node(approvals, "approvals")) if isinstance(approvals, dict) else None
    return Stage(
        alias=str(path[-1]),
        after=after,
        checks=checks,
        soak=_soak(scope, mapping(node, "soak"), (*path, "soak")) if "soak" in node else None,
        approval=approval if approvals is None else own_approval,
        any_time=flag(node, "anyTime", default=False),
    )


def _soak(scope: Scope, node: Node, path: Path) -> Soak:
    return Soak(
        for_s=seconds_or(scope, node, "for", path, 0),
        monitor=reference(scope, "monitors", node, "monitor", path),
        min_rows=integer(node, "minRows", 100),
        on_failure=text(node, "onFailure", "keep"),
    )


def changes_of(node: Node) -> Changes:
    """Resolve change windows, freezes, and the time zone in which they apply."""
    return Changes(
        time_zone=text(node, "timeZone", "Etc/UTC"),
        windows=tuple(_window(as_node(entry, "windows")) for entry in items(node, "windows")),
        freezes=tuple(_freeze(as_node(entry, "freezes")) for entry in items(node, "freezes")),
    )


def _window(node: Node) -> ChangeWindow:
    days = tuple(_DAYS.index(day) for day in texts(node, "days")) or _EVERY_DAY
    return ChangeWindow(days, _minute(text(node, "from")), _minute(text(node, "to")))


def _minute(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)


def _freeze(node: Node) -> Freeze:
    return Freeze(text(node, "from"), text(node, "to"), text(node, "reason"))
