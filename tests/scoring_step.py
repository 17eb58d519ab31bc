"""The valid spec, with a batch scoring step between two steps of user code."""

from __future__ import annotations

from tests.specs import VALID_SPEC

STEP = "score: {model: fraud-xgb@champion, inputs: [transactions], output: rated, batchSize: 4096}"


def scoring(*changes: tuple[str, str]) -> str:
    """Return the spec with some strings replaced. Each of these strings must occur in the spec."""
    text = VALID_SPEC
    own = (
        ("      publish: {needs: [collect],", f"      {STEP}\n      publish: {{needs: [collect, score],"),
        ("  scores: {store: lake,", "  rated: {store: lake, path: rated/, format: parquet}\n  scores: {store: lake,"),
    )
    for old, new in (*own, *changes):
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


SCORING = scoring()
