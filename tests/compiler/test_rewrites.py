"""What was clearly meant, in the form that is asked for."""

from __future__ import annotations

from typing import cast

import pytest

import modelyard_schemas
from modelyard.shape import schema_of
from modelyard.source import Json
from modelyard.validate.rewrites import rewritten


def pattern_of(name: str) -> str:
    definitions = schema_of(cast("dict[str, Json]", modelyard_schemas.load())["$defs"])
    return str(schema_of(definitions[name])["pattern"])


@pytest.mark.parametrize(
    ("kind", "text", "better"),
    [
        ("memory", "16GB", "16G"),
        ("memory", "16GiB", "16Gi"),
        ("memory", "16gi", "16Gi"),
        ("memory", " 16 Gi ", "16Gi"),
        ("memory", "much", ""),
        ("duration", "2 hours", "2h"),
        ("duration", "15min", "15m"),
        ("duration", "7 Days", "7d"),
        ("duration", "1 month", ""),
        ("latency", "50 msec", "50ms"),
        ("percent", "20 percent", "20%"),
        ("percent", "20 %", "20%"),
        ("money", "18000usd", "18000 USD"),
        ("money", "$18,000", "18000 USD"),
        ("money", "18.000,00 €", ""),
        ("money", "18,000 eur", "18000 EUR"),
        ("name", "Fraud_XGB", "fraud-xgb"),
        ("name", "fraudModel V2", "fraud-model-v2"),
        ("name", "9lives", ""),
        ("url", "mlflow.acme.example", "https://mlflow.acme.example"),
        ("storePath", "/lake/x/", "lake/x/"),
        ("storePath", "./lake", "lake"),
        ("metricName", "AUC-PR", "auc_pr"),
    ],
)
def test_the_form_that_was_meant(kind: str, text: str, better: str) -> None:
    """A rewriting is offered when it fits the schema's pattern, and never else."""
    assert rewritten(text, [pattern_of(kind)]) == better


def test_nothing_is_offered_without_a_pattern_or_for_long_texts() -> None:
    """Free text has no form, and a long text was not a slip."""
    assert rewritten("Fraud", []) == ""
    assert rewritten("A" * 101, ["^a+$"]) == ""
