"""Tests that hints about a value in the wrong form suggest the same value in the required form."""

from __future__ import annotations

from typing import cast

import pytest

import modelyard_schemas
from modelyard.shape import schema_of
from modelyard.source import Json
from modelyard.validate.rewrites import rewritten


def pattern_of(name: str) -> str:
    schema = schema_of(cast("dict[str, Json]", modelyard_schemas.load())["$defs"])
    for step in name.split("/"):
        schema = schema_of(schema[step])
    return str(schema["pattern"])


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
        ("duration", "1 year", "1y"),
        ("duration", "1M", ""),
        ("duration", "PT6H", "6h"),
        ("duration", "P2W", "2w"),
        ("duration", "6:00:00", "6h"),
        ("duration", "1:30:00", "90m"),
        ("duration", "1:30", ""),
        ("cpu", "2 cores", "2"),
        ("cpu", "2vCPU", "2"),
        ("duration", "1h30m", "90m"),
        ("duration", "1d12h", "36h"),
        ("duration", "1d30m", ""),
        ("duration", "3600", ""),
        ("latency", "50 msec", "50ms"),
        ("latency", "0.1", "100ms"),
        ("latency", "250", "250ms"),
        ("percent", "20 percent", "20%"),
        ("percent", "20 %", "20%"),
        ("percent", "0.2", "20%"),
        ("percent", "20", "20%"),
        ("percent", "120%", ""),
        ("memory", "8", "8Gi"),
        ("memory", "4096", "4096Mi"),
        ("money", "9000", "9000 USD"),
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
        ("storePath", "s3://acme-lake/orders/2026", "orders/2026"),
        ("objectName", "s3://acme-lake", "acme-lake"),
        ("objectName", "s3://acme-lake/orders", "acme-lake"),
        ("objectName", "acme-lake/orders", "acme-lake"),
        ("name", "orders/eu", "orders-eu"),
        ("name", "data/orders/eu", ""),
        ("hostName", "https://scores.acme.example/v1", "scores.acme.example"),
        ("modelReference", "fraud-xgb:champion", "fraud-xgb@champion"),
        ("modelReference", "models:/fraud-xgb/3", "fraud-xgb@3"),
        ("modelReference", "models:/fraud_xgb/Production", "fraud-xgb@production"),
        ("modelReference", "fraud_xgb@champion", "fraud-xgb@champion"),
        ("name", "risk@acme.example", ""),
        ("modelReference", "models:/fraud-xgb@champion", "fraud-xgb@champion"),
        ("name", "data.transactions", "transactions"),
        ("name", "shop.prod", "shop-prod"),
        ("entrypoint", "fraud.train.main", "fraud.train:main"),
        ("entrypoint", "train.py", ""),
        ("image", "ghcr.io/acme/train", ""),
        ("accelerator", "H100", "H100:1"),
        ("accelerator", "L4x2", "L4:2"),
        ("accelerator", "2x L4", "L4:2"),
        ("accelerator", "NVIDIA L4:1", "L4:1"),
        ("accelerator", "NVIDIA Tesla T4", "T4:1"),
        ("duration", "1.5h", "90m"),
        ("duration", "0.3s", ""),
        ("storePath", "scores/*.parquet", ""),
        ("money", "18000 EUR/month", "18000 EUR"),
        ("money", "18000 EUR per month", "18000 EUR"),
        ("name", "None", ""),
        ("cronSchedule/properties/cron", "@daily", "0 0 * * *"),
        ("cronSchedule/properties/cron", "0 0 4 * * 1", "0 4 * * 1"),
        ("cronSchedule/properties/cron", "0 4 ? * 1", "0 4 * * 1"),
        ("cronSchedule/properties/cron", "\u201c0 4 * * 1\u201d", "0 4 * * 1"),
        ("cronSchedule/properties/cron", "every monday", ""),
        ("cronSchedule/properties/cron", "03:30", "30 3 * * *"),
        ("cronSchedule/properties/cron", "24:30", ""),
        ("cronSchedule/properties/cron", "hourly", "0 * * * *"),
        ("cronSchedule/properties/cron", "cron(30 3 ? * MON *)", "30 3 * * MON"),
        ("cronSchedule/properties/cron", "rate(1 day)", "0 0 * * *"),
        ("cronSchedule/properties/cron", "rate(15 minutes)", "*/15 * * * *"),
        ("metricName", "AUC-PR", "auc_pr"),
        ("metricName", "aucPr", "auc_pr"),
    ],
)
def test_values_are_rewritten_in_the_required_form(kind: str, text: str, better: str) -> None:
    """A rewrite is offered only if it matches the schema's pattern."""
    assert rewritten(text, [pattern_of(kind)]) == better


LINK = "projects/acme/global/networks/ml"
NETWORK = r"^(projects/[a-z-]+/global/networks/)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"


@pytest.mark.parametrize(
    ("kind", "text", "better"),
    [
        (NETWORK, f"https://www.googleapis.com/compute/v1/{LINK}", LINK),
        (NETWORK, "projects/acme/networks/ml", ""),
        (NETWORK, "Shared_VPC", "shared-vpc"),
        ("^[a-z-]+$", "projects/acme/regions/europe-west4/subnetworks/ml", "ml"),
    ],
)
def test_only_the_required_part_of_a_google_cloud_path_is_suggested(kind: str, text: str, better: str) -> None:
    """Only the name at the end is suggested, since the full Google Cloud path isn't a valid name."""
    assert rewritten(text, [kind]) == better


def test_free_and_long_texts_are_not_rewritten() -> None:
    """Free text has no required form, and a long text is not a typo."""
    assert rewritten("Fraud", []) == ""
    assert rewritten("A" * 101, ["^a+$"]) == ""
