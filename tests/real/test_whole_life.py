"""Tests a system's lifecycle in a complete Kubernetes cluster with the emitted image.

The lifecycle includes training, approval, requests, a kill and logins. `pulumi up` creates the system. Some operators
are replaced: PostgreSQL and S3 run on the node, and the test creates the Secrets that External Secrets would copy.
Alerts pass through Prometheus, its operator and Alertmanager.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard_targets import TARGETS
from modelyard_targets.kube.addons.addon_values import prometheus_values
from modelyard_targets.kube.placement.context import context_for
from testbed import environments, image
from testbed.kubernetes.control_plane import CONTEXT
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.monitoring import Monitoring, monitoring, on_the_node
from testbed.kubernetes.whole_kubernetes import NODE_ADDRESS, WholeKubernetes
from testbed.places import REPOSITORY
from testbed.processes import Processes
from testbed.pulumi.stack import PulumiStack
from tests.plans import plan_of
from tests.real.test_examples import written

SYSTEM = "loans"
SPEC = f"""\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {{name: {SYSTEM}}}
profile: {{size: small}}
governance:
  owner: {{team: lending, email: lending@acme.example, oncall: oncall}}
  risk: limited
  approvals: {{promote: {{from: [credit-risk, compliance], minimum: 2}}}}
  approvers:
    credit-risk: {{sshKeys: ["CREDIT-RISK"]}}
    compliance: {{sshKeys: ["COMPLIANCE"]}}
deployment:
  mode: on-prem
  targets:
    main:
      provider: kubernetes
      context: {CONTEXT}
      residency: eu
      edge: true
      egress: [{NODE_ADDRESS}/32]
      present: [kuberay, prometheus, external-secrets, cloudnative-pg]
      secretStores: {{vault: {{via: external-secrets, store: vault}}}}
  placement: {{default: main}}
stores:
  lake: {{type: object, adopt: loans-lake, endpoint: "http://s3.storage:9000", credentials: "secret://vault/lake"}}
  runs: {{type: database}}
registry: {{database: runs, artifacts: lake}}
compute: {{small: {{cpu: 200m, memory: 1Gi}}}} # all of it has to fit on a node of two CPUs
data:
  applications:
    store: lake
    path: applications/
    format: parquet
    schema: {{amount: number, income: number, decided: timestamp, repaid: boolean}}
    features: [amount, income]
    label: repaid
    timestamp: decided
models:
  repayment:
    task: binary-classification
    framework: scikit-learn
    validation: {{auc: {{metric: auc_roc, min: 0.8}}}}
pipelines:
  retrain:
    type: training
    model: repayment
    inputs: [applications]
    compute: small
    parameters: {{max_iter: 20}}
    schedule: {{cron: "0 4 * * 0", timeZone: Europe/Berlin}}
    split: {{by: time, fraction: 20%}}
    timeout: 30m
    retries: 0
inference:
  decide:
    variants: {{champion: {{model: repayment@champion}}}}
    compute: small
    replicas: 1
    slo: {{availability: 99.5%}}
    endpoint: {{auth: {{type: bearer-token, token: "secret://vault/decide#token"}}}}
channels:
  oncall: {{type: webhook, url: "secret://vault/oncall#url"}}
