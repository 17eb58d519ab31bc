"""What a reviewer reads: a finding describes what changes, why it matters, what it reaches, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

from modelyard.hashing import sha256
from modelyard.records import record, replace
from modelyard.review.values import Steps
from modelyard.source import Span


class Level(IntEnum):
    """How much attention a finding needs, from least to most."""

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
    """Who accepts a finding, why, until which day and, if signed, for which group of approvers."""

    by: str
    reason: str
    until: str
    group: str = ""


_SHORT: Final = 12
_WHOLE: Final = 40


@record
class Finding:
    """A change that matters, with its place before and after. The place is None in a version that lacks it.

    `reasons` explain the level, `reached` are the addresses of everything that the change reaches, and `environments`
    are those in which the finding applies. `lasting` means that reverting the spec does not undo the change. `details`
    are values that appear in no message, and `nth` numbers findings that are otherwise equal; both are part of the
    fingerprint. `accepted` lists the people who accept the finding, if the acknowledgements next to the spec are
    sufficient.
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
        """The first twelve digits of `whole_fingerprint`, which distinguish the findings in a review."""
        return self.whole_fingerprint[:_SHORT]

    @property
    def whole_fingerprint(self) -> str:
        """A hash of the change as hexadecimal digits. A different change to the same field has a different hash.

        Some of the hashed strings are chosen by the author, so an acknowledgement contains enough digits that nobody
        can find two changes that share them.
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
    """Join findings with the same message for the same place, keep the highest level, and sort by level and place.

    The joined findings differ in the environment, or in the variant or step that inherits the value.
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
    """Number findings that are the same for several places, so that each has its own fingerprint."""
    seen: dict[str, int] = {}
    for finding in findings:
        alike = finding.whole_fingerprint
        seen[alike] = nth = seen.get(alike, -1) + 1
        yield replace(finding, nth=nth) if nth else finding


def _order(finding: Finding) -> tuple[int, str, int, str, str, str]:
    place = finding.now_at or finding.was_at
    file, line = (place.file, place.line) if place else ("", 0)
    return (-finding.level, file, line, finding.code, finding.subject, finding.message)
