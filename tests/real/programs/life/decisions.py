"""Prints each scored partition in the lake, with its key, rows, scoring versions and share of errors.

An error is a score that contradicts the rule of `seed.py`: applicants repay if their income exceeds the amount.
"""

from __future__ import annotations

import io
import json
import sys

import boto3
import pandas as pd

endpoint, bucket = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint)
partitions: dict[str, list[object]] = {}
for entry in s3.list_objects_v2(Bucket=bucket, Prefix="decisions/").get("Contents", []):
    if entry["Key"].endswith(".parquet"):
        scored = pd.read_parquet(io.BytesIO(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()))
        wrong = scored["prediction"].astype(bool) != (scored["income"] > scored["amount"])
        versions = sorted({*scored["model_version"].astype(str)})
        partitions[entry["Key"]] = [len(scored), versions, float(wrong.mean())]
print(json.dumps(partitions))
