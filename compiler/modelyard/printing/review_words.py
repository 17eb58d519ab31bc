"""Code shared by a review's text and Markdown forms: the headline, locations, and lists of addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from modelyard.printing.redact import redacted
from modelyard.printing.terminal import visible
from modelyard.review.comparing import Review, Unjudged
from modelyard.review.findings import Finding, Level

_MOST_REACHED: Final = 6
_LEVELS: Final = (
    (Level.DANGER, "danger", "dangers"),
    (Level.REVIEW, "to review", "to review"),
    (Level.NOTE, "note", "notes"),
)


def headline(review: Review) -> str:
    """Return the verdict in one line."""
    name = review.system or "the system"
    if review.unjudged:
        return f"{name}: cannot be judged, because {_broken(review.unjudged)}{_so_far(review)}"
    counts = counted(review)
    if review.is_first:
        return f"{name}: a new system with {counts or 'nothing to review'}"
    return f"{name}: {counts or 'no changes that matter'}"


def summary(review: Review) -> tuple[str, ...]:
    """Return a line about the cost and one about who must agree, or nothing if the change needs no review."""
    if not review.agreement:
        return ()
    findings = sorted((finding for finding in review.findings if finding.code == "R620"), key=_growth, reverse=True)
    costs = [f"{finding.message}{_in(held_in(finding, review))}" for finding in findings]
    more = f" (and {len(costs) - 1} more)" if len(costs) > 1 else ""
    unknown = "not known, because a version does not compile" if review.unjudged else "unchanged"
    return f"cost: {costs[0] if costs else unknown}{more}", f"sign-off: {review.agreement}"


def _growth(finding: Finding) -> tuple[float, ...]:
    """Return how much the monthly cost grows: the expected cost, the ceiling and the floor."""
    before, after = (
        [float(amount) for amount in side.split()] or [0.0] * 3 for side in (finding.before, finding.after)
    )
    floor, expected, ceiling = (new - old for old, new in zip(before, after, strict=True))
    return expected, ceiling, floor


def _in(environments: str) -> str:
    return f" in {environments}" if environments else ""


def _broken(unjudged: Sequence[Unjudged]) -> str:
    sides = [side for side in ("before", "after") if any(version.side == side for version in unjudged)]
    words = {"before": "the old version", "after": "the new version"}
    names = tuple(dict.fromkeys(version.environment for version in unjudged))
    subject = "neither version compiles" if len(sides) > 1 else f"{words[sides[0]]} does not compile"
    return f"{subject} in {listed(names)}"


def _so_far(review: Review) -> str:
    counts = counted(review)
    return f"; so far {counts}" if counts else ""


def counted(review: Review) -> str:
    """Return the number of findings at each level, or "" if there are none."""
    counts = [(review.count(level), level, singular, plural) for level, singular, plural in _LEVELS]
    return ", ".join(
        f"{count} {singular if count == 1 else plural}{_of_them(count, review.count_accepted(level))}"
        for count, level, singular, plural in counts
        if count
    )


def _of_them(count: int, accepted: int) -> str:
    if not accepted:
        return ""
    return " (accepted)" if count == accepted else f" ({accepted} accepted)"


def acceptances(finding: Finding, verb: str = "accepted ") -> tuple[str, ...]:
    """Return one sentence for each person who accepts a finding, including the end date and the reason."""
    return tuple(
        f"{verb}by {entry.by}{f' for {entry.group}' if entry.group else ''} until {entry.until}: {entry.reason}"
        for entry in finding.accepted
    )


def count_of(level: Level, count: int) -> str:
    """Return a count of findings at a level in words, such as `2 dangers`."""
    singular, plural = next((singular, plural) for each, singular, plural in _LEVELS if each is level)
    return f"{count} {singular if count == 1 else plural}"


def listed(names: Sequence[str]) -> str:
    """Join names: `default, dev and on-prem`."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def place_of(finding: Finding) -> str:
    """Return a finding's location in the new version, or in the old version if the value no longer exists."""
    span = finding.was_at if not finding.after and finding.was_at else finding.now_at or finding.was_at
    return f"{span.file}:{span.line}" if span else ""


def held_in(finding: Finding, review: Review) -> str:
    """Return a finding's environments, or "" if it applies to all of them."""
    everywhere = set(finding.environments) >= set(review.environments)
    return "" if everywhere and len(finding.environments) == len(review.environments) else listed(finding.environments)


def reached(finding: Finding) -> str:
    """Name the entries that the change in a finding reaches, at most six of them."""
    shown = finding.reached[:_MOST_REACHED]
    more = len(finding.reached) - len(shown)
    return listed((*shown, f"{more} more") if more else shown)


def explained_in_full(finding: Finding) -> str:
    """Return a finding as text for programs: what changes, why it matters, what it reaches, and who accepts it."""
    reaches = f"affects {reached(finding)}" if finding.reached else ""
    parts = (finding.message, finding.why, reaches, *finding.reasons, *acceptances(finding))
    return visible(redacted("; ".join(part for part in parts if part)))
