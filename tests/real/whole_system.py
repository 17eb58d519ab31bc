"""Runs the system in `programs/life` in a complete Kubernetes cluster, with the emitted image.

Pulumi's engine deploys it. Some operators are replaced. PostgreSQL and S3 run on the node, and the test creates the
Secrets that External Secrets would copy. Alerts pass through Prometheus, its operator and Alertmanager. No controller
serves the Gateway, so requests go to each variant's Service.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard_targets import TARGETS
from modelyard_targets.kube.addons.addon_values import prometheus_values
from modelyard_targets.kube.placement.context import context_for
from testbed import environments, image
from testbed.kubernetes.kubectl import Object, Refused
from testbed.kubernetes.monitoring import Monitoring, monitoring, on_the_node
from testbed.kubernetes.whole_kubernetes import NODE_ADDRESS, WholeKubernetes
from testbed.places import REPOSITORY
from testbed.processes import Processes
from testbed.pulumi.stack import PulumiStack
from tests.plans import plan_of
from tests.real.test_examples import written

SYSTEM = "loans"
MLFLOW = f"http://mlflow.{SYSTEM}.svc.cluster.local:5000"
TOKEN = "the-token-of-the-branches"
_S3, _BUCKET = f"http://{NODE_ADDRESS}:9000", "loans-lake"
_KEYS = {"AWS_ACCESS_KEY_ID": "loans", "AWS_SECRET_ACCESS_KEY": "the key of the lake", "AWS_DEFAULT_REGION": "eu-1"}
_RECEIVER = "http://127.0.0.1:9080/pages"
_SECRETS = {
    "vault.lake": {"access-key-id": _KEYS["AWS_ACCESS_KEY_ID"], "secret-access-key": _KEYS["AWS_SECRET_ACCESS_KEY"]},
    "vault.decide": {"token": TOKEN},
    "vault.oncall": {"url": _RECEIVER},
    "runs-app": {"username": "runs", "password": "the password of runs"},
}
_PROGRAMS = Path(__file__).parent / "programs" / "life"
_ROWS = {"instances": [{"amount": 9.0, "income": 1.0}, {"amount": 1.0, "income": 9.0}]}


@dataclass(frozen=True, slots=True)
class Loans:
    """The running system, with the actions of its users."""

    cluster: WholeKubernetes
    monitoring: Monitoring
    python: Path
    spec: Path
    pages: Path
    stack: PulumiStack

    def start(self, run: str, workload: str) -> None:
        """Start a pipeline, a monitor or the promoter off schedule, as described in the emitted README."""
        self.cluster.kubectl.run("create", "job", run, f"--from=cronjob/{workload}", "--namespace", SYSTEM)

    def run(self, run: str, workload: str) -> None:
        """Start a workload outside its schedule, and wait until it ends."""
        self.start(run, workload)
        self.cluster.kubectl.wait_until(lambda: self.has_ended(run), f"{run} has ended", 600)

    def has_ended(self, run: str) -> bool:
        """Return whether a run has succeeded. Raise AssertionError if it failed."""
        conditions = "{.status.conditions[?(@.status=='True')].type}"
        ended = self.cluster.kubectl.value("job", run, conditions, SYSTEM)
        assert "Failed" not in ended, f"{run} has failed"
        return "Complete" in ended

    def running_workers(self, name: str) -> set[str]:
        """Return the running Ray worker Pods of a model server or pipeline run."""
        selector = f"app.kubernetes.io/name={name},ray.io/node-type=worker"
        pods = cast("list[Any]", self.cluster.kubectl.all("pods", SYSTEM, selector))
        return {pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] == "Running"}

    def kill_worker(self, name: str) -> str:
        """Kill the only running Ray worker of a model server or pipeline run and return its Pod's name."""
        (pod,) = self.running_workers(name)
        self.cluster.kubectl.run("delete", "pod", pod, "--namespace", SYSTEM, "--grace-period=0", "--force")
        return pod

    def approve(self, name: str, spec: Path | None = None) -> None:
        """Run `modelyard approve` for version 1 using a person's key, as described in the emitted README."""
        options = {
            "--model": "repayment",
            "--version": "1",
            "--registry": MLFLOW,
            "--key": str(self.spec.parent / name),
        }
        arguments = [part for option in options.items() for part in option]
        self._with_login(sys.executable, "-m", "modelyard", "approve", str(spec or self.spec), *arguments)

    def registry(self) -> Any:
        """Return the model's `versions`, `aliases` and alias `moves` from MLflow."""
        program = (str(self.python), str(_PROGRAMS / "registry.py"), MLFLOW)
        return json.loads(self._with_login(*program, f"{SYSTEM}-repayment", f"{SYSTEM}/{SYSTEM}-repayment/aliases"))

    def ask(self, variant: str, token: str = TOKEN) -> tuple[int, Any]:
        """Send a request to a variant and return the status (0 if there was no response) and the response."""
        service = cast(Any, self.cluster.kubectl.get("service", f"decide-{variant}-serve-svc", SYSTEM))
        url = f"http://{service['spec']['clusterIP']}:8000/"
        program = (sys.executable, str(_PROGRAMS / "ask.py"), url, token, json.dumps(_ROWS))
        status, answer = json.loads(self.cluster.run(*program))
        return status, answer

    def weights(self) -> dict[str, int]:
        """Return each variant's traffic share from the HTTPRoute, as a gateway controller would read it."""
        route = cast(Any, self.cluster.kubectl.get("httproute", "decide", SYSTEM))
        return {
            backend["name"]: backend["weight"] for rule in route["spec"]["rules"] for backend in rule["backendRefs"]
        }

    def add_rows(self, *, days_ago: tuple[int, int], rows_a_day: int, higher: float = 0) -> None:
        """Add loan applications for a range of days. Amounts match the training data, plus `higher`."""
        self._in_the_lake("arrive.py", *map(str, (*days_ago, rows_a_day, higher)))

    def written(self) -> set[str]:
        """Return the keys of the partitions that the batch job has written so far."""
        return written_keys(self.cluster.fetch(f"{_S3}/{_BUCKET}?list-type=2&prefix=decisions/day"))

    def decisions(self) -> dict[str, tuple[int, list[str], float]]:
        """Return the row count, model versions and error rate of each written partition."""
        partitions = json.loads(self._in_the_lake("decisions.py"))
        return {key: (rows, versions, errors) for key, (rows, versions, errors) in partitions.items()}

    def started_by_the_monitor(self) -> list[str]:
        """Return the Jobs that the monitor has started."""
        jobs = self.cluster.kubectl.all("jobs", SYSTEM, "modelyard.dev/started-by=monitor-shift")
        return [cast(Any, job)["metadata"]["name"] for job in jobs]

    def breaches(self) -> dict[str, float]:
        """Return the drift monitor's last result per feature from Prometheus: 1 for drift, otherwise 0."""
        series = f'modelyard_monitor_breach{{namespace="{SYSTEM}",monitor="shift",check="psi"}}'
        return self.monitoring.values(f"last_over_time({series}[1h])", "feature")

    def alerts(self) -> set[tuple[str, str, str]]:
        """Return the status, name and workload of each alert that the receiver got."""
        lines = self.pages.read_text().splitlines() if self.pages.exists() else []
        received = [alert for line in lines for alert in json.loads(line)["alerts"]]
        return {
            (alert["status"], alert["labels"]["alertname"], alert["labels"]["modelyard_dev_workload"])
            for alert in received
        }

    def objects(self) -> set[str]:
        """Return all of the system's Kubernetes objects, inside and outside its namespace."""
        kinds = self.cluster.kubectl.run("api-resources", "--verbs=list", "--output=name").split()
        options = ("--all-namespaces", f"--selector=modelyard.dev/system={SYSTEM}", "--output=name")
        return {*self.cluster.kubectl.run("get", ",".join(kinds), *options).split()}

    @contextmanager
    def logs_on_failure(self) -> Generator[None]:
        """Add the events, Pods and logs of the system to the error of a failed step."""
        try:
            yield
        except (AssertionError, RuntimeError) as failure:
            failure.add_note(self.cluster.kubectl.run("get", "pods,jobs,rayjobs", "--namespace", SYSTEM))
            failure.add_note(self.cluster.kubectl.warnings())
            failure.add_note(self._logs())
            raise

    def _logs(self) -> str:
        """Return the last log lines of each container in the system."""
        pods = cast("list[Any]", self.cluster.kubectl.all("pods", SYSTEM))
        names = [(pod["metadata"]["name"], spec["name"]) for pod in pods for spec in pod["spec"]["containers"]]
        return "\n".join(f"--- {pod} {container}\n{self._log(pod, container)}" for pod, container in names)

    def _log(self, pod: str, container: str) -> str:
        options = (f"--container={container}", "--namespace", SYSTEM, "--tail=60", "--ignore-errors")
        try:
            return self.cluster.kubectl.run("logs", pod, *options)
        except Refused:
            return "the Pod has gone, or its container has not started"

    def _with_login(self, *program: str) -> str:
        """Run a program with MLflow's admin login and the cluster's name resolution, and return its output."""
        data = cast("dict[str, str]", self.cluster.kubectl.get("secret", "mlflow-admin", SYSTEM)["data"])
        login = [
            f"MLFLOW_TRACKING_{part.upper()}={base64.b64decode(data[part]).decode()}"
            for part in ("username", "password")
        ]
        return self.cluster.run(*self.cluster.by_name, "env", *login, *program)

    def _in_the_lake(self, program: str, *arguments: str) -> str:
        """Run a program with the access keys of the lake and return its output."""
        path = str(_PROGRAMS / program)
        return self.cluster.run("env", *_variables(), str(self.python), path, _S3, _BUCKET, *arguments)


