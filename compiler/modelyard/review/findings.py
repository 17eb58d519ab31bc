"""What a reviewer reads: a finding says what changes, why it matters, whom it reaches, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


@record
class Accepted:
    """Who accepts a finding, why, until which day, and for which group of approvers if it is signed."""

    by: str
    reason: str
    until: str
    group: str = ""


_SHORT: Final = 12
_WHOLE: Final = 40


@record
class Finding:
    """A change that matters, with the place before and after. A place is None on the side that lacks it.

    `reasons` explain the level, `reached` are the addresses of what the change reaches, and `environments` the
    environments in which it holds. `lasting` marks what cannot be undone by reverting the spec. `details` are values
    that no text shows, and `nth` counts findings that are otherwise equal; both are part of the fingerprint.
    `accepted` says who accepts it, if the acknowledgements next to the spec are enough.
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
    details: str = ""
    nth: int = 0
    accepted: tuple[Accepted, ...] = ()

    @property
    def subject(self) -> str:
        """The address of what changes, such as `inference.scorer.traffic`."""
        return ".".join(self.path)

    @property
    def fingerprint(self) -> str:
        """The first twelve digits of `whole_fingerprint`, which tell the findings of a review apart."""
        return self.whole_fingerprint[:_SHORT]

    @property
    def whole_fingerprint(self) -> str:
        """Hexadecimal digits of a hash over what changes: another change of the same field has another hash.

        An author chooses some of the hashed texts, so an acknowledgement names enough digits that no two changes can be
        found that share them.
        """
        total = sha256()
        extra = (self.details, str(self.nth)) if self.details or self.nth else ()
        for part in (*self._identity(), *extra):
            data = part.encode("utf-8", "surrogatepass")
            total.update(len(data).to_bytes(8, "big") + data)
        return total.hexdigest()[:_WHOLE]

    def _identity(self) -> tuple[str, ...]:
        names = ",".join(self.environments)
        return (self.code, self.subject, names, self.before, self.after, self.message)


def folded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join findings that say the same of the same place, take the highest level, and sort by level and place.

    They differ in environment, or in the variant or step that inherits the value.
    """
    joined: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        place = finding.now_at or finding.was_at or finding.path
        key = (finding.code, place, finding.before, finding.after, finding.message, finding.details)
        first = joined.setdefault(key, finding)
        if first is not finding:
            names = tuple(dict.fromkeys((*first.environments, *finding.environments)))
            reached = tuple(dict.fromkeys((*first.reached, *finding.reached)))
            higher = max(first, finding, key=lambda one: one.level)
            joined[key] = replace(higher, environments=names, reached=reached)
    return tuple(_numbered(sorted(joined.values(), key=_order)))


def _numbered(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Number findings that say the same of several places, so that each has a fingerprint of its own."""
    seen: dict[str, int] = {}
    for finding in findings:
        alike = finding.whole_fingerprint
        seen[alike] = nth = seen.get(alike, -1) + 1
        yield replace(finding, nth=nth) if nth else finding


def _order(finding: Finding) -> tuple[int, str, int, str, str, str]:
    place = finding.now_at or finding.was_at
    file, line = (place.file, place.line) if place else ("", 0)
    return (-finding.level, file, line, finding.code, finding.subject, finding.message)
