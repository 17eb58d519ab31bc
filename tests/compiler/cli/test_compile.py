"""Tests that `modelyard compile` writes all files, leaves unchanged ones alone, and never overwrites edits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.api import compile_text
from modelyard.disk.record import RECORD
from modelyard.disk.switch import LOCK
from modelyard.inputs import LOCK_NAME
from tests.compiler.cli.commands import SPEC, Run, many_endpoints, tree
from tests.hybrid import HYBRID_SPEC
from tests.targets.aws.archive import ARCHIVE


def test_compile_writes_projects_and_lock(run: Run, system: Path) -> None:
    """Projects and the lock are written next to the spec, and the next step is printed to stderr, not stdout."""
    result = run("compile", system)

    assert (result.code, result.out) == (0, "")
    assert (system / "build/default/main/workloads/__main__.py").is_file()
    assert (system / LOCK_NAME).is_file()
    assert "pulumi up" in result.err


def test_json_output_lists_projects_and_changed_files(run: Run, system: Path) -> None:
    """The JSON output lists each target's projects and files, and which files this run wrote or removed."""
    first = json.loads(run("compile", system, "--format", "json").out)
    again = json.loads(run("compile", system, "--format", "json").out)
    spec = system / "system.yaml"
    spec.write_text(spec.read_text().replace("memory: 2Gi", "memory: 3Gi"))
    changed = json.loads(run("compile", system, "--format", "json").out)

    (target,) = first["targets"]
    assert (first["environment"], first["lock"]) == ("default", str(system / LOCK_NAME))
    assert (target["target"], target["projects"]) == ("main", ["workloads"])
    assert target["written"] == target["files"]
    assert {
        str(path.relative_to(target["folder"])) for path in Path(target["folder"]).rglob("*") if path.is_file()
    } == {
        RECORD,
        *target["files"],
    }
    assert again["targets"] == [{**target, "written": [], "removed": []}]
    (target,) = changed["targets"]
    assert "workloads/manifests/model-score.yaml" in target["written"]
    assert set(target["written"]) < set(target["files"])


def test_the_suggested_next_step_is_the_target_that_others_call(run: Run, tmp_path: Path) -> None:
    """The edge server reads models from the central target, so the latter is suggested first."""
    spec = tmp_path / "system.yaml"
    spec.write_text(HYBRID_SPEC.replace(" shop", " branch"), encoding="utf-8")

    result = run("compile", spec)

    assert result.err.splitlines()[-1].endswith(f"then `pulumi up` in {tmp_path}/build/default/main/infrastructure")


def test_a_target_with_only_adopted_resources_is_no_next_step(run: Run, tmp_path: Path) -> None:
    """A target with only adopted resources creates nothing, so it isn't suggested as the next step."""
    spec = tmp_path / "system.yaml"
    old = "vault: {type: object, target: archive, retention: 3650d}"
    adopted = (
        'vault: {type: object, target: attic, adopt: vault, endpoint: "https://s3.x", credentials: "secret://x/v"}'
    )
    attic = "    attic: {provider: kubernetes, context: attic, reachableFrom: [plant]}\n"
    text = ARCHIVE.replace(old, adopted).replace("    archive: {provider: aws, region: eu-central-1}\n", attic)
    spec.write_text(text.replace("mode: hybrid", "mode: on-prem").replace("secret://x/v", "secret://kubernetes/v"))

    result = run("compile", spec)

    assert f"{tmp_path}/build/default/attic: 0 files" in result.err
    assert result.err.splitlines()[-1].endswith(f"then `pulumi up` in {tmp_path}/build/default/plant/workloads")


def test_compile_writes_the_same_files_as_the_public_function(run: Run, system: Path) -> None:
    run("compile", system, "--env", "prod", "--set", "replicas=3")

    expected = compile_text(SPEC, environment="prod", variables={"replicas": "3"})
    actual = {
        path: content
        for path, (_, _, content) in tree(system / "build").items()
        if path != LOCK and not path.endswith(f"/{RECORD}")
    }
    assert actual == dict(expected.files)


