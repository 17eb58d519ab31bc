"""Tests the settings that all our Pods share: writable folders, disk limits, and node preferences."""

from __future__ import annotations

import json

import pytest

from modelyard.spec import Taint
from modelyard_targets.kube.pods.frame import Place, placing
from tests.crds import problems
from tests.lowering import Object, lowered, pod_specs
from tests.specs import VALID_SPEC


def launcher() -> Object:
    """Return the Pod spec of a pipeline's launcher."""
    (pod,) = pod_specs(lowered(VALID_SPEC).get("CronJob", "retrain"))
    return pod


def submitter() -> Object:
    """Return the Pod spec of the Job that submits a run to its Ray cluster."""
    template = json.loads(lowered(VALID_SPEC).get("ConfigMap", "retrain-rayjob")["data"]["rayjob.json"])
    (pod,) = pod_specs(template["spec"]["submitterPodTemplate"])
    return pod


@pytest.mark.parametrize("pod", [launcher(), submitter()], ids=["launcher", "submitter"])
def test_supporting_pods_have_a_disk_limit(pod: Object) -> None:
    """Launcher and submitter Pods have disk and memory limits even though the spec sets none."""
    (container,) = pod["containers"]
    scratch = next(volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == "scratch")

    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert container["resources"]["limits"]["ephemeral-storage"] == scratch["sizeLimit"] == "512Mi"


def test_the_root_is_read_only_and_the_scratch_volume_is_home() -> None:
    for manifest in lowered(VALID_SPEC):
        for pod in pod_specs(manifest):
            for container in pod["containers"]:
                mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
                assert {"name": "HOME", "value": mounts["scratch"]} in container["env"]


def test_pods_prefer_spot_and_fall_back() -> None:
    """Pods require the labels common to spot and fallback machines plus those of either, preferring spot."""
    spot, fixed = (("pool", "ml"), ("life", "spot")), (("pool", "ml"), ("life", "long"))

    placement = placing(Place(spot, (Taint("spot"),), fixed))
    assert placement["nodeSelector"] == {"pool": "ml"}
    assert placement["affinity"] == {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "life", "operator": "In", "values": ["spot"]}]},
                    {"matchExpressions": [{"key": "life", "operator": "In", "values": ["long"]}]},
                ]
            },
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "preference": {"matchExpressions": [{"key": "life", "operator": "In", "values": ["spot"]}]},
                }
            ],
        }
    }
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {**placement, "containers": []},
    }
    assert problems(pod) == []


def test_fallback_without_labels_requires_none() -> None:
    placement = placing(Place((("life", "spot"),), (), ()))

    assert "nodeSelector" not in placement
    assert placement["affinity"] == {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "preference": {"matchExpressions": [{"key": "life", "operator": "In", "values": ["spot"]}]},
                }
            ]
        }
    }
    assert placing(Place((), (), ())) == {}
