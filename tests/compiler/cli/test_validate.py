"""Tests that `modelyard validate` prints diagnostics for people and programs, even for unreadable specs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from modelyard.inputs import LOCK_NAME
from tests.compiler.cli.commands import SPEC, Run


def test_the_valid_spec_is_accepted(run: Run, system: Path) -> None:
    for typed in (system, system / "system.yaml"):
        result = run("validate", typed)
        assert (result.code, result.out) == (0, "")
        assert result.err.endswith("system.yaml: valid, alone and for prod\n")
    assert run("validate", system, "--env", "prod").err.endswith("valid for prod\n")


def test_a_spec_may_be_called_modelyard_yaml(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All commands accept a folder with `modelyard.yaml`, and read environment files next to it."""
    (system / "system.yaml").unlink()
    (system / "modelyard.yaml").write_text(SPEC[: SPEC.index("environments:")], encoding="utf-8")
    (system / "environments").mkdir()
    (system / "environments" / "dev.yaml").write_text("inference: {score: {replicas: 2}}\n", encoding="utf-8")

    assert run("validate", system).err == f"{system}/modelyard.yaml: valid, alone and for dev\n"
    assert run("compile", system).code == 0
    assert run("explain", "inference.score", system).out.splitlines()[0].startswith("inference.score")
    monkeypatch.chdir(system)
    assert run("validate", "--env", "dev").err == "modelyard.yaml: valid for dev\n"