def test_an_unchanged_compile_touches_nothing(run: Run, system: Path) -> None:
    """If nothing has changed, a compile keeps every inode and modification time."""
    run("compile", system)
    before = tree(system)

    result = run("compile", system)

    assert result.code == 0
    assert "nothing has changed" in result.err
    assert tree(system) == before


def test_variables_and_environments_change_the_output(run: Run, system: Path) -> None:
    run("compile", system)
    assert "nothing has changed" not in run("compile", system, "--set", "replicas=3").err
    assert "nothing has changed" not in run("compile", system, "--env", "prod").err
    assert "nothing has changed" in run("compile", system, "--set", "replicas=3").err
    assert {path.name for path in (system / "build").iterdir() if not path.name.startswith(".")} == {"default", "prod"}


def test_one_changed_model_writes_only_its_files(run: Run, tmp_path: Path) -> None:
    """If one of 200 endpoints gets more memory, only its manifest, the record and the lock are rewritten."""
    spec = tmp_path / "system.yaml"
    spec.write_text(many_endpoints([1] * 200), encoding="utf-8")
    run("compile", spec)
    before = tree(tmp_path)
    spec.write_text(many_endpoints([2 if at == 77 else 1 for at in range(200)]), encoding="utf-8")

    result = run("compile", spec)

    after = tree(tmp_path)
    changed = {path for path in after if after[path] != before.get(path)}
    emitted = {path for path in changed if path.startswith("build/") and not path.endswith(f"/{RECORD}")}
    assert result.code == 0
    assert [Path(path).name for path in emitted] == ["model-e77.yaml"]
    assert set(after) == set(before)


def test_an_empty_output_folder_argument_is_refused(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty shell variable must not select the working directory as the output folder."""
    monkeypatch.chdir(system)
    result = run("compile", "--out", "")

    assert (result.code, sorted(path.name for path in system.iterdir())) == (1, ["system.yaml"])
    assert "[E0155]" in result.err


def test_a_wrong_spec_leaves_the_old_output(run: Run, system: Path) -> None:
    run("compile", system)
    before = tree(system / "build")
    (system / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")

    assert run("compile", system).code == 1
    assert tree(system / "build") == before


def test_out_selects_another_folder(run: Run, system: Path, tmp_path: Path) -> None:
    result = run("compile", system, "--out", tmp_path / "elsewhere")

    assert result.code == 0
    assert (tmp_path / "elsewhere/default/main/README.md").is_file()
    assert not (system / "build").exists()


def test_an_unwritable_folder_is_reported(run: Run, system: Path) -> None:
    (system / "build").write_text("a file", encoding="utf-8")

    result = run("compile", system)

    assert result.code == 1
    assert "E07" in result.err
    assert (system / "build").read_text(encoding="utf-8") == "a file"


def test_edited_files_are_kept_even_with_force(run: Run, system: Path) -> None:
    """With --force, an edited file is replaced, but a copy is kept under a different name."""
    run("compile", system)
    edited = system / "build/default/main/workloads/manifests/model-score.yaml"
    edited.write_text("mine: true\n", encoding="utf-8")
    (system / "system.yaml").write_text(SPEC.replace("memory: 2Gi", "memory: 3Gi"), encoding="utf-8")

    refused = run("compile", system)
    assert (refused.code, "E0701" in refused.err) == (1, True)
    assert edited.read_text(encoding="utf-8") == "mine: true\n"

    assert run("compile", system, "--force").code == 0
    assert "mine" not in edited.read_text(encoding="utf-8")
    assert [path for path in edited.parent.iterdir() if path.read_text(encoding="utf-8") == "mine: true\n"]


def test_a_compile_checks_conflicts_with_other_environments(run: Run, tmp_path: Path) -> None:
    """An environment that would overwrite another isn't written, but the base can still be compiled."""
    spec = tmp_path / "system.yaml"
    environments = "environments: {dev: {}, prod: {}, test: {deployment: {context: lab}}}\n"
    spec.write_text(SPEC[: SPEC.index("environments:")] + environments, encoding="utf-8")

    refused = run("compile", spec, "--env", "dev")
    assert refused.code == 1
    assert "E0517" in refused.err
    assert "'prod'" in refused.err
    assert not (tmp_path / "build").exists()

    assert run("compile", spec, "--env", "test").code == 0
    assert run("compile", spec).code == 0