def written_keys(listing: str) -> set[str]:
    """Extract the keys of scored files from S3's response to a list request."""
    return set(re.findall(r"<Key>([^<]+\.scored\.parquet)</Key>", listing))


@contextmanager
def deployed(cluster: WholeKubernetes, folder: Path) -> Generator[Loans]:
    """Compile the system, build and load its image, and deploy it with Pulumi. Clean up the node on exit."""
    spec = _spec(folder)
    outcome = compile_system(Inputs(InputFile("loans/system.yaml", spec.read_text()), None, None), TARGETS)
    project = written(outcome, folder / "build") / "main"
    name = _image(project)
    cluster.load(image.build(project / "image", name))
    texts = (REPOSITORY / "runtime/modelyard_runtime/requirements.txt", REPOSITORY / "tests/runtime/requirements.txt")
    python = environments.environment("\n".join(map(Path.read_text, texts)))
    with ExitStack() as running:
        running.enter_context(cluster.kubectl.removing(SYSTEM, "storage"))
        processes = running.enter_context(Processes(folder / "services", cluster.within))
        running.enter_context(_database(cluster, processes, python))
        _start_services(cluster, processes, python, folder)
        stack = _bring_up(cluster, project / "workloads", folder)
        values = prometheus_values(context_for(plan_of(spec.read_text()), "main", runtime_image=name))
        instances = [cast(Any, values)[name][f"{name}Spec"] for name in ("prometheus", "alertmanager")]
        watched = running.enter_context(monitoring(cluster, folder / "monitoring", *instances))
        yield Loans(cluster, watched, python, spec, folder / "pages", stack)


