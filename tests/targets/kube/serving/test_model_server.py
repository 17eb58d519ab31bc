"""Tests that model servers scale, roll out, and survive node drains as the spec requires."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.lowering import Object, lowered
from tests.specs import VALID_SPEC, changed


def serve_config(service: Object) -> Any:
    """Return the Ray Serve configuration of a RayService."""
    return yaml.safe_load(service["spec"]["serveConfigV2"])


def groups(service: Object) -> dict[str, tuple[int, int]]:
    """Return the minimum and maximum number of Pods in each worker group."""
    worker_groups = service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    return {group["groupName"]: (group["minReplicas"], group["maxReplicas"]) for group in worker_groups}


def test_each_variant_has_its_own_ray_service() -> None:
    manifests = lowered(VALID_SPEC)

    assert manifests.names("RayService") == ["scorer-challenger", "scorer-champion"]


def test_each_replica_has_its_own_pod() -> None:
    """Each replica gets its own Pod, so the worker group's bounds equal those of the replicas."""
    service = lowered(VALID_SPEC).get("RayService", "scorer-champion")
    (application,) = serve_config(service)["applications"]
    (deployment,) = application["deployments"]

    assert groups(service) == {"cpu": (2, 6)}
    assert deployment["autoscaling_config"]["min_replicas"] == 2
    assert deployment["autoscaling_config"]["max_replicas"] == 6
    assert deployment["max_replicas_per_node"] == 1
    assert deployment["ray_actor_options"]["resources"] == {"group-cpu": 1}
    assert 1 < deployment["ray_actor_options"]["num_cpus"] <= 2


@pytest.mark.parametrize(
    ("more", "target", "most"),
    [
        ([], 2, 4),
        (["batching: {maxSize: 32}"], 32, 64),
        (["scaling: {target: 8}", "batching: {maxSize: 32}"], 8, 64),
        (["scaling: {target: 8}", "batching: {maxSize: 4}"], 8, 16),
    ],
)
def test_default_scaling_target_is_a_full_batch(more: list[str], target: float, most: int) -> None:
    """The scaling target defaults to one full batch, and a replica accepts twice as many requests."""
    scaling = "    scaling: {metric: ongoing-requests, target: 8}\n"
    text = changed(scaling, "".join(f"    {line}\n" for line in more))
    (application,) = serve_config(lowered(text).get("RayService", "scorer-champion"))["applications"]
    (deployment,) = application["deployments"]

    assert deployment["autoscaling_config"]["target_ongoing_requests"] == target
    assert deployment["max_ongoing_requests"] == most


def test_half_a_cpu_is_rounded_up_for_ray() -> None:
    """KubeRay rounds half a CPU up to one for Ray, and the replica requests 0.75 from Ray."""
    service = lowered(changed("{cpu: 2, memory: 8Gi}", "{cpu: 500m, memory: 8Gi}")).get("RayService", "scorer-champion")
    (application,) = serve_config(service)["applications"]

    assert application["deployments"][0]["ray_actor_options"]["num_cpus"] == 0.75


