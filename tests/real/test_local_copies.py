"""Tests that the local copy of every example and template works, from generated data to the first monitor results.

The copies run one after the other in one process, without Ray's processes and MLflow's server, which takes one or two
seconds of processor time each. `test_local_systems.py` runs a system and a move with all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelyard.cli.init import templates
from modelyard.cli.sampling import compiled_copy
from modelyard.pipeline import InputFile, Inputs, understand
from modelyard_targets import TARGETS
from testbed import environments
from testbed.places import REPOSITORY
from tests.examples import one_each
from tests.narrowing import present

PROGRAM = Path(__file__).parent / "programs" / "one_process.py"
REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")
SYSTEMS = {
    **{str(example): example.inputs() for example in one_each()},
    **{name: Inputs(InputFile(str(path), path.read_text(encoding="utf-8"))) for name, path in templates().items()},
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Compile and run the copies of all systems, and return what happened by system."""
    root = tmp_path_factory.mktemp("copies")
    python = str(environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS)))
    folders = [str(_compiled(inputs, root / name)) for name, inputs in SYSTEMS.items()]
    paths = os.pathsep.join((str(REPOSITORY / "runtime"), str(REPOSITORY)))
    intervals = {"MODELYARD_FLUSH_S": "0.5", "MODELYARD_FOLLOW_S": "1"}
    result = subprocess.run(
        [python, str(PROGRAM), *folders],
        env={**os.environ, **intervals, "PYTHONPATH": paths},
        cwd=root, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    ended: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return ended


def _compiled(inputs: Inputs, folder: Path) -> Path:
    """Compile a system's copy to the folder `main` of the given folder."""
    document = present(understand(inputs, TARGETS).document)
    folder.mkdir()
    present(compiled_copy(inputs, document, folder, "never", folder / "state")).rename(folder / "main")
    return folder


@pytest.mark.parametrize("system", SYSTEMS)
def test_copy_leads_to_predictions_and_monitor_results(system: str, outcomes: dict[str, Any]) -> None:
    """Everything succeeds once: endpoints predict, and monitors measure or give the reason why they don't."""
    outcome = outcomes[system]
    assert outcome["code"] == 0, outcome["output"]
    events = [(event["address"], event["event"], event["text"]) for event in outcome["events"]]

    predicted = {address for address, event, text in events if event == "predicted" and "generated rows" in text}
    assert predicted == set(outcome["endpoints"])
    looked = {address for address, event, _ in events if event == "succeeded" and address.startswith("monitors.")}
    assert looked == set(outcome["monitors"])
    measured = {address for address, event, _ in events if event == "measured"}
    unmeasured = [line for line in outcome["output"].splitlines() if "is not measured: " in line]
    assert measured | {line.split()[0] for line in unmeasured} == set(outcome["monitors"])
    assert not [line for line in unmeasured if "the window has 0 rows" in line], "requests are captured"
