"""Runs many engine operations with one process for all programs, which saves most of a preview's time."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from testbed.pulumi.stack import Failed, PulumiStack

_HOST = Path(__file__).with_name("host.py")


class Host:
    """A process that runs programs for the engine."""

    def __init__(self, port: int) -> None:
        self._client = f"--client=127.0.0.1:{port}"

    def up(self, stack: PulumiStack, seconds: float = 1200) -> None:
        """Run `pulumi up` without a preview. Raises Failed with the engine's output on failure."""
        result = self._run(stack, "up", "--yes", "--skip-preview", seconds=seconds)
        if result.returncode:
            raise Failed(f"up: {result.stderr[-6000:]}{result.stdout[-6000:]}")

    def preview(self, stack: PulumiStack, seconds: float = 600) -> str:
        """Return the output of `pulumi preview --json`, even if the preview ends with errors."""
        return self._run(stack, "preview", "--json", seconds=seconds).stdout

    def _run(self, stack: PulumiStack, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        options = (f"--stack={stack.stack}", self._client, "--exec-kind=auto.inline")
        return stack.invoke(*arguments, *options, seconds=seconds)


@contextmanager
def host(python: Path) -> Generator[Host]:
    """Run a host with the given interpreter's packages, and stop it on exit."""
    command = [str(python), "-W", "ignore", str(_HOST)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Host(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(30)