def test_pod_and_replica_request_accelerators() -> None:
    text = changed("replicas: 1}", "replicas: 1, compute: train}")
    service = lowered(text).get("RayService", "scorer-challenger")
    worker = service["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]
    (application,) = serve_config(service)["applications"]

    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert application["deployments"][0]["ray_actor_options"]["num_gpus"] == 1


def test_applications_refer_to_their_description() -> None:
    """A Serve application is given its name in the mounted description and a digest of its entry."""
    before, after = lowered(VALID_SPEC), lowered(changed("sample: 20%", "sample: 30%"))
    (application,) = serve_config(before.get("RayService", "scorer-champion"))["applications"]
    (other,) = serve_config(after.get("RayService", "scorer-champion"))["applications"]
    text = before.get("ConfigMap", "scorer-champion-description")["data"]["workload.json"]

    assert application["args"]["application"] in json.loads(text)["applications"]
    assert application["import_path"] == "modelyard_runtime.serving.application:application"
    assert application["args"]["digest"] != other["args"]["digest"]


def test_changed_description_replaces_pods() -> None:
    before, after = lowered(VALID_SPEC), lowered(changed("sample: 20%", "sample: 30%"))

    def annotations(objects: Object) -> Any:
        return objects["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["metadata"]["annotations"]

    name = "scorer-champion"
    assert annotations(before.get("RayService", name)) != annotations(after.get("RayService", name))


@pytest.mark.parametrize(
    ("old", "new"), [("team: payments", "team: risk"), ("risk: limited", "risk: minimal"), ("email: pay", "email: ps")]
)
def test_changed_owner_does_not_replace_pods(old: str, new: str) -> None:
    """Changing the owner or the risk changes the description without replacing Pods."""
    before, after = lowered(VALID_SPEC), lowered(changed(old, new))

    name = "scorer-champion"
    assert before.get("RayService", name) == after.get("RayService", name)
    described = f"{name}-description"
    assert before.get("ConfigMap", described)["data"] != after.get("ConfigMap", described)["data"]


def test_in_place_rollout_changes_only_the_serve_config() -> None:
    """In-place rollouts of a new description change only the Serve configuration, unless the stores change."""
    in_place = ("    slo: {", "    rollout: {strategy: in-place}\n    slo: {")

    def spec(old: str, new: str) -> Any:
        return lowered(changed(old, new, in_place)).get("RayService", "scorer-champion")["spec"]

    before, after = spec("sample: 20%", "sample: 20%"), spec("sample: 20%", "sample: 30%")
    assert before["rayClusterConfig"] == after["rayClusterConfig"]
    assert before["serveConfigV2"] != after["serveConfigV2"]
    moved = spec('endpoint: "https://s3.acme.example"', 'endpoint: "https://s3.frankfurt.acme.example"')
    assert before["rayClusterConfig"]["headGroupSpec"] != moved["rayClusterConfig"]["headGroupSpec"]


@pytest.mark.parametrize(
    ("rollout", "upgrade"),
    [("blue-green", {"type": "NewCluster"}), ("in-place", {"type": "None"})],
)
def test_rollout_strategy_sets_the_upgrade_type(rollout: str, upgrade: dict[str, Any]) -> None:
    text = changed("    slo: {", f"    rollout: {{strategy: {rollout}}}\n    slo: {{")

    assert lowered(text).get("RayService", "scorer-champion")["spec"]["upgradeStrategy"] == upgrade


def test_incremental_rollout_has_class_steps_and_autoscaler() -> None:
    """An incremental rollout sets the GatewayClass, the steps, and the autoscaler required by KubeRay."""
    text = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
        "    rollout: {strategy: incremental, step: 20%, interval: 2m, maxSurge: 50%}\n",
        ("{name: edge, namespace: gateways, mirrors: true}", "{class: istio}"),
        ("replicas: {min: 2, max: 6}", "replicas: 2"),
    )
    spec = lowered(text).get("RayService", "scorer")["spec"]

    assert spec["rayClusterConfig"]["enableInTreeAutoscaling"] is True
    assert spec["upgradeStrategy"] == {
        "type": "NewClusterWithIncrementalUpgrade",
        "clusterUpgradeOptions": {
            "gatewayClassName": "istio",
            "stepSizePercent": 20,
            "intervalSeconds": 120,
            "maxSurgePercent": 50,
        },
    }


def test_old_cluster_is_deleted_after_the_longest_request() -> None:
    text = changed("host: scores.acme.example", "host: scores.acme.example\n      timeout: 5m")
    spec = lowered(text).get("RayService", "scorer-champion")["spec"]
    worker = spec["rayClusterConfig"]["workerGroupSpecs"][0]["template"]["spec"]

    assert spec["rayClusterDeletionDelaySeconds"] > 300
    assert worker["terminationGracePeriodSeconds"] > 300


def test_head_accepts_requests_only_if_the_server_may_scale_to_zero() -> None:
    """The head accepts requests only if the server may scale to zero."""
    zero = changed("replicas: {min: 2, max: 6}", "replicas: {min: 0, max: 6}")

    assert lowered(VALID_SPEC).get("RayService", "scorer-champion")["spec"]["excludeHeadPodFromServeSvc"] is True
    assert lowered(zero).get("RayService", "scorer-champion")["spec"]["excludeHeadPodFromServeSvc"] is False


def test_only_several_replicas_have_a_disruption_budget() -> None:
    """Only worker groups with several replicas have a disruption budget. With one, it would block node drains."""
    manifests = lowered(VALID_SPEC)

    assert manifests.names("PodDisruptionBudget") == ["scorer-champion.cpu"]
    budget = manifests.get("PodDisruptionBudget", "scorer-champion.cpu")["spec"]
    assert budget["minAvailable"] == 1
    assert budget["selector"]["matchLabels"]["ray.io/group"] == "cpu"


def test_pool_members_share_a_cluster_but_not_pods() -> None:
    """Pool members share a Ray cluster, but have their own worker groups, path prefixes and tokens."""
    second = (
        "  ranker:\n    variants: {champion: {model: fraud-xgb@champion}}\n    compute: train\n"
        "    replicas: 1\n    pool: shared\n"
    )
    text = changed(
        "    capture: {sample: 20%, store: lake}\n",
        "    capture: {sample: 20%, store: lake}\n    pool: shared\n",
        (
            "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
            "",
        ),
        ("monitors:\n", second + "monitors:\n"),
    )
    service = lowered(text).get("RayService", "pool-shared")
    applications = {application["name"]: application for application in serve_config(service)["applications"]}
    pinned = {
        name: list(application["deployments"][0]["ray_actor_options"]["resources"])
        for name, application in applications.items()
    }

    assert groups(service) == {"cpu": (2, 6), "train": (1, 1)}
    assert pinned == {"scorer-champion": ["group-cpu"], "ranker-champion": ["group-train"]}
    assert [application["route_prefix"] for application in applications.values()] == ["/ranker", "/scorer"]
    volumes = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["volumes"]
    (tokens,) = [volume for volume in volumes if volume["name"] == "tokens"]
    assert tokens["projected"]["sources"] == [
        {"secret": {"name": "vault.scorer", "items": [{"key": "token", "path": "scorer/default"}]}}
    ]


def test_histogram_has_a_bucket_for_each_slo_bound() -> None:
    """The latency histogram has a bucket for the bound of each SLO."""
    service = lowered(changed("p99: 50ms", "p99: 75ms")).get("RayService", "scorer-champion")
    head = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    (edges,) = [
        variable["value"] for variable in head["env"] if variable["name"] == "RAY_SERVE_REQUEST_LATENCY_BUCKETS_MS"
    ]
    numbers = [int(edge) for edge in edges.split(",")]

    assert 75 in numbers
    assert numbers == sorted(set(numbers))


_HOST, _TOKEN = "      host: scores.acme.example\n", "secret://vault/scorer#token"


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        (_HOST, f"{_HOST}      timeout: 5s\n", True),
        (_TOKEN, "secret://vault/other#token", True),
        ("p99: 50ms", "p99: 55ms", True),
        ("p99: 50ms", "p99: 100ms", False),
        ("labels: {domain: payments}", "labels: {domain: cards}", False),
        ("replicas: {min: 2, max: 6}", "replicas: 2", True),
        ("replicas: {min: 2, max: 6}", "replicas: {min: 3, max: 5}", False),
        ("fraud-xgb@champion}", "fraud-xgb@other}", False),
        ("sample: 20%", "sample: 30%", False),
        ("target: 8", "target: 9", False),
    ],
)
def test_in_place_rollout_replaces_pods_only_for_some_changes(old: str, new: str, replaced: bool) -> None:
    """An in-place rollout replaces Pods only if necessary, e.g. if an SLO needs a new histogram bucket."""
    in_place = ("    slo: {", "    rollout: {strategy: in-place}\n    slo: {")

    def pods(*more: tuple[str, str]) -> Any:
        service = lowered(changed(*in_place, *more)).get("RayService", "scorer-champion")
        cluster = service["spec"]["rayClusterConfig"]
        of_pods = {key: value for key, value in cluster.items() if key != "workerGroupSpecs"}
        return of_pods, [group["template"] for group in cluster["workerGroupSpecs"]]

    assert (pods((old, new)) != pods()) is replaced


