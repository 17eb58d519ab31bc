"""Tests that CI pipeline files fit their schemas, and that their steps work in a repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

import jsonschema_rs
import pytest
import yaml

from modelyard.hosts.pipelines import PATHS, Settings, pipeline_files
from modelyard.hosts.sources import recorded_source
from tests.compiler.cli.commands import SPEC, Run
from tests.compiler.hosts.code_hosts import CodeHost, environment_of, running

HOSTS: Final = tuple(PATHS)
SCHEMAS: Final = {"github": "github-workflows", "gitlab": "gitlab-ci", "azure": "azure-pipelines"}
ACTION: Final = Path(__file__).parents[3] / "action.yml"
SOURCE: Final = f"git+https://git.acme.example/ml/modelyard@{'0a' * 20}"
SETTINGS: Final = Settings("ml/system.yaml", "danger", source=SOURCE)
PREVIEWING: Final = replace(SETTINGS, requirements="requirements.txt", preview="prod", pulumi="3.272.0")


def _parsed(host: str, name: str = "", settings: Settings = SETTINGS) -> Any:
    files = pipeline_files(host, settings)
    path = next(path for path in files if path.endswith(name or "modelyard.yml"))
    return yaml.safe_load(files[path])


@pytest.mark.parametrize("settings", [SETTINGS, PREVIEWING], ids=["plain", "previewing"])
@pytest.mark.parametrize("host", HOSTS)
def test_files_fit_the_schema_of_the_host(host: str, settings: Settings) -> None:
    """The schemas are those used by editors, taken from check-jsonschema, whose own validator takes a minute."""
    schema = json.loads(
        (files("check_jsonschema.builtin_schemas.vendor") / f"{SCHEMAS[host]}.json").read_text(encoding="utf-8")
    )
    validator = jsonschema_rs.validator_for(schema)
    for text in pipeline_files(host, settings).values():
        value = {"on" if key is True else key: part for key, part in yaml.safe_load(text).items()}  # as in YAML 1.2
        assert not [f"{error.message} at {error.instance_path}" for error in validator.iter_errors(value)]
        assert list(validator.iter_errors({**value, "jobs": 1, "modelyard": 1, "steps": 1}))


def test_the_action_fits_its_schema_and_reviews(repository: Repository) -> None:
    """The step in action.yml writes the report and summary, prints annotations, and exits with the verdict."""
    action = _action()
    schema = json.loads((files("check_jsonschema.builtin_schemas.vendor") / "github-actions.json").read_text("utf-8"))
    assert not [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(action)]

    repository.push("metadata: {name: churn", "metadata: {name: other")
    values = {"SPEC": "ml", "AGAINST": repository.base, "FAIL_ON": "danger", "OUT": "out"}
    variables = {f"MODELYARD_{name}": value for name, value in values.items()}
    step = next(step for step in action["runs"]["steps"] if step["name"] == "Review")
    assert set(step["env"]) == set(variables)
    runner = _of_runner(repository)
    assert repository.run(step["run"], **variables, **runner) == 1
    assert "title=R508::" in repository.done.stdout
    assert "R508" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
    assert (repository.folder / "out" / "report.html").is_file()


def test_files_are_written_once_and_others_left_alone(run: Run, tmp_path: Path) -> None:
    first = run("ci", "github", ".", "--out", tmp_path, "--source", SOURCE)
    assert (first.code, first.err.count("wrote")) == (0, 2)
    assert run("ci", "github", ".", "--out", tmp_path, "--source", SOURCE).code == 0
    (tmp_path / ".github/workflows/modelyard.yml").write_text("mine", encoding="utf-8")
    refused = run("ci", "github", ".", "--out", tmp_path, "--fail-on", "never", "--source", SOURCE)

    assert (refused.code, "exists with different content" in refused.err) == (1, True)
    assert (tmp_path / ".github/workflows/modelyard.yml").read_text(encoding="utf-8") == "mine"
    assert "jobs:" in run("ci", "github", "--out", "-", "--source", SOURCE).out
    assert run("ci", "github", "--out", "").code == 1


@pytest.mark.parametrize("path", ["../up", "/etc", "a'b", 'a"b', "$(id)", "${{ x }}", "a\nb", "-x", "`id`", "a;b", "é"])
def test_paths_that_could_be_code_are_refused(run: Run, path: str) -> None:
    assert run("ci", "azure", "--out", "-", "--source", SOURCE, "--", path).code == 1
    assert run("ci", "azure", "--out", "-", "--source", SOURCE, f"--requirements={path}").code == 1
    assert run("ci", "azure", "--out", "-", "--source", SOURCE, f"--preview={path}").code == 1


def test_the_settings_are_in_the_files() -> None:
    settings = Settings("a b/system.yaml", "review", "ci/requirements.txt", SOURCE)
    for host, preview in ((host, preview) for host in HOSTS for preview in ("", "prod")):
        text = "".join(pipeline_files(host, replace(settings, preview=preview)).values())
        assert ("pulumi" in text) == bool(preview)
        assert '"a b/system.yaml"' in text
        assert '"review"' in text
        assert '--require-hashes --requirement "ci/requirements.txt"' in text
        assert not re.search("@[A-Z_]+@|^#[{}]", text, re.MULTILINE)


def test_a_pipeline_installs_only_what_is_pinned() -> None:
    """What is installed is determined by a commit or hash, so it doesn't matter who owns the package name."""
    for host in HOSTS:
        text = "".join(pipeline_files(host, SETTINGS).values())
        installs = re.findall(r"pip install [^\n]*", text)
        assert f'MODELYARD_SOURCE: "{SOURCE}"' in text
        assert {line.partition("--quiet ")[2] for line in installs} == {'"modelyard @ $MODELYARD_SOURCE"'}
        with pytest.raises(ValueError, match="--source"):
            pipeline_files(host, Settings("ml/system.yaml", "danger"))
    of_a_file = Settings("ml/system.yaml", "danger", "requirements.txt")
    assert "MODELYARD_SOURCE" not in pipeline_files("gitlab", of_a_file)[".gitlab/modelyard.yml"]
    with pytest.raises(ValueError, match="--source"):  # GitHub jobs with write access check out no file
        pipeline_files("github", of_a_file)


