"""Helpers that run a command and inspect its output and files, and the spec used by most tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

COMMAND = [sys.executable, "-m", "modelyard"]
SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: churn}
governance: {owner: {team: growth, email: growth@acme.example}}
vars:
  replicas: {type: integer, default: 1, description: How many., min: 1, max: 8}
deployment: {mode: on-prem, provider: kubernetes, context: here}
registry: {adopt: "https://mlflow.acme.example", credentials: "secret://kubernetes/mlflow"}
models: {churn: {task: binary-classification, framework: xgboost}}
inference:
  score:
    variants: {only: {model: churn@champion}}
    compute: {cpu: 1, memory: 2Gi}
    replicas: "${vars.replicas}"
environments:
  prod: {inference: {score: {replicas: {min: 2, max: 4}}}}
"""


class CommandResult:
    """The exit code and output of a command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., CommandResult]


def many_endpoints(memory_gib: Iterable[int]) -> str:
    """Return the spec with one endpoint for each of the given memory sizes."""
    compute = "compute: {{cpu: 1, memory: {}Gi}}"
    endpoint = "  e{}: {{variants: {{only: {{model: churn@champion}}}}, " + compute + ", replicas: 1}}\n"
    head = SPEC[: SPEC.index("inference:")]
    return head + "inference:\n" + "".join(endpoint.format(at, memory) for at, memory in enumerate(memory_gib))


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return the inode, modification time and content of every file in a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
