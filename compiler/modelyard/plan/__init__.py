"""The plan: a target-neutral graph of resources, each with a placement and the line of the spec that requested it."""

from __future__ import annotations

from modelyard.plan.cases import ByType, is_adopted, of_type
from modelyard.plan.graph import Link, Payload, Plan, Resource, bundled_on
from modelyard.plan.hardware import (
    Candidate,
    Fallback,
    Hardware,
    Hardwarer,
    NodeGroup,
    NodePool,
    Offer,
    PassedOver,
    Smaller,
)
from modelyard.plan.kinds import Kind
from modelyard.plan.machines import Use, hardware_of
from modelyard.plan.places import (
    LOG_DAYS,
    bucket_expires,
    bundle_path,
    cluster_service,
    expiries,
    log_place,
    model_path,
    reports_gate,
)
from modelyard.plan.platform import Access, AlertRules, Cluster, Identity, Namespace, RegistryServer, Secret
from modelyard.plan.workloads import (
    Application,
    Backend,
    Job,
    ModelServer,
    MonitorJob,
    Promoter,
    Route,
    RunRequest,
    Starter,
    reports,
    reports_files,
)

__all__ = [
    "Access",
    "AlertRules",
    "Application",
    "Backend",
    "ByType",
    "Candidate",
    "Cluster",
    "Fallback",
    "Hardware",
    "Hardwarer",
    "Identity",
    "Job",
    "Kind",
    "LOG_DAYS",
    "Link",
    "ModelServer",
    "MonitorJob",
    "Namespace",
    "NodeGroup",
    "NodePool",
    "Offer",
    "PassedOver",
    "Payload",
    "Plan",
    "Promoter",
    "RegistryServer",
    "Resource",
    "Route",
    "RunRequest",
    "Secret",
    "Smaller",
    "Starter",
    "Use",
    "bucket_expires",
    "bundle_path",
    "bundled_on",
    "cluster_service",
    "expiries",
    "hardware_of",
    "is_adopted",
    "log_place",
    "model_path",
    "of_type",
    "reports",
    "reports_files",
    "reports_gate",
]