@pytest.mark.parametrize(
    "source",
    [
        "modelyard==0.1.0",
        "git+https://git.acme.example/ml/modelyard@main",
        "git+https://git.acme.example/ml/modelyard@0a0a0a0",
        "https://files.acme.example/modelyard-0.1.0-py3-none-any.whl",
        f"git+https://user:secret@git.acme.example/modelyard@{'0a' * 20}",
        f"git+https://git.acme.example/$(id)@{'0a' * 20}",
        f"{SOURCE}\n",
    ],
)
def test_a_source_that_may_change_or_be_code_is_refused(run: Run, source: str) -> None:
    result = run("ci", "gitlab", "--out", "-", f"--source={source}")

    assert (result.code, result.out, "is not a pinned source" in result.err) == (1, "", True)


@pytest.mark.parametrize(
    ("recorded", "source"),
    [
        ({"url": SOURCE[4:-41], "vcs_info": {"vcs": "git", "commit_id": "0a" * 20}}, SOURCE),
        (
            {"url": "https://files.acme.example/m.whl", "archive_info": {"hashes": {"sha256": "0a" * 32}}},
            f"https://files.acme.example/m.whl#sha256={'0a' * 32}",
        ),
        ({"url": "https://files.acme.example/m.whl", "archive_info": {}}, ""),
        ({"url": "file:///home/ada/modelyard", "dir_info": {"editable": True}}, ""),
        ({}, ""),
    ],
)
def test_the_source_is_where_pip_installed_from(recorded: dict[str, Any], source: str) -> None:
    assert recorded_source(json.dumps(recorded)) == source


def test_jobs_of_github_have_no_more_rights_than_they_need() -> None:
    """Jobs reading a pull request have no token with write access, and jobs with write access check out nothing."""
    review, fork = _parsed("github"), _parsed("github", "modelyard-comment.yml")
    assert review["permissions"] == fork["permissions"] == {}
    jobs = {**review["jobs"], "fork": fork["jobs"]["comment"]}
    writing = {name for name, job in jobs.items() if "write" in job["permissions"].values()}

    assert writing == {"publish", "fork"}
    assert jobs["review"]["permissions"] == {"contents": "read"}
    for name, job in jobs.items():
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", step["uses"])
                assert name not in writing or "checkout" not in step["uses"]
                assert "checkout" not in step["uses"] or step["with"]["persist-credentials"] is False
    assert "pull_request_target" not in str(review) + str(fork)
    assert set(review[True]) == {"pull_request"}  # YAML 1.1 reads the key `on` as true
    assert set(fork[True]) == {"workflow_run"}


