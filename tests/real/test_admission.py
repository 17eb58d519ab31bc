"""Tests that admission policies on a real API server admit the emitted objects and reject modified ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

import pytest

from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl, Object, Refused
from tests.emitted import emitted
from tests.examples import Example, on_aws, one_each
from tests.real.test_scanners import manifests_of
from tests.targets.kube.pipelines.test_launcher import AFTER

Change: TypeAlias = Callable[[Any], object]

NAMESPACE = "fraud"
POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
OLD_NAME = "an-old-run"

SECRET_ENV = {"name": "STOLEN", "valueFrom": {"secretKeyRef": {"name": "registry-db-login", "key": "password"}}}
HOST = {"name": "host", "hostPath": {"path": "/"}}
CLAIM = {"name": "stolen", "persistentVolumeClaim": {"claimName": "prometheus-db-0"}}
OF_THE_REGISTRY = {"app.kubernetes.io/name": "mlflow"}
PROJECTED = {"name": "stolen", "projected": {"sources": [{"secret": {"name": "registry-db-login"}}]}}


def head(run: Any) -> Any:
    """Return the Pod spec of a Ray cluster's head."""
    return run["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]


def worker(run: Any) -> Any:
    """Return the Pod spec of a Ray cluster's first worker group."""
    return run["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["spec"]


def submitter(run: Any) -> Any:
    """Return the Pod spec of the Job that submits the run."""
    return run["spec"]["submitterPodTemplate"]["spec"]


def labels_of_worker(run: Any) -> Any:
    """Return the Pod labels of a Ray cluster's first worker group."""
    return run["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["metadata"]["labels"]


FORBIDDEN_RUNS: dict[str, tuple[Change, str]] = {
    "account": (lambda run: head(run).update(serviceAccountName="scorer"), "as the ServiceAccounts retrain only"),
    "no account": (lambda run: worker(run).pop("serviceAccountName"), "as the ServiceAccounts retrain only"),
    "image": (lambda run: worker(run)["containers"][0].update(image="evil.example/x:1"), "the images that it was"),
    "init image": (
        lambda run: head(run).update(initContainers=[{"name": "x", "image": "evil.example/x:1"}]),
        "the images that it was",
    ),
    "submitter's image": (lambda run: submitter(run)["containers"][0].update(image="evil.example/x:1"), "the images"),
    "Secret in a variable": (
        lambda run: worker(run)["containers"][0]["env"].append(SECRET_ENV),
        "may read the Secrets",
    ),
    "Secret as variables": (
        lambda run: head(run)["containers"][0].update(envFrom=[{"secretRef": {"name": "registry-db-login"}}]),
        "may read the Secrets",
    ),
    "Secret as files": (
        lambda run: worker(run)["volumes"].append({"name": "x", "secret": {"secretName": "registry-db-login"}}),
        "may mount the Secrets",
    ),
    "projected Secret": (lambda run: head(run)["volumes"].append(PROJECTED), "may mount the Secrets"),
    "volume claim": (lambda run: worker(run)["volumes"].append(CLAIM), "may mount the volume claims (none) only"),
    "labels of the registry": (lambda run: labels_of_worker(run).update(OF_THE_REGISTRY), "may carry the labels"),
    "another label": (lambda run: labels_of_worker(run).update({"cnpg.io/cluster": "x"}), "may carry the labels"),
    "labels of the submitter": (
        lambda run: run["spec"]["submitterPodTemplate"]["metadata"]["labels"].update(OF_THE_REGISTRY),
        "may carry the labels",
    ),
    "labels of a group": (
        lambda run: run["spec"]["rayClusterSpec"]["headGroupSpec"].update(labels=OF_THE_REGISTRY),
        "may carry the labels",
    ),
    "path of the host": (lambda run: worker(run)["volumes"].append(HOST), "volumes of these kinds only"),
    "network of the host": (lambda run: head(run).update(hostNetwork=True), "nor share network"),
    "priority": (
        lambda run: worker(run).update(priorityClassName="system-node-critical"),
        "may have the PriorityClass",
    ),
    "privileged": (
        lambda run: worker(run)["containers"][0]["securityContext"].update(privileged=True),
        "may not be privileged",
    ),
    "another cluster": (lambda run: run["spec"].update(clusterSelector={"ray.io/cluster": "x"}), "cluster of its own"),
    "token of Ray": (
        lambda run: run["spec"]["rayClusterSpec"]["authOptions"].update(secretName="registry-db-login"),
        "cluster of its own",
    ),
}
FORBIDDEN_JOBS: dict[str, tuple[Change, str]] = {
    "account": (
        lambda job: job["spec"]["template"]["spec"].update(serviceAccountName="retrain"),
        "as the ServiceAccounts retrain-launcher only",
    ),
    "image": (lambda job: job["spec"]["template"]["spec"]["containers"][0].update(image="evil.example/x:1"), "images"),
    "labels": (
        lambda job: job["spec"]["template"]["metadata"]["labels"].update(OF_THE_REGISTRY),
        "may carry the labels",
    ),
    "priority": (
        lambda job: job["spec"]["template"]["spec"].update(priorityClassName="system-cluster-critical"),
        "may have the PriorityClass",
    ),
    "path of the host": (lambda job: job["spec"]["template"]["spec"]["volumes"].append(HOST), "of these kinds only"),
}
FORBIDDEN_CHANGES: dict[str, tuple[Change, str]] = {
    "image": (
        lambda cluster: cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0].update(image="x:1"),
        "the sizes of a Ray cluster and nothing else",
    ),
    "head": (
        lambda cluster: cluster["spec"]["headGroupSpec"]["template"]["spec"].update(hostNetwork=True),
        "the sizes of a Ray cluster and nothing else",
    ),
    "bounds": (
        lambda cluster: cluster["spec"]["workerGroupSpecs"][0].update(maxReplicas=1000),
        "the sizes of a Ray cluster and nothing else",
    ),
    "token": (lambda cluster: cluster["spec"].pop("authOptions"), "the sizes of a Ray cluster and nothing else"),
}


def run_of(objects: Iterable[Any], pipeline: str) -> Any:
    """Return the RayJob that the launcher of a pipeline creates."""
    (template,) = [each for each in objects if each["metadata"]["name"] == f"{pipeline}-rayjob"]
    return json.loads(template["data"]["rayjob.json"])


def job_of(objects: Iterable[Any], pipeline: str) -> Any:
    """Return the Job that a monitor creates from a pipeline's CronJob."""
    (cron_job,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == ("CronJob", pipeline)]
    metadata = {"name": f"{pipeline}-by-hand", "namespace": cron_job["metadata"]["namespace"]}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, **cron_job["spec"]["jobTemplate"]}


def refusal(kubectl: Kubectl, manifest: Any, account: str, *verb: str) -> str:
    """Dry-run a request as a ServiceAccount and return why it was refused, or an empty string."""
    namespace = manifest["metadata"]["namespace"]
    caller = f"--as=system:serviceaccount:{namespace}:{account}"
    try:
        kubectl.run(*(verb or ("create",)), "--dry-run=server", caller, "-f", "-", stdin=json.dumps(manifest))
    except Refused as problem:
        return str(problem)
    return ""


def changed_by(change: Change, manifest: Any) -> Any:
    """Return a modified copy of the manifest."""
    copied = copy.deepcopy(manifest)
    change(copied)
    return copied


@contextmanager
def in_force(kubectl: Kubectl, namespace: str, objects: list[Any]) -> Generator[None]:
    """Apply ServiceAccounts and policies in a namespace where RBAC grants everything to every ServiceAccount."""
    applied = [each for each in objects if each["kind"] in (*POLICIES, "ServiceAccount")]
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}])
    kubectl.apply(cast("list[Object]", [*applied, _everything(namespace)]))
    yield
    policies = [f"{each['kind']}/{each['metadata']['name']}" for each in applied if each["kind"] in POLICIES]
    kubectl.run("delete", *policies)
    kubectl.run("delete", "namespace", namespace, "--wait=false")


