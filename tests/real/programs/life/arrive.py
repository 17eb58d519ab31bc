"""Adds some days of new loan applications to the lake.

Their amounts are like those of the training data, plus a given number.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta

import boto3
import numpy as np
import pandas as pd

endpoint, bucket, first_day, last_day, rows_a_day, higher = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint)
count = int(rows_a_day)
for days_ago in range(int(first_day), int(last_day) - 1, -1):
    begin = datetime.now(UTC) - timedelta(days=days_ago)
    draw = np.random.default_rng(days_ago)
    rows = pd.DataFrame({"amount": draw.uniform(0, 10, count) + float(higher), "income": draw.uniform(0, 10, count)})
    rows["decided"] = pd.date_range(begin, periods=count, freq="s")
    written = io.BytesIO()
    rows.to_parquet(written)
    s3.put_object(Bucket=bucket, Key=f"incoming/day={begin:%Y-%m-%d}/rows.parquet", Body=written.getvalue())
