"""Rules about entries that a change places on another target, and judgement of regions."""

from __future__ import annotations

from typing import Final

from modelyard.checks.regions import regions
from modelyard.review.changes import Change
from modelyard.review.rules.base import DANGER, REVIEW, Rule, Verdict, described_by
from modelyard.review.sides import Sides
from modelyard.spec import System


def share_jurisdiction(place: str, other: str) -> bool:
    """Return whether two locations are equal or in the same jurisdiction, such as `de` and `ie`, both in `eu`."""
    members = regions().members.items()
    return place == other or any({place, other} <= {code, *countries} for code, countries in members)


def region(change: Change, _: Sides) -> Verdict:
    """Judge the region of a target or store: moving to another jurisdiction is another finding."""
    if not (change.before.text and change.after.text):
        return "R508", REVIEW
    return ("R306", DANGER) if moves_abroad(change) else ("R508", DANGER)


def moves_abroad(change: Change) -> bool:
    """Return whether another region is in another jurisdiction."""
    table = regions()
    if not (change.before.text and change.after.text):  # the target runs on another provider
        return False
    return not share_jurisdiction(table.country_of(change.before.text), table.country_of(change.after.text))


def _placed(change: Change, sides: Sides) -> Verdict:
    before, after = _country(sides.before, change.before.text), _country(sides.after, change.after.text)
    return ("R511", REVIEW) if share_jurisdiction(before, after) else ("R306", DANGER)


def _placed_why(change: Change, sides: Sides) -> str:
    before, after = _country(sides.before, change.before.text), _country(sides.after, change.after.text)
    effect = _moved_why(change, sides)
    if share_jurisdiction(before, after):
        return effect
    return f"from {before or 'an unknown place'} to {after or 'an unknown place'}; {effect}"


def _moved_why(change: Change, sides: Sides) -> str:
    """Describe what happens on the old and new targets when a change moves something elsewhere."""
    if change.path[0] == "stores":
        store = sides.after.stores.get(change.path[1])
        if store is not None and store.adopt:
            return "what it holds stays where it is"
        return "what it holds is not moved: it stays on the old target, and the store on the new one is empty"
    is_left = change.before.text not in _deployed(sides.after)
    end = "stays on the old target until that is destroyed" if is_left else "is removed on the old target"
    return f"it {end}, and starts from scratch on the new one"


def _deployed(system: System) -> set[str]:
    """Return the targets that have stacks because something runs or is stored on them."""
    placed = (system.inference, system.pipelines, system.monitors)
    used = {entry.target for entries in placed for entry in entries.values()}
    used |= {store.target for store in system.stores.values() if not store.adopt}
    if system.registry is not None and not system.registry.adopt:
        used.add(system.deployment.placement.registry)
    return used & {target.name for target in system.deployment.targets}


def _country(system: System, target: str) -> str:
    placement = next((candidate for candidate in system.deployment.targets if candidate.name == target), None)
    if placement is None:
        return ""
    return regions().country_of(placement.region) if placement.region else placement.residency


RULES: Final[tuple[Rule, ...]] = (
    Rule(("inference", "*", "target"), _placed, described_by("{name} runs on {moves}"), _placed_why),
    Rule(("pipelines", "*", "target"), _placed, described_by("{owner} runs on {moves}"), _placed_why),
    Rule(("monitors", "*", "target"), _placed, described_by("{owner} runs on {moves}"), _placed_why),
    Rule(
        ("stores", "*", "target"), _placed, described_by("store {name} is on {moves}"), _placed_why, irreversible=True
    ),
)