@pytest.mark.parametrize(
    ("old", "new", "logged"),
    [
        ("risk: limited", "risk: minimal", False),
        ("industry: retail", "industry: banking", True),
        ("risk: limited", "risk: high", True),
        ("host: scores.acme.example", "host: scores.acme.example\n      accessLog: true", True),
    ],
)
def test_requests_are_logged_if_required(old: str, new: str, logged: bool) -> None:
    """Requests are logged with `accessLog`, a high risk or a regulated industry. Ray logs to the container's output."""
    manifests = lowered(changed(old, new))
    service = manifests.get("RayService", "scorer-champion")
    described = json.loads(manifests.get("ConfigMap", "scorer-champion-description")["data"]["workload.json"])
    group = service["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]
    (container,) = group["template"]["spec"]["containers"]

    application = described["applications"]["scorer-champion"]
    assert application.get("accessLog") == ({"endpoint": "scorer"} if logged else None)
    assert ({"name": "RAY_LOG_TO_STDERR", "value": "1"} in container["env"]) == logged


@pytest.mark.parametrize(("written", "most"), [("target: 8", 256), ("target: 8, maxQueued: 50", 50), ("target: 2", 64)])
def test_requests_beyond_the_queue_limit_are_rejected(written: str, most: int) -> None:
    """Requests over the queue limit are immediately rejected with 503 and Retry-After."""
    service = lowered(changed("target: 8", written)).get("RayService", "scorer-champion")
    (application,) = serve_config(service)["applications"]
    (deployment,) = application["deployments"]

    assert deployment["max_queued_requests"] == most
    assert deployment["backpressure_config"] == {"status_code": 503, "retry_after_s": 5}


@pytest.mark.parametrize(("written", "most"), [("", 16 * 2**20), ("      maxBody: 1Mi\n", 2**20)])
def test_description_has_the_largest_request_body(written: str, most: int) -> None:
    manifests = lowered(changed("    endpoint:\n", f"    endpoint:\n{written}"))
    text = manifests.get("ConfigMap", "scorer-champion-description")["data"]["workload.json"]

    (application,) = json.loads(text)["applications"].values()
    assert application["maxBodyBytes"] == most
