"""Tests the launcher of a run-once pipeline that is followed by other pipelines."""

from __future__ import annotations

from typing import Any

from modelyard_runtime.jobs.launch import named_after
from tests.emitted import emitted_object, files, names
from tests.lowering import lowered
from tests.specs import changed
from tests.targets.kube.pipelines.test_launcher import AFTER

CRON = 'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}'
WITHOUT_TRIGGER = ("run: pipelines.retrain, cooldown: 3d", "rollback: true")


def once(text: str) -> str:
    """Make the training pipeline run only once, without being started by a monitor."""
    for before, after in ((CRON, "schedule: once"), WITHOUT_TRIGGER):
        assert before in text
        text = text.replace(before, after, 1)
    return text


FOLLOWED = once(AFTER)
ALONE = once(changed(CRON, CRON))


def launcher(text: str) -> dict[str, Any]:
    """Return the launcher's Job."""
    manifests = lowered(text)
    (name,) = [name for name in manifests.names("Job") if name.startswith("retrain-")]
    job: dict[str, Any] = manifests.get("Job", name)
    return job


def test_launcher_job_has_its_own_template() -> None:
    """The Job has its own RayJob template, so it never runs one from an older spec."""
    manifests, job = lowered(FOLLOWED), launcher(FOLLOWED)
    name, pod = job["metadata"]["name"], job["spec"]["template"]["spec"]

    assert not manifests.names("RayJob")
    assert not manifests.has("CronJob", "retrain")
    assert manifests.has("ConfigMap", f"{name}-rayjob")
    assert {"name": "template", "configMap": {"name": f"{name}-rayjob"}} in pod["volumes"]
    assert pod["serviceAccountName"] == "retrain-launcher"
    assert {"name": "MODELYARD_FOLLOWERS", "value": "nightly,report"} in pod["containers"][0]["env"]


def test_launcher_job_is_neither_awaited_nor_deleted() -> None:
    """Deployments don't wait for the launcher's Job.

    It is never deleted, because the next deployment would create it again.
    """
    job = launcher(FOLLOWED)

    assert job["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert "ttlSecondsAfterFinished" not in job["spec"]


def test_changed_spec_starts_another_run() -> None:
    before, after = launcher(FOLLOWED), launcher(FOLLOWED.replace("timeout: 6h", "timeout: 5h", 1))
    fewer = launcher(FOLLOWED.replace("    schedule: {after: pipelines.retrain, overlap: replace}\n", "", 1))

    assert len({job["metadata"]["name"] for job in (before, after, fewer)}) == 3


def test_pipeline_without_followers_has_no_launcher() -> None:
    manifests = lowered(ALONE)

    assert len(manifests.names("RayJob")) == 1
    assert not [name for name in manifests.names("Job") if name.startswith("retrain-")]
    assert not manifests.has("ServiceAccount", "retrain-launcher")


def test_launcher_has_role_network_and_admission_policies() -> None:
    manifests = lowered(FOLLOWED)

    assert manifests.has("Role", "retrain-launcher")
    assert manifests.has("NetworkPolicy", "retrain-launcher")
    policies = names(FOLLOWED, "ValidatingAdmissionPolicy")
    assert {"fraud.retrain.runs", "fraud.retrain.next", "fraud.nightly.follows"} <= {*policies}
    callers = emitted_object(FOLLOWED, "ValidatingAdmissionPolicy", "fraud.nightly.follows")["spec"]["matchConditions"]
    assert "retrain-launcher" in callers[0]["expression"]


def test_alert_and_readme_use_the_launchers_names() -> None:
    """The failure alert and the README use the names of the launcher's Job and RayJob."""
    (name,) = [name for name in names(FOLLOWED, "Job") if name.startswith("retrain-")]
    run: Any = named_after({"metadata": {"name": "retrain"}}, name)["metadata"]
    (rules,) = emitted_object(FOLLOWED, "PrometheusRule", "retrain")["spec"]["groups"]

    assert f'max(kube_job_failed{{namespace="fraud",job_name="{name}",condition="true"}}) == 1' in [
        rule["expr"] for rule in rules["rules"]
    ]
    assert f"logs job/{run['name']}`" in files(FOLLOWED)["README.md"]
