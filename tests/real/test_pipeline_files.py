"""Tests that actionlint accepts the workflows of `modelyard ci github`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modelyard.hosts.pipelines import Settings, pipeline_files

SOURCE = f"git+https://git.acme.example/ml/modelyard@{'0a' * 20}"
SETTINGS = Settings("ml/system.yaml", "danger", "requirements.txt", SOURCE)


@pytest.mark.parametrize("preview", ["", "prod"])
def test_actionlint_accepts_the_workflows(built: Callable[[str], Path], tmp_path: Path, preview: str) -> None:
    """actionlint checks expressions, contexts, permissions, and untrusted values in scripts."""
    (tmp_path / ".git").mkdir()
    settings = replace(SETTINGS, preview=preview, pulumi="3.272.0")
    for path, text in pipeline_files("github", settings).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    result = subprocess.run([built("actionlint"), "-no-color"], cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "")

    workflow = tmp_path / ".github/workflows/modelyard.yml"
    unsafe = workflow.read_text(encoding="utf-8").replace('exit "$CODE"', "echo ${{ github.event.pull_request.title }}")
    workflow.write_text(unsafe, encoding="utf-8")
    result = subprocess.run([built("actionlint"), "-no-color"], cwd=tmp_path, capture_output=True, text=True)
    assert "potentially untrusted" in result.stdout