def _everything(namespace: str) -> Any:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "everything", "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": f"system:serviceaccounts:{namespace}"}],
    }


@pytest.fixture(scope="module")
def objects() -> list[Any]:
    """Return the objects of the valid spec with two pipelines that follow a third."""
    return json.loads(json.dumps(emitted(AFTER)))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def guarded(control_plane: Cluster, objects: list[Any]) -> Iterator[Kubectl]:
    """Enforce the valid spec's policies in a cluster that contains a pipeline run's Ray cluster."""
    kubectl = control_plane.kubectl
    with in_force(kubectl, NAMESPACE, objects):
        kubectl.apply([ray_cluster(objects)])
        broken = changed_by(FORBIDDEN_RUNS["account"][0], run_of(objects, "retrain"))
        changed = changed_by(FORBIDDEN_CHANGES["image"][0], ray_cluster(objects))
        kubectl.wait_until(
            lambda: bool(
                refusal(kubectl, broken, "retrain-launcher") and refusal(kubectl, changed, "retrain", "replace")
            ),
            "the policies are in force",
        )
        yield kubectl


def ray_cluster(objects: list[Any]) -> Any:
    """Return the Ray cluster that KubeRay would create for a run."""
    metadata = {"name": OLD_NAME, "namespace": NAMESPACE}
    spec = run_of(objects, "retrain")["spec"]["rayClusterSpec"]
    return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("name", FORBIDDEN_RUNS)
