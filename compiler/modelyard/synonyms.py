"""Words that people bring from elsewhere, and what they are called here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

SYNONYMS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        # providers and places
        "k8s": ("kubernetes",),
        "openshift": ("kubernetes",),
        "onpremise": ("on-prem",),
        "onpremises": ("on-prem",),
        "eks": ("aws",),
        "amazon": ("aws",),
        "gke": ("gcp",),
        "google": ("gcp",),
        "aks": ("azure",),
        "laptop": ("local",),
        "s3": ("object",),
        "bucket": ("object", "adopt"),
        "minio": ("object",),
        "db": ("database",),
        "postgres": ("database",),
        "postgresql": ("database",),
        "vault": ("external-secrets",),
        # hardware
        "preemptible": ("spot",),
        "number": ("count",),
        "nodes": ("count",),
        "gpu": ("accelerators",),
        "gpus": ("accelerators",),
        "tpu": ("accelerators",),
        "vcpu": ("cpu",),
        "cores": ("cpu",),
        "mem": ("memory",),
        "ram": ("memory",),
        "instances": ("replicas",),
        "parallelism": ("workers",),
        # models and columns
        "sklearn": ("scikit-learn",),
        "lgbm": ("lightgbm",),
        "torch": ("pytorch",),
        "float": ("number",),
        "double": ("number",),
        "decimal": ("number",),
        "str": ("string",),
        "text": ("string",),
        "date": ("timestamp",),
        "datetime": ("timestamp",),
        "target": ("label",),
        "columns": ("features", "schema"),
        "auc": ("auc_roc",),
        "rocauc": ("auc_roc",),
        "prauc": ("auc_pr",),
        "averageprecision": ("auc_pr",),
        "logloss": ("log_loss",),
        "acc": ("accuracy",),
        # fields
        "tz": ("timeZone",),
        "webhook": ("url",),
        "webhookurl": ("url",),
        "address": ("email", "url"),
        "retry": ("retries",),
        "params": ("parameters",),
        "args": ("parameters",),
        "hyperparameters": ("parameters",),
        "desc": ("description",),
        "weights": ("traffic",),
        "shadow": ("mirror",),
        "autoscaling": ("scaling",),
        "ttl": ("retention", "retain"),
        "retention": ("retain",),
        "latency": ("p99",),
        "alert": ("notify",),
        "alerts": ("notify",),
        "mail": ("email",),
        "low": ("minimal",),
        "medium": ("limited",),
        "metrics": ("checks",),
        "baseline": ("reference",),
    }
)
"""By a word without case and separators, what it may be called here; the first that the place knows is meant."""
