"""Records for the description of a workload, which match `workload.schema.json` field by field.

An absent field is an empty string or tuple if absence makes no difference, and otherwise None.
"""

from modelyard_runtime.workload.records.common import Bounds, Check, Governance, Metrics, Owner, Registry
from modelyard_runtime.workload.records.data import Dataset, Location, Store, Waves
from modelyard_runtime.workload.records.models import (
    ApprovalGroup,
    Approvals,
    BundleSource,
    Card,
    Explainability,
    KeptVersions,
    Model,
)
from modelyard_runtime.workload.records.monitors import (
    BreachRun,
    Current,
    Monitor,
    OnBreach,
    Reference,
    Request,
    RunRequest,
    WatchedCapture,
)
from modelyard_runtime.workload.records.pipelines import Pipeline, Range, Resources, Split, Step, Tuning
from modelyard_runtime.workload.records.promotions import Changes, ChangeWindow, Freeze, Import, Promotion, Soak
from modelyard_runtime.workload.records.serving import AccessLog, Application, Auth, Batching, Capture, Spool
from modelyard_runtime.workload.records.workloads import (
    OF_TYPE,
    MonitorWorkload,
    PipelineWorkload,
    PromoterWorkload,
    RegistryWorkload,
    Rights,
    Server,
    ServerWorkload,
    StarterWorkload,
    Workload,
    workload_of,
)

__all__ = [
    "AccessLog",
    "Application",
    "ApprovalGroup",
    "Approvals",
    "Auth",
    "Batching",
    "Bounds",
    "BreachRun",
    "BundleSource",
    "KeptVersions",
    "Capture",
    "Card",
    "ChangeWindow",
    "Changes",
    "Check",
    "Current",
    "Dataset",
    "Explainability",
    "Freeze",
    "Governance",
    "Import",
    "Location",
    "Waves",
    "Metrics",
    "Model",
    "Monitor",
    "MonitorWorkload",
    "OF_TYPE",
    "OnBreach",
    "Owner",
    "Pipeline",
    "PipelineWorkload",
    "PromoterWorkload",
    "Promotion",
    "Range",
    "Reference",
    "Registry",
    "RegistryWorkload",
    "Request",
    "Resources",
    "Rights",
    "RunRequest",
    "Server",
    "ServerWorkload",
    "Soak",
    "Split",
    "Spool",
    "StarterWorkload",
    "Step",
    "Store",
    "Tuning",
    "WatchedCapture",
    "Workload",
    "workload_of",
]