"""
MLFLOW = f"http://mlflow.{SYSTEM}.svc.cluster.local:5000"
TOKEN = "the-token-of-the-branches"
KEYS = {"AWS_ACCESS_KEY_ID": "loans", "AWS_SECRET_ACCESS_KEY": "the key of the lake", "AWS_DEFAULT_REGION": "eu-1"}
RECEIVER = "http://127.0.0.1:9080/pages"
SECRETS = {
    "vault.lake": {"access-key-id": KEYS["AWS_ACCESS_KEY_ID"], "secret-access-key": KEYS["AWS_SECRET_ACCESS_KEY"]},
    "vault.decide": {"token": TOKEN},
    "vault.oncall": {"url": RECEIVER},
    "runs-app": {"username": "runs", "password": "the password of runs"},
}
PROGRAMS = Path(__file__).parent / "programs" / "life"
ROWS = {"instances": [{"amount": 9.0, "income": 1.0}, {"amount": 1.0, "income": 9.0}]}


@dataclass(frozen=True, slots=True)
class Loans:
    """The running system and its users' actions."""

    cluster: WholeKubernetes
    monitoring: Monitoring
    python: Path
    spec: Path
    pages: Path

    def train(self, run: str) -> None:
        """Start a pipeline run outside its schedule, as the emitted README describes."""
        self.cluster.kubectl.run("create", "job", run, "--from=cronjob/retrain", "--namespace", SYSTEM)

    def promote(self, run: str) -> None:
        """Start the promoter outside its schedule."""
        self.cluster.kubectl.run("create", "job", run, "--from=cronjob/promoter", "--namespace", SYSTEM)

    def approve(self, name: str, spec: Path | None = None) -> None:
        """Run `modelyard approve` for version 1 with a person's key, as the emitted README describes."""
        options = (
            "--model",
            "repayment",
            "--version",
            "1",
            "--registry",
            MLFLOW,
            "--key",
            str(self.spec.parent / name),
        )
        program = (sys.executable, "-m", "modelyard", "approve", str(spec or self.spec), *options)
        self._with_login(*program)

    def has_ended(self, run: str) -> bool:
        """Return whether a run has succeeded. If it failed, raise AssertionError with its output."""
        conditions = "{.status.conditions[?(@.status=='True')].type}"
        ended = self.cluster.kubectl.value("job", run, conditions, SYSTEM)
        assert "Failed" not in ended, self.logs()
        return "Complete" in ended

    def logs(self) -> str:
        """Return the last log lines of each container in the system."""
        pods = cast("list[Any]", self.cluster.kubectl.all("pods", SYSTEM))
        names = [(pod["metadata"]["name"], spec["name"]) for pod in pods for spec in pod["spec"]["containers"]]
        texts = [self._log(pod, container) for pod, container in names]
        return "\n".join(f"--- {pod} {container}\n{text}" for (pod, container), text in zip(names, texts, strict=True))

    def registry(self) -> Any:
        """Return the model's `versions`, `aliases` and alias `moves` from MLflow."""
        program = (str(self.python), str(PROGRAMS / "registry.py"), MLFLOW)
        return json.loads(self._with_login(*program, f"{SYSTEM}-repayment", f"{SYSTEM}/{SYSTEM}-repayment/aliases"))

    def ask(self, token: str) -> tuple[int, Any]:
        """Send a request to the endpoint. Return the status (0 without a response) and the response."""
        url = self.address("decide-serve-svc", 8000) + "/"
        program = (sys.executable, str(PROGRAMS / "ask.py"), url, token, json.dumps(ROWS))
        status, answer = json.loads(self.cluster.run(*program))
        return status, answer

    def address(self, service: str, port: int) -> str:
        """Return the URL of a Service by its IP address."""
        obj = cast(Any, self.cluster.kubectl.get("service", service, SYSTEM))
        return f"http://{obj['spec']['clusterIP']}:{port}"

    def alerts(self) -> set[tuple[str, str, str]]:
        """Return the status, name and workload of each alert that the receiver got."""
        lines = self.pages.read_text().splitlines() if self.pages.exists() else []
        received = [alert for line in lines for alert in json.loads(line)["alerts"]]
        return {
            (alert["status"], alert["labels"]["alertname"], alert["labels"]["modelyard_dev_workload"])
            for alert in received
        }

    def _with_login(self, *program: str) -> str:
        """Run a program with MLflow's administrator login and name resolution, and return its output."""
        data = cast("dict[str, str]", self.cluster.kubectl.get("secret", "mlflow-admin", SYSTEM)["data"])
        login = [
            f"MLFLOW_TRACKING_{part.upper()}={base64.b64decode(data[part]).decode()}"
            for part in ("username", "password")
        ]
        return self.cluster.run(*self.cluster.by_name, "env", *login, *program)

    def _log(self, pod: str, container: str) -> str:
        lines = ("--tail=60", "--ignore-errors")
        return self.cluster.kubectl.run("logs", pod, f"--container={container}", "--namespace", SYSTEM, *lines)


