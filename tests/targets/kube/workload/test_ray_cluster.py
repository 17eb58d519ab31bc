"""Tests that Ray clusters pass KubeRay's validation and have minimal permissions."""

from __future__ import annotations

import json

import pytest

from tests.crds import problems
from tests.lowering import Object, lowered
from tests.specs import VALID_SPEC, changed


def cluster(text: str, name: str = "scorer-champion") -> Object:
    """Return the Ray cluster spec of a server."""
    spec: Object = lowered(text).get("RayService", name)["spec"]["rayClusterConfig"]
    return spec


def run(text: str, name: str) -> Object:
    """Return the RayJob that a pipeline's launcher creates."""
    template: Object = json.loads(lowered(text).get("ConfigMap", f"{name}-rayjob")["data"]["rayjob.json"])
    return template


def test_token_authentication_is_set_explicitly() -> None:
    """Unless authentication mode `token` is explicit, KubeRay's operator wouldn't secure the cluster."""
    assert cluster(VALID_SPEC)["authOptions"] == {"mode": "token"}


def test_the_autoscaler_owns_the_number_of_workers() -> None:
    """Autoscaler version 2 is set explicitly, and `replicas` is left to the autoscaler."""
    scaling = cluster(VALID_SPEC)

    assert scaling["autoscalerOptions"]["version"] == "v2"
    assert all("replicas" not in group for group in scaling["workerGroupSpecs"])


def test_fixed_cluster_has_no_autoscaler() -> None:
    fixed = cluster(VALID_SPEC, "scorer-challenger")

    assert "enableInTreeAutoscaling" not in fixed
    assert [group["replicas"] for group in fixed["workerGroupSpecs"]] == [1]


def test_no_task_runs_on_the_head() -> None:
    assert cluster(VALID_SPEC)["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}


def test_only_the_autoscaler_has_the_api_token() -> None:
    """Only the autoscaler mounts the API token, so user code in the head and workers cannot use it."""
    scaling = cluster(VALID_SPEC)
    head = scaling["headGroupSpec"]["template"]["spec"]
    worker = scaling["workerGroupSpecs"][0]["template"]["spec"]

    assert head["automountServiceAccountToken"] is False
    assert worker["automountServiceAccountToken"] is False
    assert "api-token" not in [mount["name"] for mount in head["containers"][0]["volumeMounts"]]
    assert "api-token" in [mount["name"] for mount in scaling["autoscalerOptions"]["volumeMounts"]]
    assert "api-token" in [volume["name"] for volume in head["volumes"]]
    assert "api-token" not in [volume["name"] for volume in worker["volumes"]]


def test_the_autoscaler_is_restricted_too() -> None:
    """The autoscaler container meets the Pod security level `restricted`."""
    context = cluster(VALID_SPEC)["autoscalerOptions"]["securityContext"]

    assert context["runAsNonRoot"] is True
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_autoscaler_uses_our_image_and_separate_volumes() -> None:
    """The autoscaler uses our image and shares no volumes in which user code could plant a `.pth` file."""
    own = changed("    slo: {", "    source: {image: ghcr.io/acme/serve:1}\n    slo: {")
    scaling = cluster(own)
    autoscaler = scaling["autoscalerOptions"]
    head = scaling["headGroupSpec"]["template"]["spec"]
    (ray,) = head["containers"]

    assert ray["image"] == "ghcr.io/acme/serve:1"
    assert autoscaler["image"].startswith("registry.acme.example/fraud-runtime:")
    variables = {variable["name"]: variable["value"] for variable in autoscaler["env"]}
    assert variables == {"HOME": "/tmp", "PYTHONNOUSERSITE": "1"}
    mounted = {mount["name"] for mount in autoscaler["volumeMounts"]}
    assert "/tmp" in {mount["mountPath"] for mount in autoscaler["volumeMounts"]}
    assert not mounted & {mount["name"] for mount in ray["volumeMounts"]}
    assert mounted <= {volume["name"] for volume in head["volumes"]}


def test_head_lists_every_needed_port() -> None:
    """The head container lists every port that the Service needs. Port names have at most 15 characters."""
    ports = cluster(VALID_SPEC)["headGroupSpec"]["template"]["spec"]["containers"][0]["ports"]

    assert {port["name"]: port["containerPort"] for port in ports} == {
        "gcs-server": 6379,
        "dashboard": 8265,
        "client": 10001,
        "metrics": 8080,
        "as-metrics": 44217,
        "dash-metrics": 44227,
        "serve": 8000,
    }
    assert all(len(port["name"]) <= 15 for port in ports)


def test_the_ray_container_is_the_first() -> None:
    spec = cluster(VALID_SPEC)

    assert spec["headGroupSpec"]["template"]["spec"]["containers"][0]["name"] == "ray-head"
    assert spec["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["name"] == "ray-worker"


def test_group_resource_is_readable_by_operator_and_autoscaler() -> None:
    """Each worker group has its own Ray resource, in a format that both the operator and Ray's autoscaler can parse."""
    params = cluster(VALID_SPEC)["workerGroupSpecs"][0]["rayStartParams"]
    text = params["resources"]

    assert (text[0], text[-1]) == ("'", "'")
    assert json.loads(text[1:-1].replace("\\", "")) == {"group-cpu": 1}


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        (VALID_SPEC, "4Gi"),
        (changed("size: small", "size: enterprise"), "8Gi"),
        (changed("residency: eu\n", "residency: eu\n      edge: true\n"), "2Gi"),
    ],
)
def test_head_size_depends_on_the_profile(text: str, memory: str) -> None:
    head = cluster(text)["headGroupSpec"]["template"]["spec"]["containers"][0]

    assert head["resources"]["limits"]["memory"] == memory