def _scripts(value: Any) -> Iterator[str]:
    """Yield every script in a CI pipeline."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, Any]", value).items():
            if key in {"run", "bash"} or (key == "script" and isinstance(part, list)):
                yield from cast("list[str]", part) if isinstance(part, list) else (str(part),)
            else:
                yield from _scripts(part)
    elif isinstance(value, list):
        for part in cast("Iterable[Any]", value):
            yield from _scripts(part)


@pytest.mark.parametrize("host", HOSTS)
def test_no_script_contains_an_expression(host: str) -> None:
    """Scripts get values through the environment, since a branch may be named `$(id)`."""
    scripts = [entry for text in pipeline_files(host, PREVIEWING).values() for entry in _scripts(yaml.safe_load(text))]

    assert len(scripts) >= 2
    for script in scripts:
        assert not re.search(r"\$\{\{|\$\([A-Za-z.]+\)", script)
    for script in _scripts(_action()):
        assert "${{" not in script


Push = Callable[[str], tuple[int, CodeHost]]


class Repository:
    """A clone of a repository with a spec on its branch, and the environment variables of a CI pipeline."""

    def __init__(self, folder: Path, host: CodeHost) -> None:
        self.folder, self.host = folder / "clone", host
        origin = folder / "origin"
        (origin / "ml").mkdir(parents=True)
        (origin / "ml" / "system.yaml").write_text(SPEC, encoding="utf-8")
        who = {f"GIT_{role}_{part}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        self.environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
        self.environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsync", "GIT_CONFIG_VALUE_0": "none"}
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.git(origin, "init", "-q", "-b", "main")
        self.git(origin, "add", "-A")
        self.git(origin, "commit", "-qm", "first")
        self.git(folder, "clone", "-q", str(origin), "clone")
        self.base = self.git(self.folder, "rev-parse", "HEAD").strip()

    def git(self, folder: Path, *arguments: str) -> str:
        """Run git."""
        command = ["git", *arguments]
        process = subprocess.run(command, cwd=folder, env=self.environment, capture_output=True, text=True, check=True)
        return process.stdout

    def push(self, old: str, new: str) -> None:
        """Commit a change to the spec of the default branch."""
        assert old in SPEC
        (self.folder / "ml" / "system.yaml").write_text(SPEC.replace(old, new), encoding="utf-8")
        self.git(self.folder, "commit", "-qam", "change", "--allow-empty")

    def run(self, script: str, **variables: str) -> int:
        """Run a script as a code host's agent does."""
        command = ["bash", "-eo", "pipefail", "-c", script]
        environment = {**self.environment, **variables}
        self.done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        return self.done.returncode


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with running() as host:
        yield Repository(tmp_path, host)


def _action() -> Any:
    return yaml.safe_load(ACTION.read_text(encoding="utf-8"))


def _of_runner(repository: Repository) -> dict[str, str]:
    """Return a job's environment variables, including the paths of files created by GitHub's runner."""
    folder = repository.folder.parent / "runner"
    folder.mkdir(exist_ok=True)
    paths = {"GITHUB_OUTPUT": folder / "output", "GITHUB_STEP_SUMMARY": folder / "summary", "RUNNER_TEMP": folder}
    return {name: str(path) for name, path in paths.items()}


def _step(job: Any, name: str) -> str:
    return str(next(step["run"] for step in job["steps"] if step.get("name") == name))


def _review(job: str) -> str:
    """Return the review script from the workflow or from the action."""
    return _step(_parsed("github")["jobs"]["review"] if job == "workflow" else _action()["runs"], "Review")


def _on_github(repository: Repository) -> int:
    """Run the scripts of GitHub's jobs, and return the verdict's exit code."""
    workflow = _parsed("github")
    folder = repository.folder
    event = folder.parent / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
    own = {**_of_runner(repository), "BASE": repository.base}
    output, summary = Path(own["GITHUB_OUTPUT"]), Path(own["GITHUB_STEP_SUMMARY"])
    output.write_text("")
    jobs = workflow["jobs"]
    assert repository.run(_step(jobs["review"], "Review"), **workflow["env"], **own) == 0, repository.done.stderr
    annotations = repository.done.stdout
    variables = environment_of("github", repository.host, str(event))
    assert repository.run(_step(jobs["publish"], "Comment"), **variables) == 0, repository.done.stderr
    code = output.read_text(encoding="utf-8").strip().removeprefix("code=")
    verdict = repository.run(_step(jobs["verdict"], "Verdict"), CODE=code)
    assert summary.read_text(encoding="utf-8").startswith("<!-- modelyard:report:")
    assert bool(verdict) == ("::error" in annotations)
    return verdict


def _on_gitlab(repository: Repository) -> int:
    job = _parsed("gitlab")["modelyard"]
    variables = {**environment_of("gitlab", repository.host), "CI_MERGE_REQUEST_DIFF_BASE_SHA": repository.base}
    return repository.run(job["script"][-1], **job["variables"], **variables)


