"""References written as one text: to a secret, or to a version of a model."""

from __future__ import annotations

from modelyard.records import record


@record
class SecretRef:
    """`secret://store/path#key`: where a secret is; its value is never known here."""

    store: str
    path: str
    key: str


@record
class ModelRef:
    """`model@alias`, or `model@3` for a version."""

    model: str
    alias: str = "champion"