@pytest.mark.parametrize("name", ["scorer-champion", "scorer-challenger"])
def test_replicas_are_spread_over_zones_and_machines(name: str) -> None:
    """Replicas prefer different zones and machines.

    A single replica has the same Pod template, so adding a second replica does not replace it.
    """
    (group,) = lowered(VALID_SPEC).get("RayService", name)["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    rules = group["template"]["spec"]["topologySpreadConstraints"]

    assert [rule["topologyKey"] for rule in rules] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert {rule["whenUnsatisfiable"] for rule in rules} == {"ScheduleAnyway"}


def test_disk_limits_the_scratch_volume() -> None:
    worker = cluster(changed("{cpu: 2, memory: 8Gi}", "{cpu: 2, memory: 8Gi, disk: 20Gi}"))["workerGroupSpecs"][0]
    pod = worker["template"]["spec"]

    assert pod["containers"][0]["resources"]["limits"]["ephemeral-storage"] == "20Gi"
    assert {"name": "scratch", "emptyDir": {"sizeLimit": "20Gi"}} in pod["volumes"]


def test_pods_select_the_chosen_machines() -> None:
    text = changed(
        '{count: 2, cpu: 32, memory: 128Gi, accelerators: "L4:1", price: 1.10 USD}',
        '{count: 2, cpu: 32, memory: 128Gi, accelerators: "L4:1", price: 1.10 USD, '
        "labels: {pool: gpu}, taints: [{key: gpu, value: l4, effect: NoSchedule}]}",
    )
    pod = run(text, "retrain")["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["spec"]

    assert pod["nodeSelector"] == {"pool": "gpu"}
    assert {"key": "gpu", "operator": "Equal", "value": "l4", "effect": "NoSchedule"} in pod["tolerations"]


def test_images_use_pull_secret_and_mirror() -> None:
    """Pods use the pull secret, and third-party images come from the mirror."""
    text = changed(
        "      gateway: {name: edge",
        "      images: {registry: registry.acme.example, pullSecret: pull, mirror: true}\n      gateway: {name: edge",
        ("    slo: {", "    source: {image: ghcr.io/acme/serve:1}\n    slo: {"),
    )
    pod = cluster(text)["workerGroupSpecs"][0]["template"]["spec"]

    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    assert pod["containers"][0]["image"] == "registry.acme.example/acme/serve:1"
    assert pod["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_heads_and_runs_are_protected_from_node_drains() -> None:
    """Heads and runs have annotations that prevent node drains, and serving workers have a disruption budget."""
    server, job = cluster(VALID_SPEC), run(VALID_SPEC, "retrain")["spec"]["rayClusterSpec"]
    pods = {
        "head": server["headGroupSpec"],
        "server": server["workerGroupSpecs"][0],
        "run": job["workerGroupSpecs"][0],
        "its head": job["headGroupSpec"],
    }
    protection = {
        name: pod["template"]["metadata"]["annotations"].get("cluster-autoscaler.kubernetes.io/safe-to-evict")
        for name, pod in pods.items()
    }

    assert protection == {"head": "false", "server": None, "run": "false", "its head": "false"}
    for name, pod in pods.items():
        setting = pod["template"]["metadata"]["annotations"].get("karpenter.sh/do-not-disrupt")
        assert setting == ("true" if protection[name] else None), name
    volumes = {volume["name"] for volume in pods["server"]["template"]["spec"]["volumes"] if "emptyDir" in volume}
    local = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
    assert volumes <= set(pods["server"]["template"]["metadata"]["annotations"][local].split(","))


STATE = (
    "      gateway: {name: edge, namespace: gateways, mirrors: true}\n",
    "      gateway: {name: edge, namespace: gateways, mirrors: true}\n"
    "      headState: {redis: 'rediss://redis.acme.example:6379', password: 'secret://vault/redis#password'}\n",
)


def test_serving_head_stores_its_state_in_redis() -> None:
    """Only serving clusters store their head's state, using the target's Redis."""
    password = {"valueFrom": {"secretKeyRef": {"name": "vault.redis", "key": "password"}}}

    assert cluster(changed(*STATE))["gcsFaultToleranceOptions"] == {
        "redisAddress": "rediss://redis.acme.example:6379",
        "redisPassword": password,
    }
    assert problems(lowered(changed(*STATE)).get("RayService", "scorer-champion")) == []
    assert "gcsFaultToleranceOptions" not in run(changed(*STATE), "retrain")["spec"]["rayClusterSpec"]
    assert "gcsFaultToleranceOptions" not in cluster(VALID_SPEC)


def test_servers_reach_the_redis_of_their_heads() -> None:
    policy = lowered(changed(*STATE)).get("NetworkPolicy", "scorer-champion")

    assert [{"protocol": "TCP", "port": 6379}] in [rule.get("ports") for rule in policy["spec"]["egress"]]
