"""Rules about the waves in which a promoted model reaches the sites of a target."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import DANGER, NOTE, REVIEW, Rule, Verdict, by_way, described_by, stated, was
from modelyard.review.sides import Sides
from modelyard.spec import Waves

_WAVES: Final = ("deployment", "targets", "*", "sites", "waves")
_ALL: Final = 100
_SOONER: Final = "a bad version reaches more sites before alerts at other sites can stop it"
_VERDICTS: Final[tuple[Verdict, Verdict, Verdict]] = (("R206", DANGER), ("R207", NOTE), ("R208", REVIEW))
"""The verdicts on a looser, a stricter and any other change."""


def _way_of_shares(change: Change) -> Direction:
    """Return the direction of a change to wave shares. Reaching more sites per wave is looser.

    The last wave always reaches all sites.
    """
    before, after = ([int(share.rstrip("%")) for share in side.items or ()] for side in (change.before, change.after))
    more = {new > old for old, new in zip_longest(before, after, fillvalue=_ALL) if new != old}
    if len(more) != 1:
        return Direction.OTHER
    return Direction.LOOSER if True in more else Direction.STRICTER


def _shares_say(change: Change, _: Sides) -> str:
    before, after = ([*(side.items or ()), "then all"] for side in (change.before, change.after))
    now = f"{', '.join(after)} sites of {change.path[2]}".removeprefix("then ")
    return f"after the canary, new versions reach {was(now, ', '.join(before).removeprefix('then '))}"


def _waves_say(change: Change, _: Sides) -> str:
    waves = change.now if change.added else change.was
    canary = f"the canary {', '.join(waves.canary)}" if isinstance(waves, Waves) else "a canary"
    if change.added:
        return f"new versions reach {canary} of {change.path[2]} first (was all sites at once)"
    return f"new versions reach all sites of {change.path[2]} at once (was {canary} first)"


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        (*_WAVES, "soak"),
        by_way(*_VERDICTS),
        described_by("each wave of sites of {target} serves a version for {moves} before the next wave gets it"),
        lambda change, _: _SOONER if change.way is Direction.LOOSER else "",
    ),
    Rule(
        (*_WAVES, "shares"),
        by_way(*_VERDICTS, way=_way_of_shares),
        _shares_say,
        lambda change, _: _SOONER if _way_of_shares(change) is Direction.LOOSER else "",
    ),
    Rule(
        (*_WAVES, "canary"),
        by_way(*_VERDICTS),
        lambda change, _: stated(f"sites of {change.path[2]} that get new versions first", change),
    ),
    Rule(
        _WAVES,
        by_way(*_VERDICTS),
        _waves_say,
        lambda change, _: "" if change.added else "no site shows that a version is bad before the others have it",
    ),
)
