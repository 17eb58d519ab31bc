"""Tests that the launcher is a CronJob that respects the overlap policy, deadlines and history limits."""

from __future__ import annotations

import json

import pytest

from tests.lowering import lowered
from tests.specs import VALID_SPEC, changed


def test_cron_job_has_schedule_and_time_zone() -> None:
    spec = lowered(VALID_SPEC).get("CronJob", "retrain")["spec"]

    assert (spec["schedule"], spec["timeZone"]) == ("0 4 * * 0", "Europe/Berlin")


@pytest.mark.parametrize("name", ["retrain", "monitor-drift"])
def test_scheduled_cron_job_does_not_set_suspend(name: str) -> None:
    """A scheduled CronJob does not set `suspend`, so `kubectl patch` can pause it without conflicts."""
    assert "suspend" not in lowered(VALID_SPEC).get("CronJob", name)["spec"]


def test_on_demand_is_a_suspended_cron_job() -> None:
    """An on-demand pipeline is a suspended CronJob from which people and monitors create Jobs."""
    assert lowered(VALID_SPEC).get("CronJob", "report")["spec"]["suspend"] is True


@pytest.mark.parametrize(("overlap", "policy"), [("forbid", "Forbid"), ("replace", "Replace"), ("allow", "Allow")])
def test_overlap_is_the_concurrency_policy(overlap: str, policy: str) -> None:
    text = changed("timeZone: Europe/Berlin", f"timeZone: Europe/Berlin, overlap: {overlap}")

    assert lowered(text).get("CronJob", "retrain")["spec"]["concurrencyPolicy"] == policy


def test_the_launcher_waits_for_all_retries() -> None:
    """The launcher's deadline covers all attempts that the RayJob allows."""
    text = changed("timeout: 6h", "timeout: 6h\n    retries: 2")

    assert (
        lowered(text).get("CronJob", "retrain")["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 3 * 6 * 3600
    )


def test_finished_runs_are_kept_as_long_as_the_spec_says() -> None:
    job = lowered(VALID_SPEC).get("CronJob", "retrain")["spec"]
    unsaid = lowered(changed(", runs: 7d", "")).get("CronJob", "retrain")["spec"]

    assert job["jobTemplate"]["spec"]["ttlSecondsAfterFinished"] == 7 * 86400
    assert job["successfulJobsHistoryLimit"] == 100
    assert "ttlSecondsAfterFinished" not in unsaid["jobTemplate"]["spec"]
    assert unsaid["successfulJobsHistoryLimit"] == 5


def test_launcher_has_job_name_uid_and_template() -> None:
    """The launcher Pod gets the Job's name and UID and mounts the RayJob template."""
    pod = lowered(VALID_SPEC).get("CronJob", "retrain")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    fields = {
        variable["name"]: variable["valueFrom"]["fieldRef"]["fieldPath"]
        for variable in container["env"]
        if "valueFrom" in variable
    }

    assert container["command"] == ["python", "-m", "modelyard_runtime", "launch"]
    assert fields == {
        "MODELYARD_JOB": "metadata.labels['batch.kubernetes.io/job-name']",
        "MODELYARD_JOB_UID": "metadata.labels['batch.kubernetes.io/controller-uid']",
    }
    assert {"name": "template", "configMap": {"name": "retrain-rayjob"}} in pod["volumes"]
    assert pod["automountServiceAccountToken"] is True
    assert pod["serviceAccountName"] == "retrain-launcher"


def test_launcher_and_submitter_always_use_our_image() -> None:
    """The launcher and submitter always use the runtime image so that user code cannot read the launcher's token."""
    manifests = lowered(
        changed('"fraud.report:collect"}}', '"fraud.report:collect", image: "ghcr.io/acme/reports:1"}}')
    )
    launcher = manifests.get("CronJob", "report")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    run = json.loads(manifests.get("ConfigMap", "report-rayjob")["data"]["rayjob.json"])["spec"]
    images = {
        "launcher": launcher["containers"][0]["image"],
        "submitter": run["submitterPodTemplate"]["spec"]["containers"][0]["image"],
        "head": run["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"],
    }

    assert images.pop("head") == "ghcr.io/acme/reports:1"
    assert {name: image.partition(":")[0] for name, image in images.items()} == dict.fromkeys(
        images, "registry.acme.example/fraud-runtime"
    )


def test_a_failed_run_is_not_launched_again() -> None:
    """A launcher that loses its machine is retried, but one whose run failed is not."""
    rules = lowered(VALID_SPEC).get("CronJob", "retrain")["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]

    assert [rule["action"] for rule in rules] == ["Ignore", "FailJob"]


def test_disruption_condition_includes_the_status() -> None:
    """Schemas before Kubernetes 1.35 require a status in each Pod condition of a failure policy."""
    rules = lowered(VALID_SPEC).get("CronJob", "retrain")["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]

    assert rules[0]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


def _overlap(text: str, name: str) -> str | None:
    pod = lowered(text).get("CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    environment: dict[str, str] = {
        variable["name"]: variable["value"] for variable in pod["containers"][0]["env"] if "value" in variable
    }
    return environment.get("MODELYARD_OVERLAP")


def test_launcher_enforces_overlap_if_a_monitor_starts_runs() -> None:
    """The launcher enforces the overlap policy if a monitor can also start runs."""
    replacing = changed("timeZone: Europe/Berlin", "timeZone: Europe/Berlin, overlap: replace")
    allowing = changed("timeZone: Europe/Berlin", "timeZone: Europe/Berlin, overlap: allow")

    assert _overlap(VALID_SPEC, "retrain") == "forbid"
    assert _overlap(replacing, "retrain") == "replace"
    assert _overlap(allowing, "retrain") is None
    assert _overlap(VALID_SPEC, "nightly") is None


AFTER = changed(
    'schedule: {cron: "30 3 * * *"}',
    "schedule: {after: pipelines.retrain}",
    (
        "  report:\n    type: custom\n",
        "  report:\n    type: custom\n    schedule: {after: pipelines.retrain, overlap: replace}\n",
    ),
)


def _environment(text: str, name: str) -> dict[str, str]:
    pod = lowered(text).get("CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"] if "value" in variable}


def test_a_pipeline_that_follows_another_is_a_suspended_cron_job() -> None:
    """A follower's CronJob is suspended, and its launcher enforces the overlap policy."""
    nightly, report = (lowered(AFTER).get("CronJob", name)["spec"] for name in ("nightly", "report"))

    assert nightly["suspend"] is True
    assert (nightly["concurrencyPolicy"], report["concurrencyPolicy"]) == ("Forbid", "Replace")
    assert (_overlap(AFTER, "nightly"), _overlap(AFTER, "report")) == ("forbid", "replace")


def test_launcher_lists_its_followers() -> None:
    assert _environment(AFTER, "retrain")["MODELYARD_FOLLOWERS"] == "nightly,report"
    assert "MODELYARD_FOLLOWERS" not in _environment(AFTER, "nightly")
    assert "MODELYARD_FOLLOWERS" not in _environment(VALID_SPEC, "retrain")


def test_followers_are_listed_by_cron_job_name() -> None:
    """Followers are listed by CronJob name, which may differ from the pipeline's name."""
    text = AFTER.replace("  nightly:\n", "  scorer:\n", 1)

    assert _environment(text, "retrain")["MODELYARD_FOLLOWERS"] == "report,scorer-runs"