def _variables() -> list[str]:
    """Return the access keys of the lake as arguments of `env`."""
    return [f"{name}={value}" for name, value in _KEYS.items()]


def _spec(folder: Path) -> Path:
    """Write the spec with two approvers' keys, alongside a forged spec with a stranger's key."""
    keys = {name: _key(folder / name) for name in ("credit-risk", "compliance", "stranger")}
    text = (_PROGRAMS / "system.yaml").read_text().replace("COMPLIANCE", keys["compliance"])
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
    login = _SECRETS["runs-app"]
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
    # Without this variable, moto mistakes a Service's name for a bucket's name.
    by_path = {**os.environ, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    moto = python.parent / "moto_server"
    processes.start("s3", moto, f"--host={NODE_ADDRESS}", "--port=9000", environment=by_path)
    processes.start("receiver", sys.executable, _PROGRAMS / "receive.py", _RECEIVER, folder / "pages")
    processes.wait_until(lambda: cluster.reaches(f"{_S3}/moto-api/data.json"), "S3 answers", 900)
    seed = (str(python), str(_PROGRAMS / "seed.py"))
    cluster.run("env", *_variables(), *seed, _S3, _BUCKET, "applications/rows.parquet")
    cluster.kubectl.apply([_namespace("storage"), _service("s3", "storage", 9000), on_the_node("s3", "storage", 9000)])


def _bring_up(cluster: WholeKubernetes, project: Path, folder: Path) -> PulumiStack:
    """Run `pulumi up`, creating the Secrets and the database Service once the namespace exists."""
    kubectl = cluster.kubectl
    python = environments.program_environment(project / "requirements.txt")
    stack = PulumiStack(project, "default", folder / "pulumi", python, within=cluster.within)
    stack.configure("kubeconfig", cluster.kubeconfig.read_text(), secret=True)
    stack.configure("protect", "false")  # as the emitted README requires before `pulumi destroy`
    up = stack.start("up")
    try:
        kubectl.wait_until(lambda: up.ended or kubectl.answers("get", "namespace", SYSTEM), "there is a namespace", 900)
        kubectl.apply([_secret(name, texts) for name, texts in _SECRETS.items()])
        kubectl.apply([_service("runs-rw", SYSTEM, 5432), on_the_node("runs-rw", SYSTEM, 5432)])
    finally:
        outcome = up.wait(600)
    assert outcome.succeeded, outcome.text[-6000:]
    return stack


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _service(name: str, namespace: str, port: int) -> Object:
    """Return a headless Service without a selector, which therefore gets no endpoints of its own."""
    spec: Object = {"ports": [{"port": port}], "clusterIP": "None"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _secret(name: str, texts: dict[str, str]) -> Object:
    meta: Object = {"name": name, "namespace": SYSTEM}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": dict(texts)}
