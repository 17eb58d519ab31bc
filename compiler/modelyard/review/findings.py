"""What a reviewer reads: each finding describes what changes, why it matters, what it affects, and where it is."""

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
    """Who accepts a finding, why, until which day and, if signed, on behalf of which approver group."""

    by: str
    reason: str
    until: str
    group: str = ""


_SHORT: Final = 12
_WHOLE: Final = 40


@record
class Finding:
    """A change that matters, with its locations before and after. A location is None in a version that lacks it.

    `reasons` explains the level, `reached` holds the addresses of the entries that the change affects, and
    `environments` lists the environments in which the finding applies. `irreversible` means that reverting the spec
    does not undo the change. `facts` holds all other details that distinguish the change, in a form without prose (see
    the function `facts`). `nth` and `alike` number findings that are otherwise equal: the nth of so many. `accepted`
    lists the people who accept the finding, if the acknowledgements next to the spec are sufficient.
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
        """The first twelve digits of `whole_fingerprint`, which distinguish the findings in a review."""
        return self.whole_fingerprint[:_SHORT]

    @property
    def whole_fingerprint(self) -> str:
        """A hash of the change as hexadecimal digits. A different change to the same field has a different hash.

        The hash does not depend on `message`, `why` and `reasons`, so acknowledgements stay valid if these are
        reworded. It does depend on the level, so a finding that becomes more serious has to be accepted again. The
        change's author chooses some of the hashed strings, so an acknowledgement contains enough digits that nobody can
        find two changes with the same digits.
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
    """Write strings, numbers and lists so that different values always have different texts."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def lowered_to_review(finding: Finding, why: str) -> Finding:
    """Return a finding that is not a danger because, as `why` explains, what its rule warns about cannot happen.

    Reasons for its level are kept unless they are reasons for it to be a danger.
    """
    reasons = () if finding.level > Level.REVIEW else finding.reasons
    return replace(finding, level=min(finding.level, Level.REVIEW), why=why, reasons=reasons)


def folded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join findings about the same change, keep the highest level, and sort by level and location.

    The joined findings differ in the environment, or in the variant or step that inherits the value. Their messages
    may differ too, if they mention details that are not the same in each environment, variant or step.
    """
    joined: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        joined.setdefault(_change(finding), []).append(finding)
    return tuple(_numbered(sorted(map(_joined, joined.values()), key=_order)))


def _change(finding: Finding) -> tuple[object, ...]:
    """Return the values that findings about the same change share. For a note, these include the message."""
    path = finding.path
    field = (*path[:2], *path[4:]) if len(path) > 4 and path[2] in {"variants", "steps"} else path
    place = finding.now_at or finding.was_at
    message = finding.message if finding.level <= Level.NOTE else ""
    numbered = (finding.nth, finding.alike)
    return (finding.code, field, place, finding.before, finding.after, finding.facts, message, numbered)


def _joined(findings: list[Finding]) -> Finding:
    """Return one finding for several findings about the same change, with each of their different messages."""
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
    """Number findings that are otherwise equal so that each has its own fingerprint.

    The total is stored too: if one of two findings disappears, its acceptance does not apply to the other finding.
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
