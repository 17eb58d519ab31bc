"""Runs kubectl for one cluster and returns parsed output."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import yaml

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
Object: TypeAlias = "dict[str, Json]"
"""A Kubernetes object as the API server returns it."""


class Refused(AssertionError):
    """kubectl failed. The message contains its error output."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with a kubeconfig. `within` is a prefix for every command."""

    binary: Path
    kubeconfig: Path
    within: tuple[str, ...] = ()

    def run(self, *arguments: str | Path, stdin: str | None = None, seconds: float = 300) -> str:
        """Run a command and return its output. Raises Refused with kubectl's message on failure."""
        return self._done(arguments, stdin, seconds).stdout

    def answers(self, *arguments: str | Path) -> bool:
        """Return whether the command succeeds."""
        try:
            self._done(arguments, None, 10)
        except (Refused, subprocess.TimeoutExpired):
            return False
        return True

    def apply(self, *manifests: Path | Iterable[Object]) -> None:
        """Apply files, folders or objects with server-side apply."""
        for manifest in manifests:
            if isinstance(manifest, Path):
                self.run("apply", "--server-side", "--force-conflicts", "-f", manifest)
            else:
                self.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=as_list(manifest))

    def apply_strict(self, manifests: Path) -> tuple[str, ...]:
        """Validate all manifests on the API server using strict field validation, without changing anything.

        Returns the API server's warnings, or raises Refused with its errors. Namespaces in the manifests are actually
        created, since other objects can't be validated without them.
        """
        if namespaces := _namespaces(manifests):
            self.apply(namespaces)
        result = self._done(
            ("apply", "--server-side", "--validate=strict", "--dry-run=server", "-f", manifests), None, 300
        )
        return tuple(line for line in result.stderr.splitlines() if line.startswith("Warning:"))

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        """Return one object. Raise Refused if it does not exist."""
        return cast(Object, json.loads(self.run("get", kind, name, "--namespace", namespace, "--output=json")))

    def all(self, kind: str, namespace: str = "", selector: str = "") -> list[Object]:
        """Return all objects of a kind in the given namespace or in all namespaces."""
        where = ("--namespace", namespace) if namespace else ("--all-namespaces",)
        listing = json.loads(self.run("get", kind, *where, "--selector", selector, "--output=json"))
        return cast(list[Object], listing["items"])

    def value(self, kind: str, name: str, path: str, namespace: str = "default") -> str:
        """Return the result of a JSONPath such as `{.status.state}`, or "" if a field is missing."""
        return self.run("get", kind, name, "--namespace", namespace, f"--output=jsonpath={path}", "--ignore-not-found")

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 240) -> None:
        """Check a condition twice a second. Raises Refused with the cluster's warnings on timeout."""
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                raise Refused(f"not in time: {what}\n{self.run('get', 'pods', '-A', '-o', 'wide')}\n{self.warnings()}")
            time.sleep(0.5)

    @contextmanager
    def removing(self, *namespaces: str, seconds: float = 300) -> Generator[None]:
        """Delete namespaces when the `with` block ends, even if it fails, because their Pods use up the node's
        capacity.

        Pods get a second to end, because Ray's Pods would take all of their grace period.
        """
        try:
            yield
        finally:
            # A namespace that is being deleted gets no new Pods in place of the deleted ones.
            self.run("delete", "namespace", *namespaces, "--ignore-not-found", "--wait=false")
            for namespace in namespaces:
                self.run("delete", "pods", "--all", "--namespace", namespace, "--grace-period=1", "--wait=false")
            self.run("delete", "namespace", *namespaces, "--ignore-not-found", seconds=seconds)

    def warnings(self) -> str:
        """Return the cluster's warning events, one per line."""
        columns = "custom-columns=:involvedObject.kind,:involvedObject.name,:reason,:message"
        return self.run("get", "events", "-A", "--field-selector=type=Warning", "--no-headers", "--output", columns)

    def _done(
        self, arguments: Iterable[str | Path], stdin: str | None, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        command = [*self.within, str(self.binary), f"--kubeconfig={self.kubeconfig}", *map(str, arguments)]
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds, check=False)
        if result.returncode:
            raise Refused(f"kubectl {' '.join(map(str, arguments))}: {result.stderr.strip()}")
        return result


def as_list(objects: Iterable[Object]) -> str:
    """Return the objects as one document that kubectl accepts."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _namespaces(manifests: Path) -> list[Object]:
    """Return the namespaces in manifests, plus a bare Namespace object for each one that is only referenced."""
    files = sorted(manifests.glob("*.yaml")) if manifests.is_dir() else [manifests]
    documents = [document for file in files for document in yaml.safe_load_all(file.read_text()) if document]
    by_name: dict[str, Object] = {}
    for document in documents:
        if name := document["metadata"].get("namespace"):
            by_name[name] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for document in documents:
        if document["kind"] == "Namespace":
            by_name[document["metadata"]["name"]] = document
    return list(by_name.values())
