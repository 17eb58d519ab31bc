"""Tests that every example moves to every other provider, or is refused for human-reviewed reasons.

`matrix.txt` has a line for each pair of an example and a provider with the portability score, followed by a line for
each part of the spec that needs a change. The test fails if a cell of the matrix is missing, e.g. that of an example
with a new environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelyard.pipeline import understand
from modelyard.portability import Destination, Move, Refusal, portability
from modelyard.spec import System
from modelyard_targets import TARGETS
from tests.examples import every_example, providers_of
from tests.narrowing import present

MATRIX = Path(__file__).with_name("matrix.txt")

_REGIONS = {
    "aws": ("eu-central-1", "eu-central-2"),
    "gcp": ("europe-west3", "europe-west6"),
    "azure": ("germanywestcentral", "switzerlandnorth"),
}
"""For each cloud, a region for data that stays in the EU, and one for data that stays in Switzerland."""

_PLACES = ("aws", "gcp", "azure", "kubernetes")


def region_of(provider: str, system: System) -> str:
    """Return a region allowed by the system's data residency, or "" if the provider is not a cloud."""
    if provider not in _REGIONS:
        return ""
    inside, swiss = _REGIONS[provider]
    return swiss if system.governance.residency == ("ch",) else inside


def every_move() -> Iterator[tuple[str, frozenset[str], Move]]:
    """Yield each example, the providers it uses, and its move to each of the other providers."""
    for example in every_example():
        inputs, used = example.inputs(), frozenset(providers_of(example))
        outcome = understand(inputs, TARGETS)
        system = present(outcome.system)
        for name in _PLACES:
            if name not in used:
                destination = Destination(name, region_of(name, system))
                (move,) = portability(outcome, inputs, TARGETS, (destination,)).moves
                yield str(example), used, move


def lines_of(example: str, move: Move) -> Iterator[str]:
    """Yield the lines for a move: its score, and why each affected part of the spec must change."""
    yield f"{example} to {move.destination.provider}: {move.score} %"
    yield from sorted(f"  {refusal.part or 'the spec'}: {_reason(refusal)}" for refusal in move.refusals)


def _reason(refusal: Refusal) -> str:
    return f"{refusal.problem.message} [{refusal.problem.code}]"


def test_every_example_moves_to_every_provider_or_says_why_not(accept: bool) -> None:
    moves = tuple(every_move())
    text = "\n".join(line for example, _, move in moves for line in lines_of(example, move)) + "\n"
    if accept:
        MATRIX.write_text(text, encoding="utf-8")

    assert text == MATRIX.read_text(encoding="utf-8")
    for example, used, move in moves:
        foreign = {name.upper() for name in _REGIONS} - {name.upper() for name in (*used, move.destination.provider)}
        codes = [refusal.problem.code for refusal in move.refusals]
        assert [code for code in codes if code.partition("-")[0] in foreign] == [], example
