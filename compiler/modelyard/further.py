"""Find errors from later stages in a spec that fails earlier, unless they depend on how it will be fixed.

A spec with errors is checked in two variants. Errors with an obvious fix are fixed in both. For any other error, one
variant guesses a fix and the other removes the entry. An error found in both variants depends on neither the guess nor
the removal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from modelyard.diagnostics import Diagnostic
from modelyard.edits import Edit, edited, value_at
from modelyard.paths import paths_at
from modelyard.records import field, record, replace
from modelyard.resolve.scope import SECTIONS
from modelyard.source import Document, Path
from modelyard.stages import Outcome, Stage
from modelyard.validate import faults_of

if TYPE_CHECKING:
    from modelyard.validate.faults import Fault
    from modelyard.validate.repairs import Repair

_MOST_ERRORS: Final = 100
_MOST_ROUNDS: Final = 24
_ENTRIES: Final = frozenset({*SECTIONS, "overrides", "moved", "vars", "lists"})
_GUESSED: Final = frozenset({("metadata",), ("governance", "owner")})
"""Required sections whose content may be guessed, because nothing else depends on them."""

Judge: TypeAlias = Callable[[Document], Outcome]
"""Runs the stages from schema validation on, up to the first one that reports an error."""

_Edits: TypeAlias = "dict[Path, Edit]"


@record(frozen=False)
class _Variant:
    """A variant of the spec without its errors, the errors from later stages, and the last stage that ran.

    `limit` is the last stage that may run. `holes` holds the parents of removed paths, where entries are now missing.
    """

    document: Document
    last: Stage
    limit: Stage = Stage.FIT
    holes: set[Path] = field(default_factory=set[Path])
    errors: dict[Diagnostic, tuple[Stage, Diagnostic]] = field(
        default_factory=dict[Diagnostic, "tuple[Stage, Diagnostic]"]
    )


def further(document: Document, outcome: Outcome, judge: Judge) -> Outcome:
    """Add errors from stages after the failed one to an outcome, along with the stages that are still blocked."""
    reached = outcome.reached
    mended = _explored(document, outcome, judge, is_mended=True)
    bare = _explored(document, outcome, judge, is_mended=False)
    for stage in Stage:
        common = [diagnostic for key, (at, diagnostic) in mended.errors.items() if at is stage and key in bare.errors]
        outcome = outcome.after(stage, common) if common else outcome
    last = min(mended.last, bare.last)
    addresses = sorted({".".join(str(step) for step in path) for path in bare.document.aside if _entry(path) == path})
    waiting = tuple(stage for stage in Stage if stage > last)
    return replace(outcome, reached=reached, waiting=waiting, aside=tuple(addresses))


def _explored(document: Document, outcome: Outcome, judge: Judge, is_mended: bool) -> _Variant:
    """Remove or fix the errors and check again, until there are no new errors."""
    stage, errors = outcome.errors()
    variant = _Variant(document, stage)
    for turn in range(_MOST_ROUNDS):
        if len(errors) > _MOST_ERRORS or variant.last >= variant.limit:
            break
        again = stage < variant.last or (turn > 0 and stage is Stage.VALIDATE)  # something required was removed
        if stage is Stage.VALIDATE and not again and any(_moves_all(fault) for fault in faults_of(document)):
            variant.limit = Stage.RESOLVE
        if stage is Stage.VALIDATE:
            edits = _of_faults(document, is_mended, again)
        else:
            edits = _of_errors(document, errors, is_coarse=stage is Stage.RESOLVE and not is_mended and not again)
        if edits is None or any(_is_needed(path) for path, edit in edits.items() if edit.removes):
            break
        if not edits and turn > 0:  # further rounds would find nothing else
            break
        if stage >= Stage.CHECK:
            variant.holes.update(path[:-1] for path in edits)
        document = variant.document = edited(document, edits)
        outcome = judge(document)
        if not outcome.failed:
            variant.last = variant.limit
            break
        stage, errors = outcome.errors()
        if stage > variant.limit:
            variant.last = variant.limit
        elif stage > variant.last:
            variant.last = stage
            genuine = _genuine(variant, errors)
            variant.errors.update((replace(error, hint="", meant=None), (stage, error)) for error in genuine)
    return variant


def _repair(fault: Fault) -> Repair | None:
    from modelyard.validate.repairs import repair  # most specs that get here fit the schema

    return repair(fault)


def _moves_all(fault: Fault) -> bool:
    """Return whether checks and machines may depend on an error: any under `deployment` without an obvious fix."""
    repair = _repair(fault)
    return fault.path[:1] == ("deployment",) and (repair is None or not repair.is_sure)


def _is_needed(path: Path) -> bool:
    """Return whether the rest of the spec depends on a path: the root, or a section such as `deployment`."""
    return not path or (len(path) == 1 and path[0] not in _ENTRIES)


def _genuine(variant: _Variant, errors: tuple[Diagnostic, ...]) -> Iterator[Diagnostic]:
    """Yield the errors that don't merely follow from a removed entry, e.g. by referring to it."""
    places = paths_at(variant.document, {error.span for error in errors if error.span is not None})
    for error in errors:
        paths = places[error.span] if error.span is not None else ()
        sections = {path[0] for path in paths if path}
        is_moved = variant.limit is Stage.RESOLVE and "deployment" in sections
        is_patch = bool(variant.document.aside) and "overrides" in sections
        if not (error.follows or is_moved or is_patch) and variant.holes.isdisjoint(paths):
            yield error


