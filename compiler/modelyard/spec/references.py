"""References to secrets and model versions, each written as a single string."""

from __future__ import annotations

from modelyard.records import record


@record
class SecretRef:
    """`secret://store/path#key`: where to read a secret. The compiler never reads the secret's value."""

    store: str
    path: str
    key: str


@record
class ModelRef:
    """A model version: `model@alias`, or `model@3` by number."""

    model: str
    alias: str = "champion"
