"""Tests that the schemas for Kubernetes objects refuse the same objects as an API server."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.crds import problems

RAY_CLUSTER: dict[str, Any] = {
    "apiVersion": "ray.io/v1",
    "kind": "RayCluster",
    "metadata": {"name": "a"},
    "spec": {
        "rayVersion": "2.60.0",
        "headGroupSpec": {"template": {"spec": {"containers": [{"name": "head", "image": "i"}]}}},
    },
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "a"},
    "spec": {"ports": [{"port": 80}]},
}
ROUTE: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "a"},
    "spec": {"parentRefs": [{"name": "edge"}]},
}


@pytest.mark.parametrize("good", [RAY_CLUSTER, SERVICE, ROUTE])
def test_a_valid_object_has_no_problem(good: dict[str, Any]) -> None:
    assert problems(good) == []


@pytest.mark.parametrize("good", [RAY_CLUSTER, SERVICE, ROUTE])
def test_an_unknown_field_is_a_problem(good: dict[str, Any]) -> None:
    """The schemas of CRDs and Kubernetes's own kinds reject unknown fields."""
    bad = copy.deepcopy(good)
    bad["spec"]["replicsa"] = 3

    assert problems(bad)


def test_an_unknown_field_deep_inside_is_a_problem() -> None:
    bad = copy.deepcopy(RAY_CLUSTER)
    bad["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"

    assert problems(bad)


def test_a_wrong_type_is_a_problem() -> None:
    bad = copy.deepcopy(RAY_CLUSTER)
    bad["spec"]["enableInTreeAutoscaling"] = "yes"

    assert problems(bad)


def test_a_kind_without_a_definition_is_a_problem() -> None:
    """Objects of a kind without a schema are reported, because they cannot be checked."""
    assert problems({"apiVersion": "acme.example/v1", "kind": "Thing", "metadata": {"name": "a"}})
