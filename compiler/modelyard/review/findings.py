"""Findings tell a reviewer what changes, why it matters, what it affects, and where it is."""

from __future__ import annotations

import json
from collections import Counter
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
    """Who accepts a finding, why, until when and, if signed, on behalf of which approver group."""

    by: str
    reason: str
    until: str
    group: str = ""


_SHORT: Final = 12
_WHOLE: Final = 40


@record
class Finding:
    """A significant change, with its location in each version, or None if there is no location in that version.

    `reasons` explains the level, `reached` holds the addresses of entries affected by the change, and `environments`
    lists the environments the finding applies to. `irreversible` means that reverting the spec doesn't undo the change.
    `facts` holds all other details that identify the change, without any prose (see the `facts` function). `nth` and
    `alike` number otherwise identical findings, as in "`nth` of `alike`". `accepted` lists the people who accept the
    finding, provided the acknowledgements next to the spec are sufficient.
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
    irreversible: bool = False
    facts: str = ""
    nth: int = 0
    alike: int = 1
    accepted: tuple[Accepted, ...] = ()

    @property
    def subject(self) -> str:
        """The address of the field or entry that changes, such as `inference.scorer.traffic`."""
        return ".".join(self.path)

    @property
    def fingerprint(self) -> str:
        """The first twelve digits of `whole_fingerprint`, which are enough to tell findings in a review apart."""
        return self.whole_fingerprint[:_SHORT]

    @property
    def whole_fingerprint(self) -> str:
        """A hex digest of the change. A different change to the same field has a different digest.

        `message`, `why` and `reasons` aren't hashed, so acknowledgements remain valid if they are reworded. The level
        is, so a finding that becomes more serious has to be accepted again. Since the change's author chooses some of
        the hashed strings, an acknowledgement contains enough digits to make collisions infeasible.
        """
        total = sha256()
        numbered = (str(self.nth), str(self.alike)) if self.alike > 1 else ()
        for part in (*self._identity(), *numbered):
            data = part.encode("utf-8", "surrogatepass")
            total.update(len(data).to_bytes(8, "big") + data)
        return total.hexdigest()[:_WHOLE]

    def _identity(self) -> tuple[str, ...]:
        names = ",".join(self.environments)
        return (self.code, self.level.word, self.subject, names, self.before, self.after, self.facts)


def facts(*values: object) -> str:
    """Serialize strings, numbers and lists so that different values always produce different text."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def lowered_to_review(finding: Finding, why: str) -> Finding:
    """Lower a finding to review, because what its rule warns about can't happen, as `why` explains.

    Reasons for the level are kept unless they explain why it was a danger.
    """
    reasons = () if finding.level > Level.REVIEW else finding.reasons
    return replace(finding, level=min(finding.level, Level.REVIEW), why=why, reasons=reasons)


def folded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Merge findings about the same change, keeping the highest level, and sort them by level and location.

    Merged findings differ in their environment, or in the variant or step that inherits the value. Their messages may
    differ too, if they mention details specific to an environment, variant or step.
    """
    joined: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        joined.setdefault(_change(finding), []).append(finding)
    return tuple(_numbered(sorted(map(_joined, joined.values()), key=_order)))


def _change(finding: Finding) -> tuple[object, ...]:
    """Return a key that is equal for findings about the same change. For notes, it includes the message."""
    path = finding.path
    field = (*path[:2], *path[4:]) if len(path) > 4 and path[2] in {"variants", "steps"} else path
    place = finding.now_at or finding.was_at
    message = finding.message if finding.level <= Level.NOTE else ""
    numbered = (finding.nth, finding.alike)
    return (finding.code, field, place, finding.before, finding.after, finding.facts, message, numbered)


def _joined(findings: list[Finding]) -> Finding:
    """Merge findings about the same change into one, keeping each distinct message."""
    first = max(findings, key=lambda finding: finding.level)
    if len(findings) == 1:
        return first
    others: dict[str, list[str]] = {}
    for finding in findings:
        if finding.message != first.message:
            others.setdefault(finding.message, []).extend(
                name for name in finding.environments if name not in first.environments
            )
    texts = (f"in {' and '.join(names)}, {text}" if names else text for text, names in others.items())
    return replace(
        first,
        message="; ".join([first.message, *texts]),
        environments=tuple(dict.fromkeys(name for finding in findings for name in finding.environments)),
        reached=tuple(dict.fromkeys(address for finding in findings for address in finding.reached)),
    )


def _numbered(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Number otherwise identical findings so that each has its own fingerprint.

    The total is stored as well, so that if one of two findings disappears, its acceptance doesn't carry over to the
    other.
    """
    hashed = [(finding, finding.whole_fingerprint) for finding in findings]
    total = Counter(fingerprint for _, fingerprint in hashed)
    seen: Counter[str] = Counter()
    for finding, fingerprint in hashed:
        alike = total[fingerprint]
        yield replace(finding, nth=seen[fingerprint], alike=alike) if alike > 1 else finding
        seen[fingerprint] += 1


def _order(finding: Finding) -> tuple[int, str, int, str, str, str]:
    place = finding.now_at or finding.was_at
    file, line = (place.file, place.line) if place else ("", 0)
    return (-finding.level, file, line, finding.code, finding.subject, finding.message)
