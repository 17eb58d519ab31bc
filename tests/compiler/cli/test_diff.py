"""Tests of `modelyard diff`: comparing two files or a revision, all environments, formats, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compiler.cli.commands import SPEC, Run

Commit = Callable[[], None]


def edited(text: str, old: str, new: str) -> str:
    """Replace a string that must occur in the text."""
    assert old in text
    return text.replace(old, new)


@pytest.fixture
def git(system: Path) -> Callable[..., str]:
    """Return a function that runs git in the spec folder, which is a repository on branch main."""
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example", "GIT_COMMITTER_NAME": "a"}
    environment = {**os.environ, **who, "GIT_COMMITTER_EMAIL": "a@b.example", "GIT_CONFIG_GLOBAL": os.devnull}

    def run(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=system, env=environment, check=True, capture_output=True, text=True).stdout

    run("init", "-q", "-b", "main")
    run("add", "-A")
    run("commit", "-q", "-m", "first")
    return run


def test_two_files_are_compared(run: Run, system: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(edited(SPEC, "owner: {team: growth", "owner: {team: sales"), encoding="utf-8")
    result = run("diff", system, new, "--format", "json")
    report = json.loads(result.out)

    assert (result.code, report["verdict"]) == (0, "review")
    assert [(finding["code"], finding["before"], finding["after"]) for finding in report["findings"]] == [
        ("R801", "growth", "sales"),
        ("R523", "", ""),
    ]
    assert report["findings"][0]["places"]["after"]["file"] == str(new)


def test_the_same_spec_has_nothing_to_review(run: Run, system: Path) -> None:
    result = run("diff", system, system)

    assert result.code == 0
    assert result.out.endswith("no changes that matter\n")


def test_a_danger_fails_unless_it_may_not(run: Run, system: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(edited(SPEC, "metadata: {name: ", "metadata: {name: another-"), encoding="utf-8")

    assert run("diff", system, new).code == 1
    assert run("diff", system, new, "--fail-on", "never").code == 0
    assert "danger R508" in run("diff", system, new, "--level", "danger").out


def test_a_version_that_does_not_compile_is_not_judged(run: Run, system: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(edited(SPEC, "kind: MLSystem", "kind: Nothing"), encoding="utf-8")
    result = run("diff", system, new, "--fail-on", "never")

    assert result.code == 1
    assert "cannot be judged, because the new version does not compile" in result.out
    assert "E02" in result.err


def test_only_what_this_branch_changes_is_reviewed(run: Run, system: Path, git: Callable[..., str]) -> None:
    """Changes meanwhile merged into the compared branch don't count as changes of this branch."""
    spec = system / "system.yaml"
    mine = edited(spec.read_text(encoding="utf-8"), "team: growth", "team: sales")
    git("checkout", "-q", "-b", "feature")
    git("checkout", "-q", "main")
    spec.write_text(edited(spec.read_text(encoding="utf-8"), "growth@", "others@"), encoding="utf-8")
    git("commit", "-qam", "others")
    git("checkout", "-q", "feature")
    spec.write_text(mine, encoding="utf-8")
    report = json.loads(run("diff", system, "--against", "main", "--format", "json").out)

    assert [finding["code"] for finding in report["findings"]] == ["R801", "R523"]
    assert report["findings"][0]["places"]["before"]["file"] == f"main:{spec}"
    assert json.loads(run("diff", system, "--format", "json").out) == report  # main is the default branch


def test_environments_are_compared_and_named(run: Run, system: Path, git: Callable[..., str]) -> None:
    """The comparison finds new and removed environments, and those whose own file has changed."""
    folder = system / "environments"
    folder.mkdir(exist_ok=True)
    (folder / "blue.yaml").write_text("profile: {size: small}\n", encoding="utf-8")
    (folder / "green.yaml").write_text("profile: {size: small}\n", encoding="utf-8")
    git("add", "-A")
    git("commit", "-qm", "environments")
    (folder / "blue.yaml").unlink()
    (folder / "red.yaml").write_text("profile: {size: small}\n", encoding="utf-8")
    (folder / "green.yaml").write_text("governance: {owner: {team: sales}}\n", encoding="utf-8")
    report = json.loads(run("diff", system, "--against", "HEAD", "--format", "json").out)
    findings = {(finding["code"], *finding["environments"]) for finding in report["findings"]}

    assert {("R911", "red"), ("R912", "blue"), ("R801", "green")} <= findings


def test_a_spec_that_is_new_is_reviewed_as_a_whole(run: Run, system: Path, git: Callable[..., str]) -> None:
    other = system / "second"
    other.mkdir()
    (other / "system.yaml").write_text(SPEC, encoding="utf-8")
    report = json.loads(run("diff", other, "--against", "main", "--format", "json").out)

    assert report["first"] is True
    assert report["findings"]


