"""Tests a system's lifecycle from `up` to `destroy` in a complete Kubernetes cluster.

Uses the emitted image and covers training, approval, requests to two variants, batch inference, drift, an alert,
retraining, and killed Pods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.kubernetes.whole_kubernetes import WholeKubernetes
from tests.real.whole_system import MLFLOW, SYSTEM, Loans, deployed

DAYS = 50
"""The partitions of the batch job, enough to keep its worker busy until it is killed."""
WAITING = ("firing", "ModelyardApprovalWaiting", "pipelines.retrain")
BREACH = ("firing", "ModelyardMonitorBreach", "monitors.shift")


@pytest.fixture
def loans(
    whole_kubernetes: WholeKubernetes, base_image: Path, built: Callable[[str], Path], tmp_path: Path
) -> Iterator[Loans]:
    """Deploy the loans system with Pulumi's engine."""
    for program in ("prometheus", "alertmanager", "prometheus-operator"):
        built(program)
    assert base_image.exists()
    with deployed(whole_kubernetes, tmp_path) as system:
        yield system


def test_system_lifecycle(loans: Loans) -> None:
    """The full lifecycle runs in a single test because each step depends on the previous one."""
    with loans.logs_on_failure():
        _trained_version_waits_for_approvals(loans)
        _mlflow_requires_a_login(loans)
        _approved_version_is_served(loans)
        _killed_pods_cost_no_decisions(loans)
        _drift_starts_one_guarded_run(loans)
        _destroy_leaves_nothing(loans)


def _trained_version_waits_for_approvals(loans: Loans) -> None:
    """A version awaiting approval isn't the champion yet and triggers an alert. Forged approvals are ignored."""
    kubectl = loans.cluster.kubectl
    loans.run("retrain-first", "retrain")
    assert loans.registry() == {"versions": ["1"], "aliases": {}, "moves": []}
    assert loans.ask("champion")[0] == 503

    kubectl.wait_until(lambda: WAITING in loans.alerts(), "the receiver has the alert about the approval", 300)
    for port in range(3):  # the metrics ports of Ray, its autoscaler and its dashboard
        assert {"up"} == {*loans.monitoring.targets(f"podMonitor/{SYSTEM}/ray-heads/{port}")}

    loans.approve("compliance")
    loans.approve("stranger", loans.spec.with_name("forged.yaml"))
    loans.run("promote-in-vain", "promoter")
    assert loans.registry() == {"versions": ["1"], "aliases": {}, "moves": []}


def _mlflow_requires_a_login(loans: Loans) -> None:
    """MLflow rejects requests without a login, even from inside the cluster. NetworkPolicies aren't enforced here."""
    with pytest.raises(RuntimeError, match="HTTP Error 401"):
        loans.cluster.fetch(f"{MLFLOW}/api/2.0/mlflow/registered-models/search")


def _approved_version_is_served(loans: Loans) -> None:
    """After the second approval, the promoter moves the alias on its schedule, and both variants answer."""
    kubectl = loans.cluster.kubectl
    loans.approve("credit-risk")
    kubectl.wait_until(lambda: loans.ask("champion")[0] == 200, "the champion answers", 600)
    kubectl.wait_until(lambda: loans.ask("challenger")[0] == 200, "the challenger answers", 300)
    move = {"action": "promote", "version": "1", "by": ["compliance", "credit-risk"]}
    assert loans.registry() == {"versions": ["1"], "aliases": {"champion": "1"}, "moves": [move]}
    for variant in ("champion", "challenger"):
        _, answer = loans.ask(variant)
        assert answer["model"]["version"] == "1"
        assert [bool(value) for value in answer["predictions"]] == [False, True]
        assert loans.ask(variant, "another caller's token")[0] == 401
    assert loans.weights() == {"decide-champion-serve-svc": 80, "decide-challenger-serve-svc": 20}


def _killed_pods_cost_no_decisions(loans: Loans) -> None:
    """A batch job survives the loss of its only worker, and a killed replica is replaced."""
    kubectl = loans.cluster.kubectl
    loans.kill_worker("decide-champion")
    kubectl.wait_until(lambda: loans.ask("champion")[0] != 200, "the champion has lost its replica", 120)
    assert loans.ask("challenger")[0] == 200

    loans.add_rows(days_ago=(DAYS + 1, 2), rows_a_day=150)
    loans.start("score-once", "score")
    kubectl.wait_until(lambda: bool(loans.written()), "the batch job has written a partition", 600)
    killed = loans.kill_worker("score")
    kubectl.wait_until(
        lambda: bool(loans.running_workers("score") - {killed}) or loans.has_ended("score-once"),
        "another worker replaces the killed one",
        600,
    )
    # The other Pod is running, but Ray has yet to start in it, so the killed worker wrote all of these partitions.
    assert 0 < len(loans.written()) < DAYS, "the worker had written all partitions before it was killed"
    kubectl.wait_until(lambda: loans.has_ended("score-once"), "the batch job has ended", 600)
    decisions = loans.decisions()
    days = {key.partition("day=")[2].partition("/")[0] for key in decisions}
    assert len(days) == len(decisions) == DAYS
    for rows, versions, errors in decisions.values():
        assert (rows, versions) == (150, ["1"])
        assert errors < 0.15
    kubectl.wait_until(lambda: loans.ask("champion")[0] == 200, "another replica of the champion answers", 300)
    kubectl.wait_until(lambda: not loans.monitoring.fires("ModelyardApprovalWaiting"), "nothing waits any more", 300)


def _drift_starts_one_guarded_run(loans: Loans) -> None:
    """Drift in one feature raises an alert and starts a single training run, whose version awaits approval."""
    kubectl = loans.cluster.kubectl
    loans.run("shift-quiet", "monitor-shift")
    assert loans.breaches() == {"amount": 0, "income": 0}
    assert loans.started_by_the_monitor() == []

    loans.add_rows(days_ago=(1, 1), rows_a_day=2000, higher=8)
    loans.run("shift-loud", "monitor-shift")
    loans.run("shift-again", "monitor-shift")
    assert loans.breaches() == {"amount": 1, "income": 0}
    (run,) = loans.started_by_the_monitor()
    kubectl.wait_until(lambda: loans.has_ended(run), "the run after the drift has ended", 600)
    kubectl.wait_until(lambda: BREACH in loans.alerts(), "the receiver has the alert about the drift", 300)
    loans.run("promote-without-approvals", "promoter")
    registry = loans.registry()
    assert (registry["versions"], registry["aliases"]) == (["1", "2"], {"champion": "1"})


def _destroy_leaves_nothing(loans: Loans) -> None:
    assert f"namespace/{SYSTEM}" in loans.objects()
    loans.stack.destroy()
    assert loans.stack.resources() == []
    assert loans.objects() == set()
