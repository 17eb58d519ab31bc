"""The rule for a target's `images`, which set the container registry and mirror that Pods pull from."""

from __future__ import annotations

from typing import Final

from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import DANGER, REVIEW, Rule, Verdict, is_from_elsewhere, plainly
from modelyard.review.sides import Sides
from modelyard.spec import target_path

_MIRROR: Final = "mirror"


def _replaces_own(change: Change, sides: Sides) -> bool:
    """Return whether a registry outside the target's account replaces the one that the target creates in a cloud."""
    name = change.path[2]
    if change.path[-1] != "registry" or change.before.text or not sides.after.target(name).in_cloud:
        return False
    account = sides.after.written(*target_path(sides.after, name)).get("account")
    return not account or str(account) not in change.after.text


def _images(change: Change, sides: Sides) -> Verdict:
    """Judge a change to where images are pulled from. Without the mirror, they come from public registries."""
    if change.path[-1] == _MIRROR:
        return "R706", DANGER if change.way is Direction.LOOSER else REVIEW
    is_elsewhere = is_from_elsewhere(f"{change.before.text}/", f"{change.after.text}/") or _replaces_own(change, sides)
    return "R706", DANGER if is_elsewhere else REVIEW


def _images_why(change: Change, _: Sides) -> str:
    if change.path[-1] != _MIRROR:
        return "all Pods pull their images from there, and run whatever they get"
    if change.way is Direction.LOOSER:
        return "all Pods pull public images past the target's own registry, and run whatever they get"
    return "all Pods pull public images from the target's own registry, which must have them"


RULES: Final[tuple[Rule, ...]] = (Rule(("deployment", "targets", "*", "images"), _images, plainly, _images_why),)
