"""The typed spec: what the rooms after `resolve` know about a system; defaults are filled and units parsed."""

from __future__ import annotations

from modelyard.spec.deployment import (
    FIRST_KEYS,
    Accelerator,
    Deployment,
    Gateway,
    Images,
    Machines,
    Placement,
    SecretStore,
    Taint,
    TargetSpec,
    Telemetry,
    Vpc,
)
from modelyard.spec.governance import Approval, Budget, Governance, Metadata, Owner, Profile, Retention
from modelyard.spec.inference import (
    Auth,
    Batching,
    Capture,
    Endpoint,
    Inference,
    Mirror,
    Rollout,
    Scaling,
    Slo,
    Variant,
)
from modelyard.spec.monitors import RULES_ONLY, Channel, Monitor, OnBreach, Reference
from modelyard.spec.needs import Check, ComputeClass, Dataset, Explainability, Model, ModelCard, Registry, Store
from modelyard.spec.pipelines import Parameter, Pipeline, Range, Schedule, Source, Split, Step, Tuning
from modelyard.spec.references import ModelRef, SecretRef
from modelyard.spec.system import Override, System, target_path

__all__ = [
    "SecretRef",
    "ModelRef",
    "Metadata",
    "Profile",
    "Owner",
    "Budget",
    "Approval",
    "Retention",
    "Governance",
    "Accelerator",
    "Taint",
    "Machines",
    "Gateway",
    "SecretStore",
    "Images",
    "Telemetry",
    "Vpc",
    "TargetSpec",
    "Placement",
    "Deployment",
    "Store",
    "ComputeClass",
    "Registry",
    "Dataset",
    "Check",
    "ModelCard",
    "Explainability",
    "Model",
    "Source",
    "Schedule",
    "Range",
    "Parameter",
    "Tuning",
    "Split",
    "Step",
    "Pipeline",
    "Variant",
    "Mirror",
    "Scaling",
    "Batching",
    "Slo",
    "Rollout",
    "Capture",
    "Auth",
    "Endpoint",
    "Inference",
    "Reference",
    "OnBreach",
    "Monitor",
    "Channel",
    "Override",
    "System",
    "RULES_ONLY",
    "target_path",
    "FIRST_KEYS",
]

# Ways of saying the same thing once: quantities are integers in the unit that their field's name ends with,
# references are the bare names of what they point at, and named things are in the order of their names.