def test_versions_of_another_modelyard_are_its_own_cause(run: Run, system: Path, git: Callable[..., str]) -> None:
    """A Helm chart version that differs from the old version's lock is found even if the spec is unchanged."""
    assert run("compile", system).code == 0
    lock = system / "modelyard.lock"
    text = lock.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "kuberay" in line and ":" in line)
    lock.write_text(text.replace(line, f"{line.rpartition(': ')[0]}: 0.1.0", 1), encoding="utf-8")
    git("add", "-f", "modelyard.lock")
    git("commit", "-qm", "lock")
    report = json.loads(run("diff", system, "--against", "HEAD", "--format", "json").out)

    assert [(finding["code"], finding["before"]) for finding in report["findings"]] == [("R701", "0.1.0")]


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "main:system.yaml", ""])
def test_revisions_that_do_not_exist_are_reported(
    run: Run, system: Path, git: Callable[..., str], revision: str
) -> None:
    result = run("diff", system, f"--against={revision}")

    assert result.code == 1
    assert result.err.startswith(f"error[E0720]: the change cannot be judged: git: '{revision}' is not a revision")
    assert "git fetch origin" in result.err
    assert not (system / "x").exists()


def test_without_a_repository_the_reason_is_given(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(system.parent))
    result = run("diff", system, "--against", "main")

    assert (result.code, result.out) == (1, "")
    assert "git: not a git repository" in result.err
    assert "`modelyard diff OLD NEW`" in result.err


def test_a_new_environment_is_reviewed_as_a_whole(run: Run, system: Path, git: Callable[..., str]) -> None:
    """A new environment's access and its changes to the base are listed like any other risk."""
    folder = system / "environments"
    folder.mkdir()
    overlay = (
        "inference: {score: {endpoint: {exposure: public, host: score.acme.example}}}\ngovernance: {lineage: false}\n"
        "deployment: {namespace: red}\n"
    )
    (folder / "red.yaml").write_text(overlay, encoding="utf-8")
    result = run("diff", system, "--against", "HEAD", "--format", "json")
    messages = {
        (finding["code"], finding["level"]): finding["message"] for finding in json.loads(result.out)["findings"]
    }

    assert result.code == 1
    assert messages["R401", "danger"].startswith("environment red introduces: ")
    assert messages["R246", "danger"].startswith("environment red introduces: ")
    assert messages["R911", "review"] == "environment red is new"


def test_links_in_a_revision_are_followed_within_it(run: Run, system: Path, git: Callable[..., str]) -> None:
    """A spec or environment reached through a symbolic link in the revision doesn't count as new."""
    (system / "shared").mkdir()
    (system / "shared" / "blue.yaml").write_text("governance: {owner: {team: sales}}\n", encoding="utf-8")
    (system / "environments").symlink_to("shared")
    (system / "system.yaml").rename(system / "churn.yaml")
    (system / "system.yaml").symlink_to("churn.yaml")
    git("add", "-A")
    git("commit", "-qm", "links")
    (system / "system.yaml").unlink()
    (system / "system.yaml").write_text(edited(SPEC, "team: growth", "team: research"), encoding="utf-8")
    report = json.loads(run("diff", system, "--against", "HEAD", "--format", "json").out)

    assert not report["first"]
    assert [(finding["code"], finding["environments"]) for finding in report["findings"]] == [
        ("R801", ["default", "prod"]),
        ("R523", ["default", "prod"]),
    ]


def test_tables_of_sites_are_read_from_the_revision(run: Run, system: Path, git: Callable[..., str]) -> None:
    """A changed cell in a CSV file of sites is found even if the spec is the same."""
    old, new = "context: here", "sites: {file: sites.csv}"
    spec = edited(SPEC, f"provider: kubernetes, {old}", f'provider: kubernetes, context: "${{site.context}}", {new}')
    (system / "system.yaml").write_text(spec, encoding="utf-8")
    (system / "sites.csv").write_text("name,context\none,here\ntwo,there\n", encoding="utf-8")
    git("add", "-A")
    git("commit", "-qm", "sites")
    (system / "sites.csv").write_text("name,context\none,here\ntwo,elsewhere\n", encoding="utf-8")
    report = json.loads(run("diff", system, "--against", "HEAD", "--format", "json").out)

    assert [(finding["code"], finding["before"], finding["after"]) for finding in report["findings"]] == [
        ("R502", "", ""),
        ("R508", "there", "elsewhere"),
    ]
    assert [finding["message"].endswith(" (at site two)") for finding in report["findings"]] == [True, True]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/etc/passwd", "a symbolic link to a place outside the repository"),
        ("nowhere.yaml", "a symbolic link to nothing"),
        ("linked.yaml", "a symbolic link to itself"),
        ("../environments", "a symbolic link to a folder that contains it"),
    ],
)
def test_links_that_lead_nowhere_cannot_be_judged(
    run: Run, system: Path, git: Callable[..., str], target: str, reason: str
) -> None:
    folder = system / "environments"
    folder.mkdir()
    (folder / "linked.yaml").symlink_to(target)
    git("add", "-A")
    git("commit", "-qm", "link")
    (folder / "linked.yaml").unlink()
    result = run("diff", system, "--against", "HEAD")

    assert (result.code, result.out) == (1, "")
    assert f"the change cannot be judged: git: environments/linked.yaml is {reason}" in result.err
    assert "root:" not in result.err


