"""References in the form of one text: to a secret, or to a model version."""

from __future__ import annotations

from modelyard.records import record


@record
class SecretRef:
    """`secret://store/path#key`: where to read a secret. The compiler never reads its value."""

    store: str
    path: str
    key: str


@record
class ModelRef:
    """`model@alias`, or `model@3` for a version."""

    model: str
    alias: str = "champion"
