"""What a reviewer reads: a finding says what changes, why it matters, whom it reaches, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from modelyard.hashing import sha256
from modelyard.records import record, replace
from modelyard.review.values import Steps
from modelyard.source import Span


class Level(IntEnum):
    """How much attention a finding needs, in order."""

    QUIET = 0
    NOTE = 1
    REVIEW = 2
    DANGER = 3

    @property
    def word(self) -> str:
        """The level's name in reports and options."""
        return self.name.lower()


_FINGERPRINT: Final = 12


@record
class Finding:
    """A change that matters, with the place before and after. A place is None on the side that lacks it.

    `reasons` explain the level, `reached` are the addresses of what the change reaches, and `environments` the
    environments in which it holds. `lasting` marks what cannot be undone by reverting the spec.
    """

    code: str
    level: Level
    path: Steps
    message: str
    why: str = ""
    before: str = ""
    after: str = ""
    reasons: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    was_at: Span | None = None
    now_at: Span | None = None
    lasting: bool = False

    @property
    def subject(self) -> str:
        """The address of what changes, such as `inference.scorer.traffic`."""
        return ".".join(self.path)

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of a hash over what changes: another change of the same field has another hash."""
        total = sha256()
        for part in (self.code, self.subject, ",".join(self.environments), self.before, self.after, self.message):
            data = part.encode("utf-8", "surrogatepass")
            total.update(len(data).to_bytes(8, "big") + data)
        return total.hexdigest()[:_FINGERPRINT]


def folded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join findings that say the same of the same place, take the highest level, and sort by level and place.

    They differ in environment, or in the variant or step that inherits the value.
    """
    joined: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        place = finding.now_at or finding.was_at or finding.path
        key = (finding.code, place, finding.before, finding.after, finding.message)
        first = joined.setdefault(key, finding)
        if first is not finding:
            names = tuple(dict.fromkeys((*first.environments, *finding.environments)))
            reached = tuple(dict.fromkeys((*first.reached, *finding.reached)))
            higher = max(first, finding, key=lambda one: one.level)
            joined[key] = replace(higher, environments=names, reached=reached)
    return tuple(sorted(joined.values(), key=_order))


def _order(finding: Finding) -> tuple[int, str, int, str, str, str]:
    place = finding.now_at or finding.was_at
    file, line = (place.file, place.line) if place else ("", 0)
    return (-finding.level, file, line, finding.code, finding.subject, finding.message)