def _on_azure(repository: Repository) -> int:
    pipeline = _parsed("azure")
    scripts = {step["displayName"]: step["bash"] for step in pipeline["steps"] if "bash" in step}
    variables = {**environment_of("azure", repository.host), "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}
    assert repository.run(scripts["Review"], **pipeline["variables"], **variables) == 0, repository.done.stdout
    assert (repository.folder / "CodeAnalysisLogs" / "modelyard.sarif").is_file()
    assert repository.run(scripts["Comment"], **variables) == 0, repository.done.stderr
    return repository.run(scripts["Verdict"])


@pytest.mark.parametrize("run_steps", [_on_github, _on_gitlab, _on_azure], ids=HOSTS)
def test_steps_keep_one_comment_up_to_date(repository: Repository, run_steps: Callable[[Repository], int]) -> None:
    """A comment is only created for relevant changes, but an existing one is updated even if none are left."""
    host = repository.host
    repository.push("kind: MLSystem", "kind:   MLSystem")
    assert (run_steps(repository), host.notes, host.labels) == (0, [], set())

    repository.push("metadata: {name: churn", "metadata: {name: other")
    assert run_steps(repository) == 1
    assert len(host.ours) == 1
    assert ("R508" in host.ours[0], host.labels) == (True, {"modelyard/danger"})

    repository.push("kind: MLSystem", "kind:  MLSystem")
    assert run_steps(repository) == 0
    assert len(host.ours) == 1
    assert ("no changes that matter" in host.ours[0], host.labels) == (True, set())


@pytest.mark.parametrize("hashes", ["##", "###", "####"])
def test_a_spec_cannot_command_the_agent(repository: Repository, hashes: str) -> None:
    """Azure's agent obeys ##vso in any line of output, and errors quote lines from the spec."""
    repository.push("compute: {cpu", f"'{hashes}vso[task.setvariable variable=x]y': {{cpu")
    pipeline = _parsed("azure")
    script = next(step["bash"] for step in pipeline["steps"] if step.get("displayName") == "Review")
    repository.run(script, **pipeline["variables"], SYSTEM_PULLREQUEST_TARGETBRANCH="refs/heads/main")

    assert "vso[task" in repository.done.stdout
    assert "##" not in repository.done.stdout + repository.done.stderr


@pytest.mark.parametrize("job", ["workflow", "action"])
def test_a_spec_cannot_command_the_runner(repository: Repository, job: str) -> None:
    """GitHub's runner obeys ##[ in any line and :: at the start of a line, and errors quote lines from the spec."""
    repository.push("compute: {cpu", "'::stop-commands::##[stop-commands]x ###[stop-commands]x': {cpu")
    variables = {"BASE": repository.base, "MODELYARD_AGAINST": repository.base, "MODELYARD_OUT": "out"}
    repository.run(_review(job), **_parsed("github")["env"], **variables, **_of_runner(repository))

    lines = (repository.done.stdout + repository.done.stderr).splitlines()
    texts = [line for line in lines if not re.match("::(error|warning|notice) ", line)]
    assert "stop-commands" in "".join(texts)
    assert not [line for line in texts if "##" in line or "::" in line]


@pytest.mark.parametrize("job", ["workflow", "action"])
def test_what_the_annotations_print_besides_cannot_command_the_runner(repository: Repository, job: str) -> None:
    """The runner must obey annotations that `modelyard diff` prints to stdout, while stderr only has plain text."""
    programs = repository.folder.parent / "programs"
    programs.mkdir()
    program = programs / "modelyard"
    script = "mkdir -p modelyard-report; touch modelyard-report/comment.md; echo '##[a]x' >&2; echo '::b::x' >&2"
    program.write_text(f"#!/bin/sh\n{script}\n[ $1 = report ] || echo '::notice::y'\n", encoding="utf-8")
    program.chmod(0o755)
    variables = {"BASE": "x", "MODELYARD_AGAINST": "x", "MODELYARD_OUT": "modelyard-report"}
    variables["PATH"] = f"{programs}{os.pathsep}{repository.environment['PATH']}"
    assert repository.run(_review(job), **{**_parsed("github")["env"], **variables, **_of_runner(repository)}) == 0

    lines = (repository.done.stdout + repository.done.stderr).splitlines()
    assert sorted(lines) == ["# # [a]x", "# # [a]x", ": :b: :x", ": :b: :x", "::notice::y"]


def test_a_pipeline_does_not_run_code_of_the_repository(repository: Repository) -> None:
    """A module in the repository named like a standard library module isn't imported."""
    for name in ("json", "argparse", "pip", "yaml"):
        (repository.folder / f"{name}.py").write_text("raise SystemExit('imported')", encoding="utf-8")

    assert repository.run("modelyard --version && python -I -m pip --version") == 0
