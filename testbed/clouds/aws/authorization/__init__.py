"""Evaluates IAM, bucket, key and endpoint policies together in front of moto."""