# --- schema errors


def _of_faults(document: Document, is_mended: bool, again: bool) -> _Edits | None:
    """Return edits that bring a document closer to the schema, or None if an indispensable part is invalid."""
    faults = faults_of(document)
    if len(faults) > _MOST_ERRORS:
        return None
    edits: _Edits = {}
    for fault in faults:
        chosen = _removed(fault) if again and fault.path else _of_fault(fault, is_mended)
        if chosen is None:
            return None
        edits.update(chosen)
    return edits


def _of_fault(fault: Fault, is_mended: bool) -> Mapping[Path, Edit] | None:
    """Return the edits for an error: a certain fix or a guess if `is_mended`, otherwise the entry's removal."""
    repair = _repair(fault)
    if not fault.path:
        return None if fault.keyword == "required" or repair is None else repair.edits
    entry = _entry(fault.path)
    guess = repair.edits if repair is not None else _removed(fault)
    is_free = entry is None and fault.path[0] == "deployment"  # dependent stages do not run
    if is_mended or is_free or (repair is not None and repair.is_sure):
        return guess
    if entry is not None and fault.keyword != "unnamed":
        return {entry: Edit(removes=True)}
    return guess if fault.keyword == "required" and fault.path[:2] in _GUESSED else _removed(fault)


def _removed(fault: Fault) -> _Edits:
    return {path: Edit(removes=True) for path in _faulty(fault)}


def _faulty(fault: Fault) -> Iterator[Path]:
    """Yield the invalid paths or, for an entry without a name, the path of the containing mapping."""
    if fault.keyword == "unnamed":
        yield fault.path[:-1]
        return
    yield fault.path
    if fault.keyword == "outdented":
        yield from ((*fault.path[:-1], name) for name in fault.others)


# --- errors from later stages


def _of_errors(document: Document, errors: tuple[Diagnostic, ...], is_coarse: bool) -> _Edits | None:
    """Return edits that remove errors from a document, or None if an error is in an indispensable part."""
    places = paths_at(document, {error.span for error in errors if error.span is not None})
    edits: _Edits = {}
    for error in errors:
        paths = places[error.span] if error.span is not None else ()
        is_open = error.follows or (error.lacks and error.meant is None)
        if not paths or any(not path or (is_open and _entry(path) is None) for path in paths):
            return None
        for path in paths:
            renamed = _renamed(document, error, path)
            removed = (_entry(path) or path) if is_coarse or error.follows else path
            edits.update(renamed or {removed: Edit(removes=True)})
    return edits


def _renamed(document: Document, error: Diagnostic, path: Path) -> _Edits:
    """Replace an unknown string or key with the name that was probably meant, if there is one."""
    if error.meant is None or error.follows:
        return {}
    wrong, right = error.meant
    value = value_at(document, path)
    if isinstance(value, str) and wrong in value:
        return {path: Edit(value.replace(wrong, right, 1))}
    return {path: Edit(name=right)} if path[-1] == wrong else {}


def _entry(path: Path) -> Path | None:
    """Return the named entry that contains a path, or None if its section isn't a collection."""
    if path[0] in _ENTRIES and len(path) >= 2:
        return path[:2]
    return path[:3] if path[:2] == ("deployment", "targets") and len(path) >= 3 else None