def test_launcher_may_create_only_its_run(name: str, guarded: Kubectl, objects: list[Any]) -> None:
    change, message = FORBIDDEN_RUNS[name]
    run = run_of(objects, "retrain")

    assert refusal(guarded, run, "retrain-launcher") == ""
    assert message in refusal(guarded, changed_by(change, run), "retrain-launcher")


@pytest.mark.parametrize("name", FORBIDDEN_JOBS)
def test_monitor_may_only_start_a_pipeline(name: str, guarded: Kubectl, objects: list[Any]) -> None:
    change, message = FORBIDDEN_JOBS[name]
    job = job_of(objects, "retrain")

    assert refusal(guarded, job, "monitor-drift") == ""
    assert message in refusal(guarded, changed_by(change, job), "monitor-drift")


@pytest.mark.parametrize("follower", ["nightly", "report"])
def test_launcher_may_start_only_its_followers(follower: str, guarded: Kubectl, objects: list[Any]) -> None:
    """A launcher may start only the pipelines that follow its own, within their limits, and no other Jobs."""
    job, other = owned(job_of(objects, follower), follower), owned(job_of(objects, "try-out"), "try-out")
    nobodys = job_of(objects, follower)

    assert refusal(guarded, job, "retrain-launcher") == ""
    for outside in (other, nobodys):
        assert "belongs to one of the CronJobs nightly, report" in refusal(guarded, outside, "retrain-launcher")
    for change, message in FORBIDDEN_JOBS.values():
        assert message.replace("retrain", follower) in refusal(guarded, changed_by(change, job), "retrain-launcher")


def owned(job: Any, cron_job: str) -> Any:
    """Return the Job as a launcher creates it, with a CronJob as its owner."""
    job["metadata"]["ownerReferences"] = [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job, "uid": "3f0c9e1a-0000-4000-8000-000000000000"}
    ]
    return job


@pytest.mark.parametrize("name", FORBIDDEN_CHANGES)
def test_autoscaler_may_change_only_sizes(name: str, guarded: Kubectl, objects: list[Any]) -> None:
    change, message = FORBIDDEN_CHANGES[name]
    cluster = ray_cluster(objects)
    larger = changed_by(lambda obj: obj["spec"]["workerGroupSpecs"][0].update(replicas=1), cluster)

    assert refusal(guarded, larger, "retrain", "replace") == ""
    assert "its own Ray cluster and Pods only" in refusal(guarded, larger, "nightly", "replace")
    assert message in refusal(guarded, changed_by(change, cluster), "retrain", "replace")


def test_policies_do_not_restrict_people_and_controllers(guarded: Kubectl, objects: list[Any]) -> None:
    """An administrator may create a modified run, because the policies restrict only the system's own Pods."""
    change, _ = FORBIDDEN_RUNS["image"]
    run = changed_by(change, run_of(objects, "retrain"))

    guarded.run("create", "--dry-run=server", "-f", "-", stdin=json.dumps(run))


@pytest.mark.parametrize("example", [*one_each(), *on_aws()[:1]], ids=str)
def test_every_emitted_run_passes_its_policy(example: Example, control_plane: Cluster) -> None:
    """The API server accepts every emitted run, but refuses the same run without its ServiceAccount."""
    kubectl = control_plane.kubectl
    for stack in example.compiled().stacks:
        objects: list[Any] = manifests_of(stack.projects)
        guarded = [each for each in objects if each["kind"] == "ValidatingAdmissionPolicy"]
        starts = [(each, started) for each in guarded for started in _started(each, objects)]
        if not starts:
            continue
        namespace = starts[0][1]["metadata"]["namespace"]
        with in_force(kubectl, namespace, objects):
            for policy, manifest in starts:
                for account in _callers(policy):
                    broken = changed_by(_without_account, manifest)
                    kubectl.wait_until(
                        lambda broken=broken, account=account: bool(refusal(kubectl, broken, account)),  # type: ignore[misc]
                        f"{policy['metadata']['name']} is in force",
                    )
                    assert refusal(kubectl, manifest, account) == ""


def _started(policy: Any, objects: list[Any]) -> Iterator[Any]:
    """Yield the objects restricted by a pipeline's policy, as their callers create them."""
    _, pipeline, kind = (*policy["metadata"]["name"].rsplit(".", 2), "")[:3]
    if kind == "runs":
        yield run_of(objects, pipeline)
    elif kind == "starts":
        yield job_of(objects, pipeline)


def _callers(policy: Any) -> list[str]:
    (condition,) = policy["spec"]["matchConditions"]
    users: list[str] = json.loads(condition["expression"].partition(" in ")[2])
    return [user.rpartition(":")[2] for user in users]


def _without_account(manifest: Any) -> None:
    pod = head(manifest) if manifest["kind"] == "RayJob" else manifest["spec"]["template"]["spec"]
    pod.pop("serviceAccountName")
