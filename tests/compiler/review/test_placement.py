"""Tests what a review says about an entry that moves to another target."""

from __future__ import annotations

from modelyard.review.changes import Change
from modelyard.review.meaning import parsed
from modelyard.review.rules import rule_for
from modelyard.review.sides import Sides
from modelyard.review.values import Leaf
from tests.narrowing import present
from tests.reviewing import outcome_of

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: shop}
governance: {owner: {team: sales, email: sales@acme.example}}
deployment:
  mode: cloud
  targets:
    a: {provider: gcp, region: europe-west4}
    b: {provider: aws, region: eu-central-1}
  placement: {default: a}
stores: {lake: {type: object, target: a}, other: {type: object, target: b}}
data: {orders: {store: lake, path: orders, format: parquet, label: left}}
"""


def _why(old: str, new: str) -> str:
    """Return the message about the store `lake`, which moves from target `a` to target `b`."""
    sides = Sides(*(present(outcome_of(spec).system) for spec in (old, new)))
    change = Change(("stores", "lake", "target"), Leaf("a"), Leaf("b"), parsed("place"))
    return rule_for(change).reason(change, sides)


def test_a_store_that_moves_leaves_its_data_behind() -> None:
    """`pulumi up` never deletes a store that holds data, so the message must not say that it's removed."""
    moved = SPEC.replace("lake: {type: object, target: a}", "lake: {type: object, target: b}")

    assert _why(SPEC, moved).endswith(
        "what it holds is not moved: it stays on the old target, and the store on the new one is empty"
    )


def test_an_adopted_bucket_stays_where_it_is() -> None:
    adopted = SPEC.replace("target: a}", "target: a, adopt: acme-lake}")

    assert _why(adopted, adopted.replace("target: a, adopt", "target: b, adopt")).endswith(
        "what it holds stays where it is"
    )
