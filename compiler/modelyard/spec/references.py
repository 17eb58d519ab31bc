"""References to secrets and model versions, each written as a single string."""

from __future__ import annotations

from modelyard.records import record


@record
class SecretRef:
    """A reference `secret://store/path#key` to a secret, whose value the compiler never reads."""

    store: str
    path: str
    key: str


@record
class ModelRef:
    """A model version: `model@alias`, or `model@3` by number."""

    model: str
    alias: str = "champion"
