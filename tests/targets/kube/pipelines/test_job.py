"""Tests that RayJobs end, delete their Ray clusters, and use only the machines that each step needs."""

from __future__ import annotations

import json

from tests.lowering import Lowered, Object, lowered
from tests.specs import VALID_SPEC, changed

CRON = 'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}'
ONCE = changed(CRON, "schedule: once", ("run: pipelines.retrain, ", ""))


def run(objects: Lowered, name: str) -> Object:
    """Return the RayJob that a pipeline's launcher creates."""
    template: Object = json.loads(objects.get("ConfigMap", f"{name}-rayjob")["data"]["rayjob.json"])
    return template


def test_run_has_deadlines_and_deletes_its_cluster() -> None:
    """A run has separate deadlines for waiting and running, and its Ray cluster is deleted at the end."""
    spec = run(lowered(VALID_SPEC), "retrain")["spec"]

    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["activeDeadlineSeconds"] == 6 * 3600
    assert 0 < spec["preRunningDeadlineSeconds"] <= 1800
    assert spec["backoffLimit"] == 1


def test_wait_for_machines_is_limited_by_the_timeout() -> None:
    spec = run(lowered(changed("timeout: 6h", "timeout: 10m")), "retrain")["spec"]

    assert spec["preRunningDeadlineSeconds"] == 600


def test_entrypoint_is_the_runtime() -> None:
    assert run(lowered(VALID_SPEC), "nightly")["spec"]["entrypoint"] == "python -m modelyard_runtime run"


def test_worker_counts_follow_the_spec() -> None:
    (group,) = run(lowered(VALID_SPEC), "nightly")["spec"]["rayClusterSpec"]["workerGroupSpecs"]

    assert (group["groupName"], group["minReplicas"], group["maxReplicas"]) == ("nightly", 1, 4)


def test_steps_with_equal_hardware_share_a_group() -> None:
    (group,) = run(lowered(VALID_SPEC), "report")["spec"]["rayClusterSpec"]["workerGroupSpecs"]

    assert group["groupName"] == "collect"


def test_groups_for_different_hardware_start_empty() -> None:
    """If steps need different hardware, their worker groups start empty and the autoscaler adds workers."""
    manifests = lowered(changed("timeout: 1h", "timeout: 1h, compute: train"))
    cluster = run(manifests, "report")["spec"]["rayClusterSpec"]
    described = json.loads(manifests.get("ConfigMap", "report-description")["data"]["workload.json"])
    steps = described["pipeline"]["steps"]

    assert [(group["groupName"], group["minReplicas"]) for group in cluster["workerGroupSpecs"]] == [
        ("collect", 0),
        ("publish", 0),
    ]
    assert cluster["enableInTreeAutoscaling"] is True
    assert steps["publish"]["resources"]["group"] == "group-publish"


def test_steps_with_different_images_have_different_groups() -> None:
    text = changed(
        'source: {entrypoint: "fraud.report:publish"}', 'source: {entrypoint: "fraud.report:publish", image: acme/p:1}'
    )
    cluster = run(lowered(text), "report")["spec"]["rayClusterSpec"]
    images = [group["template"]["spec"]["containers"][0]["image"] for group in cluster["workerGroupSpecs"]]

    assert images == [cluster["headGroupSpec"]["template"]["spec"]["containers"][0]["image"], "acme/p:1"]


def test_submitter_has_limits_and_the_clusters_label() -> None:
    """The submitter Pod has resource limits, and a label with the Ray cluster's name lets it reach the head."""
    job = run(lowered(VALID_SPEC), "retrain")
    submitter = job["spec"]["submitterPodTemplate"]
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]
    name = "app.kubernetes.io/name"

    assert submitter["spec"]["restartPolicy"] == "Never"
    assert submitter["spec"]["containers"][0]["resources"]["limits"]
    assert submitter["metadata"]["labels"][name] == head["metadata"]["labels"][name]


def test_name_of_a_single_run_depends_on_its_content() -> None:
    """With schedule `once`, changing the spec or the description renames the RayJob."""
    before, after = lowered(ONCE), lowered(ONCE.replace("timeout: 6h", "timeout: 5h"))
    described = lowered(ONCE.replace("method: shap", "method: permutation"))
    names = [manifests.names("RayJob") for manifests in (before, after, described)]

    assert all(len(job_names) == 1 for job_names in names)
    assert len({job_names[0] for job_names in names}) == 3
    assert names[0][0].startswith("retrain-")
    assert not before.has("CronJob", "retrain")


def test_long_name_is_shortened_for_the_operator() -> None:
    long = "retrain-with-a-name-that-is-forty-letters"[:40]
    text = ONCE.replace("  retrain:\n", f"  {long}:\n")
    (name,) = lowered(text).names("RayJob")

    assert len(name) <= 47