@pytest.fixture(scope="module")
def loans(
    whole_kubernetes: WholeKubernetes,
    base_image: Path,
    built: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Loans]:
    """Compile the system, build and load its image, and deploy it with the real engine."""
    for program in ("prometheus", "alertmanager", "prometheus-operator"):
        built(program)
    assert base_image.exists()
    folder = tmp_path_factory.mktemp("loans")
    spec = _spec(folder)
    outcome = compile_system(Inputs(InputFile("loans/system.yaml", spec.read_text()), None, None), TARGETS)
    project = written(outcome, folder / "build") / "main"
    name = _image(project)
    whole_kubernetes.load(image.build(project / "image", name))
    texts = (REPOSITORY / "runtime/modelyard_runtime/requirements.txt", REPOSITORY / "tests/runtime/requirements.txt")
    python = environments.environment("\n".join(map(Path.read_text, texts)))
    with ExitStack() as running:
        running.callback(_remove, whole_kubernetes)
        processes = running.enter_context(Processes(folder / "services", whole_kubernetes.within))
        running.enter_context(_database(whole_kubernetes, processes, python))
        _start_services(whole_kubernetes, processes, python, folder)
        _bring_up(whole_kubernetes, project / "workloads", folder)
        values = prometheus_values(context_for(plan_of(spec.read_text()), "main", runtime_image=name))
        instances = [cast(Any, values)[name][f"{name}Spec"] for name in ("prometheus", "alertmanager")]
        watched = running.enter_context(monitoring(whole_kubernetes, folder / "monitoring", *instances))
        yield Loans(whole_kubernetes, watched, python, spec, folder / "pages")


def _remove(cluster: WholeKubernetes) -> None:
    """Clean up the node for other tests."""
    cluster.kubectl.run("delete", "namespace", SYSTEM, "storage", "--ignore-not-found", seconds=300)


def _spec(folder: Path) -> Path:
    """Write the spec with two people's keys, and a spec with a stranger's key next to it."""
    keys = {name: _key(folder / name) for name in ("credit-risk", "compliance", "stranger")}
    text = SPEC.replace("COMPLIANCE", keys["compliance"])
    (folder / "forged.yaml").write_text(text.replace("CREDIT-RISK", keys["stranger"]))
    (folder / "system.yaml").write_text(text.replace("CREDIT-RISK", keys["credit-risk"]))
    return folder / "system.yaml"


