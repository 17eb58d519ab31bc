"""Creates a bucket with training data in which applicants repay a loan if their income exceeds its amount."""

from __future__ import annotations

import io
import sys

import boto3
import numpy as np
import pandas as pd

endpoint, bucket, key = sys.argv[1:]
draw = np.random.default_rng(7)
rows = pd.DataFrame({"amount": draw.uniform(0, 10, 2000), "income": draw.uniform(0, 10, 2000)})
rows["decided"] = pd.date_range("2026-01-01", periods=len(rows), freq="h", tz="UTC")
rows["repaid"] = rows["income"] + draw.normal(0, 1, len(rows)) > rows["amount"]
written = io.BytesIO()
rows.to_parquet(written)
s3 = boto3.client("s3", endpoint_url=endpoint)
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-1"})
s3.put_object(Bucket=bucket, Key=key, Body=written.getvalue())