def test_a_folder_with_two_specs_is_refused(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All commands refuse a folder with two specs, but accept the path of either one."""
    (system / "modelyard.yaml").write_text(SPEC, encoding="utf-8")

    for command in (("validate",), ("compile",), ("explain", "inference.score"), ("render",), ("verify",)):
        result = run(*command, system)
        assert (result.code, "[E0157]" in result.err, str(system) in result.err) == (1, True, True), command
    assert not (system / "build").exists()
    assert run("validate", system / "modelyard.yaml").code == 0
    monkeypatch.chdir(system)
    assert "folder '.' contains two specs" in run("validate").err


def test_a_spec_without_environments_is_valid(run: Run, system: Path) -> None:
    """For a spec without environments, the output does not mention environments."""
    (system / "system.yaml").write_text(SPEC[: SPEC.index("environments:")], encoding="utf-8")

    assert run("validate", system).err == f"{system}/system.yaml: valid\n"


def test_every_environment_is_checked(run: Run, system: Path) -> None:
    """A run reports the errors in all environments or, with --env, only those in one environment."""
    (system / "environments").mkdir()
    (system / "environments" / "dev.yaml").write_text("models: {churn: {task: clasification}}\n", encoding="utf-8")
    (system / "environments" / "edge.yaml").write_text("inference: {score: {replicas: two}}\n", encoding="utf-8")
    result = run("validate", system, "--format", "json")
    diagnostics = [
        (diagnostic["code"], diagnostic["file"], diagnostic["line"])
        for diagnostic in json.loads(result.out)["diagnostics"]
    ]

    assert result.code == 1
    assert diagnostics == [
        ("E0204", f"{system}/environments/dev.yaml", 1),
        ("E0201", f"{system}/environments/edge.yaml", 1),
    ]
    assert "(in dev)" in run("validate", system).err
    assert run("validate", system, "--env", "prod").code == 0
    assert run("compile", system).code == 0


def test_a_base_may_lack_fields_that_environments_add(run: Run, system: Path) -> None:
    """`validate` mentions the incomplete base without an error, but `compile` refuses the base on its own."""
    spec = SPEC.replace("deployment: {mode: on-prem, provider: kubernetes, context: here}\n", "").replace(
        "prod: {", "prod: {deployment: {mode: on-prem, provider: kubernetes, context: here}, "
    )
    (system / "system.yaml").write_text(spec, encoding="utf-8")

    result = run("validate", system)
    assert (result.code, result.err) == (
        0,
        f"{system}/system.yaml: valid for prod; the base is incomplete without an environment\n",
    )
    alone = run("compile", system).err
    assert "[E0202]" in alone
    assert alone.endswith("this is the base alone; use --env for the environments: prod\n")
    assert run("compile", system, "--env", "prod").code == 0


@pytest.mark.parametrize("name", ["prod.yml", "Test_EU.yaml", "1.yaml"])
def test_unexpected_files_among_environments_are_reported(run: Run, system: Path, name: str) -> None:
    """Unexpected files are reported, as their errors would go unnoticed. Hidden and non-YAML files are fine."""
    (system / "environments").mkdir()
    for other in (".#prod.yaml", "README.md"):
        (system / "environments" / other).write_text("models: [", encoding="utf-8")
    assert run("validate", system).code == 0

    (system / "environments" / name).write_text("models: [", encoding="utf-8")
    result = run("validate", system)
    assert result.code == 1
    assert "[E0153]" in result.err
    assert "error[E0103]" not in result.err


def test_the_nearest_environment_name_is_suggested(run: Run, system: Path) -> None:
    """The hint also considers file names in `environments`. Files with the wrong extension are reported."""
    (system / "environments").mkdir()
    (system / "environments" / "staging.yaml").write_text("", encoding="utf-8")
    (system / "environments" / "edge.yml").write_text("", encoding="utf-8")

    assert "did you mean 'staging'?" in run("compile", system, "--env", "stagin").err
    assert "rename it to 'edge.yaml'" in run("compile", system, "--env", "edge").err


def test_dangling_links_and_pipes_are_reported(run: Run, system: Path) -> None:
    """If an environment file can't be read, the other environments are still checked."""
    (system / "environments").mkdir()
    (system / "environments" / "gone.yaml").symlink_to("nowhere")
    os.mkfifo(system / "environments" / "pipe.yaml")

    result = run("validate", system)
    assert result.code == 1
    assert "gone.yaml" in result.err
    assert run("validate", system, "--env", "prod").code == 0


def test_a_variable_used_by_another_environment_is_not_unused(run: Run, system: Path) -> None:
    """A variable counts as used if any environment uses it, even one that isn't selected."""
    spec = SPEC[: SPEC.index("environments:")].replace("vars:\n", "vars:\n  size: 2Gi\n")
    (system / "system.yaml").write_text(spec, encoding="utf-8")
    (system / "environments").mkdir()
    (system / "environments" / "dev.yaml").write_text("deployment: {namespace: dev}\n", encoding="utf-8")
    assert "[W0148]" in run("validate", system, "--env", "dev").err

    overlay = 'inference: {score: {compute: {memory: "${vars.size}"}}}\n'
    (system / "environments" / "prod.yaml").write_text(overlay, encoding="utf-8")
    for arguments in ((), ("--env", "dev"), ("--env", "prod")):
        for command in ("validate", "compile"):
            result = run(command, system, *arguments)
            assert (result.code, "W0148" in result.err) == (0, False), (command, arguments, result.err)


def test_the_working_directory_is_the_default(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages show the spec's path as it was given instead of an absolute path."""
    monkeypatch.chdir(system)

    assert run("validate").err.startswith("system.yaml: valid")
    assert str(system) not in run("validate").err


def test_errors_are_printed_to_standard_error(run: Run, wrong: Path) -> None:
    result = run("validate", wrong)

    assert (result.code, result.out) == (1, "")
    assert f"{wrong}/system.yaml:13:5" in result.err
    assert "E0203" in result.err
    assert "Traceback" not in result.err


def test_machine_readable_formats_are_printed_to_standard_output(run: Run, wrong: Path) -> None:
    """JSON and SARIF can be parsed, and annotations are in GitHub's format, even without errors."""
    report = json.loads(run("validate", wrong, "--format", "json").out)
    sarif = json.loads(run("validate", wrong, "--format", "sarif").out)
    github = run("validate", wrong, "--format", "github")

    assert "E0203" in {item["code"] for item in report["diagnostics"]}
    assert sarif["version"] == "2.1.0"
    assert "E0203" in {item["ruleId"] for item in sarif["runs"][0]["results"]}
    assert all(line.startswith(("::error ", "::warning ")) for line in github.out.splitlines())
    assert (github.code, github.err) == (1, "")


@pytest.mark.parametrize("command", ["validate", "compile"])
@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_machine_readable_formats_report_unreadable_specs(run: Run, tmp_path: Path, command: str, form: str) -> None:
    result = run(command, tmp_path / "nowhere.yaml", "--format", form)

    assert result.code == 1
    assert "E0150" in result.out
    assert result.err == ""
    if form != "github":
        json.loads(result.out)


@pytest.mark.parametrize("command", ["validate", "compile", "render", "graph"])
def test_missing_inputs_are_named(run: Run, tmp_path: Path, system: Path, command: str) -> None:
    """Missing files, specs and environments, impossible names, and undeclared variables are reported."""
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
        result = run(command, *arguments)
        assert result.code == 1, arguments
        assert f"[{code}]" in result.err, (arguments, result.err)
    assert not (system / "build").exists()


def test_standard_input_is_refused(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many programs use a dash for standard input, so the error explains the alternative `./-`."""
    monkeypatch.chdir(system)
    for command in ("validate", "compile", "render", "graph"):
        assert "[E0154]" in run(command, "-").err
    (system / "system.yaml").rename(system / "-")

    assert run("validate", "./-").code == 0


@pytest.mark.parametrize("name", ["a b", "é", "-x", "a'b\"c", "$(id)", "a#b", "%41", "a\nb", "\x1b[31m", "%s{0}"])
def test_unusual_paths_are_accepted(run: Run, tmp_path: Path, name: str) -> None:
    """A folder may have any name, but control characters in it aren't printed."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")
    result = run("validate", folder)
    assert result.code == 1
    assert "E0203" in result.err
    assert "\x1b" not in result.err

    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    compiled = run("compile", folder)
    assert compiled.code == 0
    assert "\x1b" not in compiled.err
    assert (folder / "build/default/main/README.md").is_file()
    assert str(tmp_path) not in (folder / LOCK_NAME).read_text(encoding="utf-8")


def test_unfinished_checks_are_listed_last(run: Run, system: Path) -> None:
    """The last line lists stages that couldn't run, or spec entries that weren't fully checked."""
    for right, wrong, last in (
        (
            "kind: MLSystem",
            "kind: [",
            "the checks of environments, variables, fields, references, rules, machines and targets",
        ),
        ("mode: on-prem", "mode: 7", "the checks of rules, machines and targets"),
        ("framework: xgboost", "framework: 7", "all checks of inference.score, models.churn"),
    ):
        (system / "system.yaml").write_text(SPEC.replace(right, wrong), encoding="utf-8")
        for command in ("validate", "compile"):
            assert f"\nfix these errors to run {last}\n" in run(command, system).err
    (system / "system.yaml").write_text(SPEC.replace("framework: xgboost", "framework: xgbost"), encoding="utf-8")

    assert "to run" not in run("validate", system).err