def _moved(system: Path, git: Callable[..., str], *below: str) -> Path:
    """Commit the spec and an overlay in a subfolder, and return the folder."""
    folder = system.joinpath(*below)
    (folder / "environments").mkdir(parents=True)
    (system / "system.yaml").rename(folder / "system.yaml")
    (folder / "environments" / "blue.yaml").write_text("profile: {size: small}\n", encoding="utf-8")
    git("add", "-A")
    git("commit", "-qm", "subfolder")
    return folder


def _codes(run: Run, *arguments: object) -> tuple[bool, set[str]]:
    report = json.loads(run("diff", *map(str, arguments), "--format", "json").out)
    return report["first"], {finding["code"] for finding in report["findings"] if finding["level"] == "danger"}


def test_environments_of_a_spec_in_a_subfolder_are_read(run: Run, system: Path, git: Callable[..., str]) -> None:
    folder = _moved(system, git, "teams", "churn")
    (folder / "environments" / "blue.yaml").unlink()

    assert _codes(run, folder, "--against", "HEAD") == (False, {"R912"})


def test_a_folder_that_becomes_a_link_is_no_new_spec(
    run: Run, system: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _moved(system, git, "churn")
    folder.rename(system / "elsewhere")
    folder.symlink_to("elsewhere")
    spec = folder / "system.yaml"
    spec.write_text(edited(spec.read_text(encoding="utf-8"), "governance: {", "governance: {lineage: false, "))

    assert _codes(run, folder, "--against", "HEAD") == (False, {"R246"})
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PWD", str(folder))
    assert _codes(run, ".", "--against", "HEAD") == (False, {"R246"})


def test_a_link_from_outside_the_repository_cannot_be_judged(
    run: Run, system: Path, git: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(_moved(system, git, "churn"))
    result = run("diff", tmp_path / "link", "--against", "HEAD")

    assert result.code == 1
    assert "leads through a symbolic link into another folder" in result.err


def test_a_base_that_no_longer_compiles_alone_is_gone(run: Run, system: Path, git: Callable[..., str]) -> None:
    text = (system / "system.yaml").read_text(encoding="utf-8")
    moved = "    compute: {cpu: 1, memory: 2Gi}\n"
    later = edited(edited(text, moved, ""), "score: {replicas", "score: {compute: {cpu: 1, memory: 2Gi}, replicas")
    (system / "system.yaml").write_text(later, encoding="utf-8")
    report = json.loads(run("diff", system, "--against", "HEAD", "--format", "json").out)

    assert [(finding["code"], finding["before"]) for finding in report["findings"] if finding["code"] == "R912"] == [
        ("R912", "default")
    ]
    git("commit", "-qam", "base without compute")
    assert _codes(run, system, "--against", "HEAD") == (False, set())


def test_a_revision_wins_over_a_folder_with_its_name(
    run: Run, system: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the folder took precedence, a change could bring along the very version it is compared with."""
    changed = edited(SPEC, "governance: {", "governance: {lineage: false, ")
    (system / "system.yaml").write_text(changed, encoding="utf-8")
    (system / "main").mkdir()
    (system / "main" / "system.yaml").write_text(changed, encoding="utf-8")
    monkeypatch.chdir(system)
    report = json.loads(run("diff", ".", "--against", "main", "--format", "json").out)
    danger = next(finding["fingerprint"] for finding in report["findings"] if finding["code"] == "R246")
    accept = ("acknowledge", ".", danger, "--by", "ada", "--reason", "why", "--until", "2999-01-01", "--against")

    assert run(*accept, "./main").code == 1
    assert run(*accept, "main").code == 0


def test_the_first_lines_say_what_it_costs_and_who_must_agree(run: Run, system: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(edited(SPEC, "framework: xgboost", "framework: lightgbm"), encoding="utf-8")
    free = "anyone who may change `reviews/acknowledged.yaml` has to accept each danger there"

    assert run("diff", system, new).out.splitlines()[1:3] == ["cost: unchanged", f"sign-off: {free}"]
    assert f"\n- sign-off\\: {free[:20]}" in run("diff", system, new, "--format", "markdown").out

    risky = tmp_path / "risky.yaml"
    risky.write_text(edited(SPEC, "governance: {", "governance: {risk: high, "), encoding="utf-8")
    lines = run("diff", risky, new).out.splitlines()
    assert lines[2].startswith("sign-off: nobody can sign for these dangers")
    new.write_text(edited(SPEC, "owner: {team: growth", "owner: {team: sales"), encoding="utf-8")
    assert run("diff", system, new).out.splitlines()[2] == "sign-off: sales should look at it"
    assert run("diff", system, system).out.count("\n") == 1
