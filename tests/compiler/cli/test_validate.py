"""What is said of a spec, for persons and for machines, and where nothing can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.lock import LOCK_NAME
from tests.compiler.cli.said import SPEC, Run


def test_validate(run: Run, system: Path) -> None:
    for typed in (system, system / "system.yaml"):
        said = run("validate", typed)
        assert (said.code, said.out) == (0, "")
        assert said.err.endswith("system.yaml: valid\n")
    assert run("validate", system, "--env", "prod").err.endswith("valid for prod\n")


def test_this_folder_is_the_default(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the spec is called as it was given: no path of the machine."""
    monkeypatch.chdir(system)

    assert run("validate").err.endswith("system.yaml: valid\n")
    assert str(system) not in run("validate").err


def test_mistakes_are_told_on_standard_error(run: Run, wrong: Path) -> None:
    said = run("validate", wrong)

    assert (said.code, said.out) == (1, "")
    assert f"{wrong}/system.yaml:13:5" in said.err
    assert "E0203" in said.err
    assert "Traceback" not in said.err


def test_formats_for_machines_are_on_standard_output(run: Run, wrong: Path) -> None:
    """JSON and SARIF parse, annotations are lines of the form that GitHub reads; where nothing is wrong, too."""
    found = json.loads(run("validate", wrong, "--format", "json").out)
    sarif = json.loads(run("validate", wrong, "--format", "sarif").out)
    github = run("validate", wrong, "--format", "github")

    assert "E0203" in {one["code"] for one in found["diagnostics"]}
    assert sarif["version"] == "2.1.0"
    assert "E0203" in {one["ruleId"] for one in sarif["runs"][0]["results"]}
    assert all(line.startswith(("::error ", "::warning ")) for line in github.out.splitlines())
    assert (github.code, github.err) == (1, "")


@pytest.mark.parametrize("command", ["validate", "compile", "render"])
@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_formats_hold_where_nothing_can_be_read(run: Run, tmp_path: Path, command: str, form: str) -> None:
    said = run(command, tmp_path / "nowhere.yaml", "--format", form)

    assert said.code == 1
    assert "E0150" in said.out
    assert said.err == ""
    if form != "github":
        json.loads(said.out)


@pytest.mark.parametrize("command", ["validate", "compile", "render", "graph"])
def test_what_is_not_there_is_named(run: Run, tmp_path: Path, system: Path, command: str) -> None:
    """A file, a spec in a folder, an environment, a name that no environment can have, a variable."""
    (tmp_path / "empty").mkdir()
    for arguments, code in (
        ([tmp_path / "nowhere.yaml"], "E0150"),
        ([tmp_path / "empty"], "E0150"),
        ([system, "--env", "staging"], "E0130"),
        ([system, "--env", "../../etc"], "E0151"),
        ([system, "--set", "replicas"], "E0152"),
        ([system, "--set", "nothing=1"], "E0146"),
        ([system, "--set", "replicas=many"], "E0144"),
        ([system, "--set", "replicas=99"], "E0144"),
    ):
        said = run(command, *arguments)
        assert said.code == 1, arguments
        assert f"[{code}]" in said.err, (arguments, said.err)
    assert not (system / "build").exists()


@pytest.mark.parametrize("name", ["a b", "é", "-x", "a'b\"c", "$(id)", "a#b", "%41", "a\nb", "\x1b[31m", "%s{0}"])
def test_odd_paths_are_paths(run: Run, tmp_path: Path, name: str) -> None:
    """A folder may be called anything; what is printed of it does not drive a terminal."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")
    said = run("validate", folder)
    assert said.code == 1
    assert "E0203" in said.err
    assert "\x1b" not in said.err

    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    done = run("compile", folder)
    assert done.code == 0
    assert "\x1b" not in done.err
    assert (folder / "build/default/main/README.md").is_file()
    assert str(tmp_path) not in (folder / LOCK_NAME).read_text(encoding="utf-8")
