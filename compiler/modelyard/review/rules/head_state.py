"""Rules for the Redis instance where KubeRay stores the head state of serving clusters."""

from __future__ import annotations

from typing import Final

from modelyard.plan import host_of, is_cluster_local
from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import NOTE, REVIEW, Rule, Verdict, moves, was
from modelyard.review.sides import Sides
from modelyard.spec import HeadState

_HEAD_STATE: Final = ("deployment", "targets", "*", "headState")
_CONTENT: Final = "its operator can read and change what servers run"


def _verdict(change: Change, sides: Sides) -> Verdict:
    """Judge a change to the Redis instance.

    Endpoints are less available without it, and an instance outside the cluster needs a review.
    """
    if change.way is Direction.STRICTER and not _is_outside(_address(change, sides)):
        return "R616", NOTE
    return "R616" if change.way is Direction.STRICTER else "R606", REVIEW


def _address(change: Change, sides: Sides) -> str:
    target = next((target for target in sides.after.deployment.targets if target.name == change.path[2]), None)
    return target.head_state.redis if target is not None and target.head_state is not None else ""


def _is_outside(address: str) -> bool:
    return bool(address) and not is_cluster_local(host_of(address))


def _says(change: Change, _: Sides) -> str:
    target = change.path[2]
    states = [side if isinstance(side, HeadState) else None for side in (change.was, change.now)]
    if change.entry and any(states):
        before, after = (f"in {state.redis}" if state is not None else "only in memory" for state in states)
        return f"servers' heads on {target} keep their state {was(after, before)}"
    return f"servers' heads on {target} keep their state: {change.path[-1]} is {moves(change)}"


def _why(change: Change, sides: Sides) -> str:
    address = _address(change, sides)
    if not address:
        return "losing the head node takes endpoints down for the minutes of a restart"
    if not _is_outside(address):
        return "" if change.way is Direction.STRICTER else "heads start without the state in the old place"
    unencrypted = (
        "" if address.startswith("rediss:") else ", and so can anyone on the network path, because it has no TLS"
    )
    return f"it is outside the cluster: {_CONTENT}{unencrypted}; if it cannot be reached, heads do not start"


RULES: Final[tuple[Rule, ...]] = (Rule(_HEAD_STATE, _verdict, _says, _why),)
