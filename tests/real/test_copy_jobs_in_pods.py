"""Runs a plan's copy Jobs as Pods, using the printed commands, from S3 in the cluster to Azure's Blob Storage and back.

The manifests are applied as `modelyard migrate` writes them, in the old side's namespace with its policies and quotas.
Only the image differs: rclone is Debian's, under the emitted name, and trusts the test's certificate authority.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from modelyard.manifest import RESTRICTED
from modelyard_targets.kube.project.copying import IMAGE
from testbed import npm
from testbed.image import write_archive
from testbed.kubernetes import enforcer
from testbed.kubernetes.control_plane import CONTEXT
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.whole_kubernetes import NODE, PAUSE, WholeKubernetes
from testbed.places import binary
from testbed.processes import Processes
from tests.emitted import emitted
from tests.lake import lake_at
from tests.real.test_copies import KEY, signed
from tests.runtime.storage.azure_on_loopback.certificates import Certificates

SPEC = lake_at("http://s3.stores.svc:9000")
OVERLAY = "deployment: {mode: cloud}\nstores: {lake: {endpoint: null, credentials: null}}\n"
OBJECTS = {f"visits/day={day}/part.parquet": os.urandom(1000 * day) for day in range(1, 30)}
LATER = {"visits/later.parquet": b"later"}

_SYSTEM, _STORES = "lake", "stores"
_GUARDS = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy")
_SLOW = {"RCLONE_TPSLIMIT": "2"}
"""A limit on requests per second, so that a copy can be killed in the middle."""
_EDITOR = """\
#!{python}
import json, pathlib, sys
file = pathlib.Path(sys.argv[1])
values = json.loads(pathlib.Path("logins.json").read_text())
lines = [line + values.pop(line[:-1], "") if line.endswith("=") else line for line in file.read_text().splitlines()]
file.write_text("\\n".join([*lines, *(f"{{name}}={{value}}" for name, value in values.items()), ""]))
"""
"""The person's editor, which fills in the file with the logins."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The stores of both sides, and the folder in which a person carries out the plan."""

    cluster: WholeKubernetes
    folder: Path
    old: str
    new: str
    signed_url: str

    def rclone(self, *words: str) -> str:
        """Run rclone on the node, where no policy applies."""
        settings = {
            "RCLONE_CONFIG_OLD_TYPE": "s3",
            "RCLONE_CONFIG_OLD_PROVIDER": "Other",
            "RCLONE_CONFIG_OLD_ENDPOINT": "http://s3.stores.svc.cluster.local:9000",
            "RCLONE_CONFIG_OLD_ACCESS_KEY_ID": "id",
            "RCLONE_CONFIG_OLD_SECRET_ACCESS_KEY": "key",
            "RCLONE_CONFIG_NEW_TYPE": "azureblob",
            "RCLONE_CONFIG_NEW_SAS_URL": self.signed_url,
            "RCLONE_CONFIG": "/dev/null",
            "SSL_CERT_FILE": str(self.folder / "ca.pem"),
        }
        given = (f"{name}={value}" for name, value in settings.items())
        return self.cluster.run(*self.cluster.by_name, "env", "--unset=AWS_CA_BUNDLE", *given, "rclone", *words)

    def fill(self, store: str, objects: Mapping[str, bytes]) -> None:
        """Write objects, by name, into a store."""
        source = self.folder / "objects"
        for name, content in objects.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
        self.rclone("copy", str(source), store)
        shutil.rmtree(source)

    def names(self, store: str) -> set[str]:
        """Return the names of a store's objects."""
        return {*self.rclone("lsf", "-R", "--files-only", store).split()}

    def checksums(self, store: str) -> dict[str, str]:
        """Read all objects of a store, and return their checksums by name."""
        sink = self.folder / "read"
        self.rclone("copy", store, str(sink))
        found = {file.relative_to(sink).as_posix(): file.read_bytes() for file in sink.rglob("*") if file.is_file()}
        shutil.rmtree(sink)
        return checksums(found)

    def log_in(self, options: Mapping[str, str]) -> None:
        """Store the logins as the plan describes, with more of rclone's options in the same Secret."""
        values = {"RCLONE_CONFIG_NEW_LAKE_SAS_URL": self.signed_url, "RCLONE_LOG_LEVEL": "INFO", **options}
        (self.folder / "logins.json").write_text(json.dumps(values))
        self._person(self._commands("5-data", "logins.example"))

    def start(self, phase: str, job: str) -> str:
        """Start a Job, enforce the policies for its Pod, and return the Pod's name."""
        self._person(self._commands(phase, f"{job}.yaml")[:2])
        return self.admit(job)

    def admit(self, job: str, *earlier: str) -> str:
        """Wait until a Job's new Pod has an address, and enforce the policies for it, as a network plugin does."""
        names: set[str] = set()

        def has_address() -> bool:
            pods = cast("list[Any]", self.cluster.kubectl.all("pods", _SYSTEM, f"app.kubernetes.io/name={job}"))
            names.update(pod["metadata"]["name"] for pod in pods if "podIP" in pod["status"])
            return bool(names.difference(earlier))

        self.cluster.kubectl.wait_until(has_address, f"{job} has a Pod", 120)
        enforcer.enforce(self.cluster, held=True)
        (name,) = names.difference(earlier)
        return name

    def end(self, phase: str, job: str) -> tuple[str, str]:
        """Wait for a Job as the plan describes, and return what is printed first and its log."""
        condition, _, log = self._person(self._commands(phase, f"{job}.yaml")[2:]).partition("\n")
        return condition, log

    def run(self, phase: str, job: str) -> tuple[str, str]:
        """Start a Job and wait for it."""
        self.start(phase, job)
        return self.end(phase, job)

    def _commands(self, phase: str, file: str) -> list[str]:
        """Return the commands of the step whose first two commands name a file of the plan."""
        plan = json.loads((self.folder / "migration/migration.json").read_text())
        (steps,) = [[*each["do"], *each["check"]] for each in plan["phases"] if each["name"] == phase]
        (commands,) = [
            step["inCluster"]["commands"]
            for step in steps
            if step["inCluster"] and any(f"/{file}" in command for command in step["inCluster"]["commands"][:2])
        ]
        return [command.replace("sleep 10", "sleep 1") for command in commands]

    def _person(self, commands: list[str]) -> str:
        environment = {
            "HOME": str(self.folder),
            "PATH": f"{binary('kubectl').parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "EDITOR": str(self.folder / "editor"),
        }
        done = subprocess.run(
            [*self.cluster.within, "bash", "-euo", "pipefail", "-c", "\n".join(commands)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{commands}: {done.stdout}{done.stderr}\n{self.cluster.kubectl.warnings()}"
        return done.stdout


def checksums(objects: Mapping[str, bytes]) -> dict[str, str]:
    """Return the checksums of objects, by name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in objects.items()}


@pytest.fixture
def sides(whole_kubernetes: WholeKubernetes, rclone: None, azurite: None, tmp_path: Path) -> Iterator[Sides]:
    """Run both stores in Pods, plan the move, and prepare the old side's namespace and the node's image of rclone."""
    _plan(whole_kubernetes, tmp_path)
    configuration = (tmp_path / "migration/phases/5-data/migration-copy-lake.yaml").read_text()
    (account,) = re.findall(r"account = (\S+)", configuration)
    (old, new) = re.findall(r"- (?:old|new)_lake:(\S+)", configuration)
    host = f"{account}.blob.core.windows.net"
    certificates = Certificates(tmp_path, [host])
    whole_kubernetes.load(_rclone_image(tmp_path, certificates.authority))
    name, _, digest = IMAGE.partition("@")
    whole_kubernetes.rename(name, f"{name.rpartition(':')[0]}@{digest}")  # containerd looks it up without its tag
    kubectl = whole_kubernetes.kubectl
    with kubectl.removing(_STORES, _SYSTEM), Processes(tmp_path, whole_kubernetes.within) as processes:
        kubectl.apply(_store_objects())
        kubectl.run("wait", "--for=condition=Ready", "pods", "--all", f"--namespace={_STORES}", "--timeout=120s")
        addresses = _serve(whole_kubernetes, processes, certificates, account)
        whole_kubernetes.answer({host: addresses["azure"]})
        _wait_for(whole_kubernetes, processes, addresses)
        kubectl.apply(_namespace())
        given = Sides(whole_kubernetes, tmp_path, f"old:{old}", f"new:{new}", f"https://{host}?{signed(account)}")
        for store in (given.old, given.new):
            given.rclone("mkdir", store)
        enforcer.enforce(whole_kubernetes, held=True)
        try:
            yield given
        finally:
            enforcer.stop(whole_kubernetes)


def test_copy_jobs_survive_a_killed_pod_and_lose_nothing(sides: Sides) -> None:
    """A killed copy resumes with the objects that are missing, and a comparison names what differs.

    Later changes are copied in both directions.
    """
    sides.fill(sides.old, OBJECTS)
    sides.log_in(_SLOW)
    killed = sides.start("5-data", "migration-copy-lake")
    sides.cluster.kubectl.wait_until(lambda: bool(sides.names(sides.new)), "the first object arrives", 120)
    sides.log_in({})
    sides.cluster.kubectl.run("delete", "pod", killed, f"--namespace={_SYSTEM}", "--grace-period=1")
    before = sides.names(sides.new)
    sides.admit("migration-copy-lake", killed)
    copied, log = sides.end("5-data", "migration-copy-lake")
    equal, _ = sides.run("5-data", "migration-check-lake")
    after = sides.checksums(sides.new)

    sides.fill(sides.old, LATER)
    differs, differences = sides.run("8-freeze", "migration-check-lake")
    frozen = [sides.run("8-freeze", f"migration-{verb}-lake")[0] for verb in ("copy", "check")]
    sides.rclone("delete", sides.old)
    back = [sides.run("10-watch", f"migration-{verb}-back-lake")[0] for verb in ("copy", "check")]

    assert 0 < len(before) < len(OBJECTS)
    assert copied.endswith("Complete")
    assert {*re.findall(r"(visits/\S+): Copied", log)} == OBJECTS.keys() - before
    assert equal.endswith("Complete")
    assert after == checksums(OBJECTS)
    assert differs.endswith("Failed")
    assert [*LATER] == [line for line in differences.splitlines() if line in OBJECTS.keys() | LATER.keys()]
    assert [condition.rpartition(" ")[2] for condition in (*frozen, *back)] == ["Complete"] * 4
    assert sides.checksums(sides.old) == checksums({**OBJECTS, **LATER})


def _plan(cluster: WholeKubernetes, folder: Path) -> None:
    """Write the spec, its plan, and what the person who carries it out has."""
    (folder / "system.yaml").write_text(SPEC)
    (folder / "azure.yaml").write_text(OVERLAY)
    command = [sys.executable, "-m", "modelyard", "migrate", ".", "--to", "azure:westeurope", "--overlay", "azure.yaml"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "kubeconfig").write_bytes(cluster.kubeconfig.read_bytes())
    cluster.kubectl.run("config", f"--kubeconfig={folder}/kubeconfig", "rename-context", CONTEXT, "plant")
    editor = folder / "editor"
    editor.write_text(_EDITOR.format(python=sys.executable))
    editor.chmod(0o755)


def _rclone_image(folder: Path, authority: Path) -> Path:
    """Create an image like rclone's own, with this machine's rclone and an authority that it trusts."""
    program = shutil.which("rclone") or "/usr/bin/rclone"
    libraries = re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program], capture_output=True, text=True).stdout)
    root = folder / "rclone"
    for source, place in (
        *((library, library) for library in libraries),
        (program, "/usr/local/bin/rclone"),
        (str(authority), "/etc/ssl/certs/ca-certificates.crt"),
    ):
        (root / place[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / place[1:])
    (root / "data").mkdir()
    archive = folder / "rclone.tar"
    environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "XDG_CONFIG_HOME=/config"]
    config: dict[str, object] = {"Env": environment, "Entrypoint": ["rclone"], "WorkingDir": "/data"}
    write_archive(root, IMAGE.partition("@")[0], archive, config)
    return archive


def _namespace() -> list[Object]:
    """Return the old side's namespace with everything that restricts its Pods, and the Secret with the store's key."""
    guards = [each for each in emitted(SPEC) if each["kind"] in _GUARDS]
    ours = [each for each in guards if _SYSTEM in (each["metadata"].get("namespace"), each["metadata"]["name"])]
    keys = {"access-key-id": "id", "secret-access-key": "key"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "lake", "namespace": _SYSTEM},
        "stringData": keys,
    }
    return [*ours, cast("Object", secret)]


def _store_objects() -> list[Object]:
    """Return a Pod for each store, whose server runs on the node in the Pod's network, and the Service of S3."""
    text = f"""\
- {{apiVersion: v1, kind: Namespace, metadata: {{name: {_STORES}}}}}
- apiVersion: v1
  kind: Service
  metadata: {{name: s3, namespace: {_STORES}}}
  spec: {{clusterIP: None, selector: {{app: s3}}, ports: [{{port: 9000}}]}}
"""
    return [*yaml.safe_load(text), *(_store_pod(name) for name in ("s3", "azure"))]


def _store_pod(name: str) -> Object:
    container = {
        "name": "pause",
        "image": PAUSE,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": dict(RESTRICTED),
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}},
    }
    described = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": _STORES, "labels": {"app": name}},
        "spec": {"nodeName": NODE, "terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    return cast("Object", described)


def _serve(cluster: WholeKubernetes, running: Processes, certificates: Certificates, account: str) -> dict[str, str]:
    """Start the stores in the network of their Pods, and return the addresses by name."""
    pods = cast("list[Any]", cluster.kubectl.all("pods", _STORES))
    addresses: dict[str, str] = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in pods}
    within = cluster.network_namespaces()
    entered = {name: ("ip", "netns", "exec", within[address]) for name, address in addresses.items()}
    # Otherwise, moto takes a part of the Service's name for a bucket.
    settings = {**os.environ, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    command = (sys.executable, "-m", "moto.server", "-H", "0.0.0.0", "-p", "9000")
    running.start("s3", *entered["s3"], *command, environment=settings)
    tls = ("--cert", certificates.server, "--key", certificates.server_key)
    running.start(
        "azure",
        *entered["azure"],
        *npm.azurite("0.0.0.0", 443),
        *tls,
        environment={**os.environ, "AZURITE_ACCOUNTS": f"{account}:{KEY}"},
    )
    return addresses


def _wait_for(cluster: WholeKubernetes, running: Processes, addresses: Mapping[str, str]) -> None:
    running.wait_until(lambda: cluster.reaches(f"http://{addresses['s3']}:9000/"), "S3 answers", 120)
    running.wait_until(lambda: "listens on" in running.log("azure"), "Azurite answers", 120)