def _key(path: Path) -> str:
    """Create an SSH key and return its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", path], check=True)
    return path.with_suffix(".pub").read_text().strip()


def _image(project: Path) -> str:
    lines = (project / "workloads" / "manifests" / "registry.yaml").read_text().splitlines()
    (name,) = {line.partition("image: ")[2].strip() for line in lines if "image: " in line}
    return name


@contextmanager
def _database(cluster: WholeKubernetes, processes: Processes, python: Path) -> Generator[None]:
    """Run PostgreSQL as a non-root user, with the database and owner that CloudNativePG would create."""
    programs = next(python.parent.parent.glob("lib/python*/site-packages/pgserver/pginstall/bin"))
    login = SECRETS["runs-app"]
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        data = Path(name)
        data.chmod(0o777)
        as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        cluster.run(*as_nobody, str(programs / "initdb"), f"--pgdata={data / 'data'}", "--auth=trust", "--username=pg")
        (data / "data" / "pg_hba.conf").write_text("local all all trust\nhost all all 0.0.0.0/0 scram-sha-256\n")
        settings = (f"listen_addresses={NODE_ADDRESS}", f"unix_socket_directories={data}")
        options = [part for setting in settings for part in ("-c", setting)]
        processes.start("postgresql", *as_nobody, programs / "postgres", "-D", data / "data", *options)
        psql = (str(programs / "psql"), f"--host={data}", "--username=pg", "--dbname=postgres")
        # The port is open before the server is ready.
        ready = (*cluster.within, str(programs / "pg_isready"), "--quiet", f"--host={data}")
        processes.wait_until(lambda: not subprocess.run(ready, check=False).returncode, "PostgreSQL is ready", 900)
        cluster.run(*psql, f"--command=CREATE ROLE runs LOGIN PASSWORD '{login['password']}'")
        cluster.run(*psql, "--command=CREATE DATABASE runs OWNER runs")
        yield


def _start_services(cluster: WholeKubernetes, processes: Processes, python: Path, folder: Path) -> None:
    """Start S3 with the training data, and start the receiver of alerts."""
    url = f"http://{NODE_ADDRESS}:9000"
    # Without this variable, moto mistakes a Service's name for a bucket's name.
    by_path = {**os.environ, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    moto = python.parent / "moto_server"
    processes.start("s3", moto, f"--host={NODE_ADDRESS}", "--port=9000", environment=by_path)
    processes.start("receiver", sys.executable, PROGRAMS / "receive.py", RECEIVER, folder / "pages")
    processes.wait_until(lambda: cluster.reaches(f"{url}/moto-api/data.json"), "S3 answers", 900)
    keys = [f"{name}={value}" for name, value in KEYS.items()]
    cluster.run("env", *keys, str(python), str(PROGRAMS / "seed.py"), url, "loans-lake", "applications/rows.parquet")
    cluster.kubectl.apply([_namespace("storage"), _service("s3", "storage", 9000), on_the_node("s3", "storage", 9000)])


def _bring_up(cluster: WholeKubernetes, project: Path, folder: Path) -> None:
    """Run `pulumi up`, and create the Secrets and the database's Service as soon as the namespace exists."""
    kubectl = cluster.kubectl
    python = environments.program_environment(project / "requirements.txt")
    stack = PulumiStack(project, "default", folder / "pulumi", python, within=cluster.within)
    stack.configure("kubeconfig", cluster.kubeconfig.read_text(), secret=True)
    up = stack.start("up")
    try:
        kubectl.wait_until(lambda: up.ended or kubectl.answers("get", "namespace", SYSTEM), "there is a namespace", 900)
        kubectl.apply([_secret(name, texts) for name, texts in SECRETS.items()])
        kubectl.apply([_service("runs-rw", SYSTEM, 5432), on_the_node("runs-rw", SYSTEM, 5432)])
    finally:
        outcome = up.wait(600)
    assert outcome.succeeded, outcome.text[-6000:]


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _service(name: str, namespace: str, port: int) -> Object:
    """Return a Service without endpoints."""
    spec: Object = {"ports": [{"port": port}], "clusterIP": "None"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _secret(name: str, texts: dict[str, str]) -> Object:
    meta: Object = {"name": name, "namespace": SYSTEM}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": dict(texts)}


def test_system_lifecycle(loans: Loans) -> None:
    """A trained version waits for approval and raises an alert. Once approved, it is served despite a killed Pod."""
    kubectl = loans.cluster.kubectl

    loans.train("retrain-first")
    kubectl.wait_until(lambda: loans.has_ended("retrain-first"), "the first run has ended", 900)
    assert loans.registry() == {"versions": ["1"], "aliases": {}, "moves": []}
    assert loans.ask(TOKEN)[0] == 503

    waiting = ("firing", "ModelyardApprovalWaiting", "pipelines.retrain")
    kubectl.wait_until(lambda: waiting in loans.alerts(), "the receiver has the alert about the approval", 900)
    for port in range(3):  # the metrics ports of Ray, its autoscaler and its dashboard
        assert {"up"} == {*loans.monitoring.targets(f"podMonitor/{SYSTEM}/ray-heads/{port}")}

    loans.approve("compliance")
    loans.approve("stranger", loans.spec.with_name("forged.yaml"))
    loans.promote("promote-in-vain")
    kubectl.wait_until(
        lambda: loans.has_ended("promote-in-vain"), "the promoter has looked at the forged approval", 240
    )
    assert loans.registry() == {"versions": ["1"], "aliases": {}, "moves": []}

    loans.approve("credit-risk")
    kubectl.wait_until(lambda: loans.registry()["aliases"] == {"champion": "1"}, "version 1 is promoted", 900)
    by = ["compliance", "credit-risk"]
    kubectl.wait_until(lambda: bool(loans.registry()["moves"]), "the history has it", 30)
    assert loans.registry()["moves"] == [{"action": "promote", "version": "1", "by": by}]
    kubectl.wait_until(lambda: loans.ask(TOKEN)[0] == 200, "the endpoint answers with it", 900)
    _, answer = loans.ask(TOKEN)
    assert [bool(value) for value in answer["predictions"]] == [False, True]
    assert loans.ask("the token of somebody else")[0] == 401
    kubectl.wait_until(lambda: not loans.monitoring.fires("ModelyardApprovalWaiting"), "nothing waits any more", 900)

    (worker,) = cast(
        "list[Any]", kubectl.all("pods", SYSTEM, "modelyard.dev/workload=inference.decide,ray.io/node-type=worker")
    )
    kubectl.run("delete", "pod", worker["metadata"]["name"], "--namespace", SYSTEM, "--grace-period=0", "--force")
    kubectl.wait_until(lambda: loans.ask(TOKEN)[0] != 200, "the endpoint has lost its replica", 900)
    kubectl.wait_until(lambda: loans.ask(TOKEN)[0] == 200, "another replica answers", 900)


def test_mlflow_requires_a_login(loans: Loans) -> None:
    """A request from the cluster's network is refused without a login. NetworkPolicies are not enforced here."""
    url = f"{MLFLOW}/api/2.0/mlflow/registered-models/search"
    with pytest.raises(RuntimeError, match="HTTP Error 401"):
        loans.cluster.fetch(url)
