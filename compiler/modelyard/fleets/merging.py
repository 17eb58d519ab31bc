"""Merge the diagnostics of all kinds of sites, and name the sites that have each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import sites as tell
from modelyard.records import field, record, replace
from modelyard.sites.groups import Group
from modelyard.source import Span
from modelyard.stages import Outcome, Stage


@record
class Run:
    """An outcome for some of a group's sites, by position. `kind` says whether it represents all sites of a kind."""

    group: Group
    rows: tuple[int, ...]
    outcome: Outcome
    kind: bool


@record(frozen=False)
class _Problem:
    """A diagnostic, the first run that reported it, and the positions of the sites that have it, by group."""

    diagnostic: Diagnostic
    stage: Stage
    run: Run
    rows: dict[str, set[int]] = field(default_factory=dict[str, "set[int]"])

    def located(self, names: list[str]) -> Diagnostic:
        """Return the diagnostic with the names of the sites, unless all sites have it."""
        if not names:
            return self.diagnostic
        return replace(self.diagnostic, message=f"{self.diagnostic.message}{tell.of_sites(names)}")


def merged(outcome: Outcome, runs: Iterable[Run]) -> Outcome:
    """Combine the problems from all runs, together with the sites that have them.

    A problem whose text depends on a site's values is reported once for each text.
    """
    listed = list(runs)
    problems: list[_Problem] = []
    for run in listed:
        for diagnostic in run.outcome.diagnostics:
            if run.kind or not _is_known(diagnostic, run, listed):
                stage = run.outcome.stages[diagnostic]
                _add(problems, _Problem(_at_value(diagnostic, stage, run), stage, run))
    located = [(problem, problem.located(_names(problem, listed))) for problem in problems]
    own = {diagnostic: problem.stage for problem, diagnostic in located if problem.run.outcome is outcome}
    result = replace(outcome, diagnostics=tuple(own), stages=own)
    for problem, diagnostic in located:
        if diagnostic not in own:
            result = replace(result.after(problem.stage, (diagnostic,)), reached=outcome.reached)
    return result


def _is_known(diagnostic: Diagnostic, run: Run, runs: Iterable[Run]) -> bool:
    """Return whether a site's kind also has this problem. Markers may make the text of its message differ."""
    kinds = (other for other in runs if other.kind and other.group is run.group and run.rows[0] in other.rows)
    return any(
        (diagnostic.code, diagnostic.span) == (other.code, other.span)
        for kind in kinds
        for other in kind.outcome.diagnostics
    )


def _at_value(diagnostic: Diagnostic, stage: Stage, run: Run) -> Diagnostic:
    """Point at a site's value if the schema rejects it, instead of at the reference that inserts it."""
    bound, span = run.outcome.bound, diagnostic.span
    if stage is not Stage.VALIDATE or bound is None or span is None:
        return diagnostic
    for (target, column), uses in bound.used.items():
        is_written = target == run.group.name and column not in run.group.always
        if is_written and any(_is_whole(span, use) for use in uses):
            return tell.at_site_value(diagnostic, run.group.places(run.rows[0], column), span)
    return diagnostic


def _is_whole(span: Span, use: Span) -> bool:
    """Return whether a reference is a whole value, apart from quotes."""
    return (
        (span.file, span.line) == (use.file, use.line)
        and use.column - span.column in (0, 1)
        and span.end_column - use.end_column in (0, 1)
    )


def _add(problems: list[_Problem], problem: _Problem) -> None:
    """Add a problem, or its sites to an equal one."""
    known = next((known for known in problems if _is_same(known, problem)), problem)
    if known is problem:
        problems.append(problem)
    known.rows.setdefault(problem.run.group.name, set()).update(problem.run.rows)


def _is_same(problem: _Problem, other: _Problem) -> bool:
    first, second = problem.diagnostic, other.diagnostic
    if (first.code, first.span) != (second.code, second.span):
        return False
    return _text(first) == _text(second) or _general(first, problem.run) == _general(second, other.run)


def _text(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message}\n{diagnostic.hint}"


def _general(diagnostic: Diagnostic, run: Run) -> str:
    """Return a diagnostic's text without the values of the site that represents its kind.

    This applies only to specs with errors, which are compiled without markers: values that could have a marker do not
    divide their sites into kinds.
    """
    bound = run.outcome.bound
    if bound is None or bound.bindings[run.group.name].marked.columns:
        return _text(diagnostic)
    values = (str(run.group.value(run.rows[0], column)) for column in bound.markable[run.group.name])
    alternatives = "|".join(re.escape(value) for value in sorted(filter(None, values), key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{alternatives})(?!\w)", "\0", _text(diagnostic)) if alternatives else _text(diagnostic)


def _names(problem: _Problem, runs: Iterable[Run]) -> list[str]:
    """Return the sites with a problem, in each group in which other sites do not have it."""
    groups = {run.group.name: run.group for run in runs}
    sites = {name: {at for run in runs if run.kind and run.group.name == name for at in run.rows} for name in groups}
    return [
        groups[name].names[at] for name, rows in problem.rows.items() if not rows >= sites[name] for at in sorted(rows)
    ]
