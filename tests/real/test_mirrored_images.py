"""Copies images between two local registries using the real crane and a plan's commands."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from modelyard.migration.records import Step
from modelyard.portability import Destination
from modelyard.records import replace
from modelyard.rehearsal.steps import fits, run_step
from modelyard.source import Json
from tests.narrowing import present
from tests.real.test_rehearsal import SPEC, plan_to

PATIENCE_S = 60


def test_an_image_is_copied_by_digest_and_another_under_its_name_is_noticed(
    built: Callable[[str], Path], tmp_path: Path
) -> None:
    """The check passes only while digests match: after the copy, and after a replaced image is copied again."""
    crane = built("crane")
    with ExitStack() as stack:
        old, new = (stack.enter_context(_registry(crane, tmp_path / f"{name}.log")) for name in ("old", "new"))
        image = f"{old}/clean:1.0.0"
        spec = SPEC.replace("registry.acme.example/clean:1.0.0", image)
        patch: dict[str, Json] = {"deployment": {"images": {"registry": f"{new}/mirror", "mirror": True}}}
        plan, _ = plan_to(Destination("gcp", "europe-west3"), patch, spec)
        phase = next(phase for phase in plan.phases if phase.name == "3-images")

        judged: list[bool] = []
        for content in ("first", "second"):
            _push(crane, tmp_path, image, content)
            judged += [_is_right(steps, old, crane, tmp_path) for steps in (phase.check, phase.do, phase.check)]
        pulled = subprocess.run(
            [crane, "export", f"{new}/mirror/clean:1.0.0", "-"], capture_output=True, check=True
        ).stdout

    assert judged == [False, True, True, False, True, True]
    with tarfile.open(fileobj=io.BytesIO(pulled)) as archive:
        assert present(archive.extractfile("content")).read() == b"second"


def _is_right(steps: tuple[Step, ...], registry: str, crane: Path, folder: Path) -> bool:
    """Run the commands for a registry's images like a rehearsal, and return whether they succeed as expected.

    Commands for all other images are skipped, because those images are on the internet.
    """
    environment = {**os.environ, "PATH": f"{crane.parent}{os.pathsep}{os.environ['PATH']}"}
    judged: list[bool] = []
    with (folder / "log").open("ab") as log:
        for step in steps:
            ours = replace(step, commands=tuple(line for line in step.commands if registry in line))
            if ours.commands:
                judged.append(fits(ours, run_step(ours, folder, environment, log, log.fileno())))
    assert len(judged) == 1
    return judged[0]


def _push(crane: Path, folder: Path, image: str, content: str) -> None:
    """Push an image with one file."""
    layer = folder / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content.encode()))
    subprocess.run([crane, "append", "--new_layer", layer, "--new_tag", image], capture_output=True, check=True)


@contextmanager
def _registry(crane: Path, log: Path) -> Generator[str]:
    """Run a registry, and return its address."""
    with log.open("w") as stream:
        command = [str(crane), "registry", "serve", "--address", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (match := re.search(r"serving on port (\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield f"127.0.0.1:{match[1]}"
    finally:
        process.kill()
        process.wait()
