"""The kinds of resources in a plan."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kind of a vertex in the plan. Every target's catalog has an entry for each kind."""

    CLUSTER = "cluster"
    SYSTEM_POOL = "system-pool"
    NODE_POOL = "node-pool"
    NAMESPACE = "namespace"
    OBJECT_STORE = "object-store"
    DATABASE = "database"
    REGISTRY = "registry"
    SECRET = "secret"
    IDENTITY = "identity"
    MODEL_SERVER = "model-server"
    ENDPOINT = "endpoint"
    TRAINING_JOB = "training-job"
    BATCH_JOB = "batch-job"
    CUSTOM_JOB = "custom-job"
    MONITOR = "monitor"
    PROMOTER = "promoter"
    STARTER = "starter"
    ALERT_RULES = "alert-rules"
    DASHBOARD = "dashboard"
    CHANNEL = "channel"
