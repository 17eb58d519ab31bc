"""Default rules by topic, for fields without a rule of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.review.findings import Level
from modelyard.review.meaning import ABOUT
from modelyard.review.rules.base import DANGER, NOTE, QUIET, REVIEW, Rule, Verdict, Wording, by_way, plainly

_VERDICTS: Final[Mapping[str, tuple[Verdict, Verdict, Verdict]]] = {
    "access": (("R403", DANGER), ("R404", REVIEW), ("R403", REVIEW)),
    "address": (("R408", DANGER), ("R408", REVIEW), ("R408", DANGER)),
    "alarm": (("R211", DANGER), ("R212", NOTE), ("R223", REVIEW)),
    "approval": (("R241", DANGER), ("R242", NOTE), ("R241", REVIEW)),
    "budget": (("R602", REVIEW), ("R612", NOTE), ("R602", REVIEW)),
    "capacity": (("R615", REVIEW), ("R615", NOTE), ("R615", REVIEW)),
    "code": (("R107", REVIEW), ("R107", REVIEW), ("R107", REVIEW)),
    "cost": (("R611", REVIEW), ("R611", REVIEW), ("R611", REVIEW)),
    "data": (("R301", REVIEW), ("R302", REVIEW), ("R301", REVIEW)),
    "escape": (("R901", REVIEW), ("R903", REVIEW), ("R901", REVIEW)),
    "evidence": (("R246", DANGER), ("R247", NOTE), ("R249", REVIEW)),
    "gate": (("R201", DANGER), ("R202", NOTE), ("R205", REVIEW)),
    "hardware": (("R607", REVIEW), ("R607", REVIEW), ("R607", REVIEW)),
    "isolation": (("R409", REVIEW), ("R409", NOTE), ("R409", REVIEW)),
    "latency": (("R115", REVIEW), ("R116", NOTE), ("R115", REVIEW)),
    "model": (("R112", REVIEW), ("R112", REVIEW), ("R112", REVIEW)),
    "oneway": (("R505", REVIEW), ("R505", REVIEW), ("R505", REVIEW)),
    "opening": (("R401", DANGER), ("R402", REVIEW), ("R401", REVIEW)),
    "owner": (("R801", REVIEW), ("R801", REVIEW), ("R801", REVIEW)),
    "place": (("R511", REVIEW), ("R511", REVIEW), ("R511", REVIEW)),
    "platform": (("R707", REVIEW), ("R707", REVIEW), ("R707", REVIEW)),
    "privacy": (("R307", DANGER), ("R308", NOTE), ("R307", REVIEW)),
    "promotion": (("R206", DANGER), ("R207", NOTE), ("R208", REVIEW)),
    "prose": (("R805", NOTE), ("R805", NOTE), ("R805", NOTE)),
    "quiet": (("R909", QUIET), ("R909", QUIET), ("R909", QUIET)),
    "residency": (("R304", DANGER), ("R305", NOTE), ("R306", DANGER)),
    "resilience": (("R606", REVIEW), ("R616", NOTE), ("R606", REVIEW)),
    "retention": (("R310", DANGER), ("R311", REVIEW), ("R310", REVIEW)),
    "rules": (("R251", DANGER), ("R252", NOTE), ("R253", REVIEW)),
    "schedule": (("R117", REVIEW), ("R117", NOTE), ("R117", REVIEW)),
    "schema": (("R909", QUIET), ("R909", QUIET), ("R909", QUIET)),
    "secret": (("R405", REVIEW), ("R405", REVIEW), ("R405", REVIEW)),
    "slo": (("R221", REVIEW), ("R222", NOTE), ("R221", REVIEW)),
    "state": (("R508", DANGER), ("R508", REVIEW), ("R508", DANGER)),
    "supply": (("R706", REVIEW), ("R706", NOTE), ("R706", REVIEW)),
    "traffic": (("R115", REVIEW), ("R116", NOTE), ("R115", REVIEW)),
    "trigger": (("R219", REVIEW), ("R220", REVIEW), ("R219", REVIEW)),
}

_WHY: Final[Mapping[str, str]] = {
    "state": "it cannot be changed in place: the resources are recreated, and those that hold data are protected",
    "secret": "it must exist before this is applied",
}


def looser_level(about: str) -> Level:
    """Return the level of a change that loosens a field about this topic."""
    return _VERDICTS[about][0][1]


def _why(about: str) -> Wording:
    """Return a function that explains a change's consequence, or returns "" for removed values and numbers."""
    return lambda change, _: "" if change.removed or change.after.number is not None else _WHY.get(about, "")


RULES: Final[Mapping[str, Rule]] = {about: Rule((), by_way(*_VERDICTS[about]), plainly, _why(about)) for about in ABOUT}
"""The rule for each topic."""
