"""A spec in all its environments at once: what is wrong with it, told once, with where it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from modelyard.diagnostics import Diagnostic, in_order
from modelyard.diagnostics.base import Severity
from modelyard.diagnostics.target import environment_not_yet
from modelyard.inputs import Inputs
from modelyard.pipeline import Outcome, understand
from modelyard.records import record, replace
from modelyard.target import Targets

_BASE: Final = "the base"
_MOST_NAMES: Final = 5
_LACKS: Final = frozenset({"E0143", "E0202", "E0211", "E0301", "E0304", "E0305", "E0315"})
"""What is said of a spec in which something is not there that an environment may add."""
_UNUSED: Final = "W0412"
"""What is said of a thing that nothing uses; one that any environment uses is no leftover."""
_NOT_YET: Final = "E0602"
"""What is said of a provider that is not made yet; an environment on one keeps nobody from the others."""
_VARIABLES: Final = "014"
"""The first room whose findings need a word on where they hold; before it, their place is in the environment."""
_NO_ROOM: Final = "999"


@record
class Survey:
    """What was found in any environment, and whether the base is a system without one.

    Environments that are not made yet are on a provider of which nothing comes out so far.
    """

    diagnostics: tuple[Diagnostic, ...]
    base_is_whole: bool
    not_made_yet: tuple[str, ...]


def survey(inputs: Inputs, spec: Outcome, names: Iterable[str], targets: Targets) -> Survey:
    """All that `understand` finds in the base and in each environment; `spec` is what `opened` gave.

    A base that lacks what every environment adds is no system by itself: what it lacks is not told.
    """
    base = understand(inputs, targets, spec)
    runs = {_BASE: _Run.of(base)}
    for name in names:
        picked = replace(inputs, environment=name, overlay=inputs.beside.get(name))
        runs[name] = _Run.of(understand(picked, targets, spec))
    told: list[Diagnostic] = []
    whole = True
    for said, found in {said: found for run in reversed(runs.values()) for said, found in run.found.items()}.items():
        where = [name for name, run in runs.items() if said in run.found]
        elsewhere = any(said not in run.found and run.ended >= _room(found) for run in runs.values())
        if where == [_BASE] and elsewhere and found.code in _LACKS:
            whole = False
        elif not (elsewhere and found.code == _UNUSED):
            said = environment_not_yet(found) if found.code == _NOT_YET and _BASE not in where else found
            told.append(_placed(said, where) if elsewhere and _room(found) >= _VARIABLES else said)
    later = tuple(name for name, run in runs.items() if any(found.code == _NOT_YET for found in run.found))
    return Survey(in_order(told), whole, later)


@record
class _Run:
    """What was found in one environment, by what is said without its hint, and the room whose errors ended it."""

    found: Mapping[Diagnostic, Diagnostic]
    ended: str

    @classmethod
    def of(cls, outcome: Outcome) -> _Run:
        """What `understand` gave. Rooms after one that found errors have said nothing of this environment."""
        errors = [_room(one) for one in outcome.diagnostics if one.severity is Severity.ERROR]
        return cls({replace(one, hint=""): one for one in outcome.diagnostics}, min(errors, default=_NO_ROOM))


def _room(found: Diagnostic) -> str:
    """What orders diagnostics by the rooms that they come from; load, overlay and variables share E01."""
    digits = found.code[1:]
    return digits[:3] if digits.startswith("01") else f"{digits[:2]}0"


def _placed(found: Diagnostic, names: list[str]) -> Diagnostic:
    return replace(found, message=f"{found.message} (in {_listed(names)})")


def _listed(names: list[str]) -> str:
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
