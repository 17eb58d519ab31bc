"""The custom resource definition of ComputeClass, which all GKE clusters serve. Its source isn't public.

Based on docs.cloud.google.com/kubernetes-engine/docs/reference/crds/computeclass, read 2026-11-27, with the fields that
refer to existing node pools. The API server rejects all other fields.
"""

from __future__ import annotations

from testbed.kubernetes.kubectl import Kubectl, Object

_ENABLED: Object = {"type": "object", "properties": {"enabled": {"type": "boolean"}}}
_SPEC: Object = {
    "type": "object",
    "required": ["priorities"],
    "properties": {
        "priorities": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"nodepools": {"type": "array", "minItems": 1, "items": {"type": "string"}}},
            },
        },
        "nodePoolAutoCreation": _ENABLED,
        "activeMigration": {"type": "object", "properties": {"optimizeRulePriority": {"type": "boolean"}}},
        "whenUnsatisfiable": {"type": "string", "enum": ["ScaleUpAnyway", "DoNotScaleUp"]},
    },
}
_DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "computeclasses.cloud.google.com"},
    "spec": {
        "group": "cloud.google.com",
        "scope": "Cluster",
        "names": {"kind": "ComputeClass", "plural": "computeclasses", "singular": "computeclass"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": _SPEC}}},
            }
        ],
    },
}


def install(kubectl: Kubectl) -> None:
    """Install the custom resource definition and wait until the API server serves it."""
    kubectl.apply([_DEFINITION])
    kubectl.run("wait", "--for=condition=Established", "crd/computeclasses.cloud.google.com", "--timeout=60s")
