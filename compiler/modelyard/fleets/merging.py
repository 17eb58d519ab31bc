"""Merge the diagnostics of all kinds of sites, naming the sites affected by each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import sites as tell
from modelyard.records import field, record, replace
from modelyard.sites.binding import Site
from modelyard.sites.groups import Group
from modelyard.source import Span
from modelyard.stages import Outcome, Stage

_Place: TypeAlias = "tuple[str, Span | None]"
"""A diagnostic's code and position."""

_Key: TypeAlias = "tuple[_Place, str]"
"""A diagnostic's code, position and text."""


@record
class Run:
    """An outcome for some of a group's sites, by position. `kind` says whether it covers all sites of a kind.

    If the outcome uses the values of the first of these sites, `marked` compiles that site with markers instead.
    """

    group: Group
    rows: tuple[int, ...]
    outcome: Outcome
    kind: bool
    marked: Callable[[], Outcome] | None = None


@record(frozen=False)
class _Problem:
    """A diagnostic, the first run that reported it, and the positions of affected sites by group."""

    diagnostic: Diagnostic
    stage: Stage
    run: Run
    rows: dict[Group, set[int]] = field(default_factory=dict[Group, "set[int]"])

    def located(self, checked: Mapping[str, int]) -> Diagnostic:
        """Return the diagnostic, naming the affected sites of each group in which other sites aren't affected."""
        names = [
            group.names[at]
            for group, rows in self.rows.items()
            if len(rows) < checked[group.name]
            for at in sorted(rows)
        ]
        if not names:
            return self.diagnostic
        return replace(self.diagnostic, message=f"{self.diagnostic.message}{tell.of_sites(names)}")


def merged(outcome: Outcome, runs: Iterable[Run]) -> Outcome:
    """Combine the problems from all runs with the sites they affect.

    A problem whose text depends on a site's values is reported once for each text. If the values are merely copied into
    the text, the first site's text stands for all.
    """
    listed = list(runs)
    checked: Counter[str] = Counter()
    for run in listed:
        checked[run.group.name] += len(run.rows) if run.kind else 0
    located = [(problem, problem.located(checked)) for problem in _problems(listed)]
    own = {diagnostic: problem.stage for problem, diagnostic in located if problem.run.outcome is outcome}
    result = replace(outcome, diagnostics=tuple(own), stages=own)
    for stage in Stage:
        added = [diagnostic for problem, diagnostic in located if problem.stage is stage and diagnostic not in own]
        result = result.after(stage, added) if added else result
    return replace(result, reached=outcome.reached)


def _problems(runs: list[Run]) -> list[_Problem]:
    """Return each problem once, in the order in which the runs report them."""
    problems: list[_Problem] = []
    by_text: dict[_Key, _Problem] = {}
    for run in runs:
        known = frozenset[_Place]() if run.kind else _known(run, runs)
        general = _General(run)
        for diagnostic in run.outcome.diagnostics:
            if (diagnostic.code, diagnostic.span) in known:
                continue
            stage = run.outcome.stages[diagnostic]
            located = _at_value(diagnostic, stage, run)
            place = (located.code, located.span)
            keys = ((place, _text(diagnostic)), (place, general.text(diagnostic)))
            problem = next((by_text[key] for key in keys if key in by_text), None)
            if problem is None:
                problem = _Problem(located, stage, run)
                problems.append(problem)
            for key in keys:
                by_text.setdefault(key, problem)
            problem.rows.setdefault(run.group, set()).update(run.rows)
    return problems


def _known(run: Run, runs: Iterable[Run]) -> frozenset[_Place]:
    """Return the problems of the kind that a run's site belongs to, without texts, which markers may change."""
    kinds = (other for other in runs if other.kind and other.group is run.group and run.rows[0] in other.rows)
    return frozenset((diagnostic.code, diagnostic.span) for kind in kinds for diagnostic in kind.outcome.diagnostics)


def _at_value(diagnostic: Diagnostic, stage: Stage, run: Run) -> Diagnostic:
    """If the schema rejects a site's value, point at that value instead of the reference that inserts it."""
    bound, span = run.outcome.bound, diagnostic.span
    if stage is not Stage.VALIDATE or bound is None or span is None:
        return diagnostic
    for (target, column), uses in bound.used.items():
        is_written = target == run.group.name and column not in run.group.always
        if is_written and any(_is_whole(span, use) for use in uses):
            return tell.at_site_value(
                _as_a_number(diagnostic, run, column), run.group.places(run.rows[0], column), span
            )
    return diagnostic


def _as_a_number(diagnostic: Diagnostic, run: Run, column: str) -> Diagnostic:
    """Explain why a number in a CSV file is a string: another value in its column isn't a number."""
    other = run.group.made_text_by(run.rows[0], column)
    if other is None:
        return diagnostic
    value, line = run.group.value(other, column), run.group.places(other, column).line
    return replace(diagnostic, hint=tell.column_is_text(str(value), line))


def _is_whole(span: Span, use: Span) -> bool:
    """Return whether a reference is a whole value, apart from quotes."""
    return (
        (span.file, span.line) == (use.file, use.line)
        and use.column - span.column in (0, 1)
        and span.end_column - use.end_column in (0, 1)
    )


def _text(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message}\n{diagnostic.hint}"


class _General:
    """The texts of a run's diagnostics, with markers in place of the site's values.

    Searching the texts for the values isn't enough, since a word may equal a value by chance. Instead, the site is
    compiled again with markers. Its texts are matched by filling in the values, which must give the run's texts. This
    takes one compile for each kind of site whose texts could contain a value, and only if the spec has errors.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._texts: Mapping[_Key, str] | None = None
        self._values = _values(run) if run.marked is not None else ()

    def text(self, diagnostic: Diagnostic) -> str:
        """Return a diagnostic's text with markers, or unchanged if no value was copied to it."""
        text = _text(diagnostic)
        if not any(value in text for value in self._values):
            return text
        if self._texts is None:
            self._texts = _marked_texts(self._run)
        return self._texts.get(((diagnostic.code, diagnostic.span), text), text)


def _values(run: Run) -> tuple[str, ...]:
    """Return the values of the run's site that markers can replace."""
    assert run.outcome.bound is not None
    columns = run.outcome.bound.markable[run.group.name]
    return tuple(str(run.group.value(run.rows[0], column)) for column in columns)


def _marked_texts(run: Run) -> dict[_Key, str]:
    """Map each text, as it reads with the site's values, to the same text with markers."""
    outcome = run.marked() if run.marked is not None else run.outcome
    assert outcome.bound is not None
    site = Site(run.group, run.rows[0], outcome.bound.bindings[run.group.name].marked)
    texts = ((diagnostic, _text(diagnostic)) for diagnostic in outcome.diagnostics)
    return {((diagnostic.code, diagnostic.span), site.filled(text)): text for diagnostic, text in texts}
