"""Tests the CI jobs that run `pulumi preview`: who may run them, and how the review uses the preview."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Final

import pytest
import yaml

from modelyard.hosts.pipelines import pipeline_files
from tests.compiler.hosts.test_pipelines import HOSTS, PREVIEWING, Repository, repository
from tests.narrowing import present

__all__ = ["repository"]

_PULUMI: Final = """\
#!/usr/bin/env python3
import json, os, sys, yaml
folder, verb = sys.argv[2], sys.argv[4]
name = sys.argv[sys.argv.index("--stack") + 1] if "--stack" in sys.argv else ""
stack = os.path.join(folder, f"Pulumi.{name}.yaml")
if verb == "config":
    if os.environ.get("UNKNOWN"):
        sys.exit("error: no stack named 'prod' found ##vso[x]")
    written = yaml.safe_load(open(stack))
    deployed = {"config": {"kubeconfig": {"secure": "abc"}, "churn-main-workloads:context": "another"}}
    yaml.safe_dump(deployed, open(stack, "w"))
    open(os.environ["CALLS"], "w").write(json.dumps(written))
elif verb == "preview":
    config = yaml.safe_load(open(stack))["config"]
    urn = f"urn:pulumi:{name}::churn-main-workloads::kubernetes:ray.io/v1:RayService::churn/score-only"
    secret = {"outputs": {"password": "p4ssw0rd"}, "parent": urn.replace("RayService::churn/score-only", "Stack::x")}
    print(json.dumps({"config": config, "steps": [{"op": "delete", "urn": urn, "oldState": secret}]}))
"""
"""A stand-in for `pulumi`: its stack has a kubeconfig, and its preview deletes a server that the change keeps."""


def _pipeline(host: str) -> Any:
    return yaml.safe_load(next(iter(pipeline_files(host, PREVIEWING).values())))


def _scripts(host: str) -> tuple[str, str]:
    """Return the preview script and the review script."""
    content = _pipeline(host)
    if host == "gitlab":
        return content["modelyard-preview"]["script"][-1], content["modelyard"]["script"][-1]
    if host == "github":
        steps = [*content["jobs"]["preview"]["steps"], *content["jobs"]["review"]["steps"]]
        scripts = {step.get("name"): step.get("run") for step in steps}
    else:
        scripts = {step.get("displayName"): step.get("bash") for step in content["steps"]}
    return str(scripts["Preview"]), str(scripts["Review"])


def _without_installing(script: str) -> str:
    """Return a script whose installation commands do nothing."""
    return re.sub(r"(?m)^( *)(curl|python -I -m (pip|venv)) .*$", r"\1:", script)


def _variables(repository: Repository) -> dict[str, str]:
    folder = repository.folder.parent
    programs = folder / "programs"
    programs.mkdir()
    (programs / "pulumi").write_text(_PULUMI, encoding="utf-8")
    (programs / "pulumi").chmod(0o755)
    (folder / "runner").mkdir()
    return {
        "PATH": f"{programs}{os.pathsep}{repository.environment['PATH']}",
        "HOME": str(folder),
        "BASE": repository.base,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": repository.base,
        "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
        "AGENT_TEMPDIRECTORY": str(folder / "runner"),
        "RUNNER_TEMP": str(folder / "runner"),
        "GITHUB_OUTPUT": str(folder / "runner" / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "runner" / "summary"),
        "CALLS": str(folder / "calls.json"),
        **{f"MODELYARD_{name}": value for name, value in (("SPEC", "ml"), ("PREVIEW", "prod"), ("FAIL_ON", "never"))},
    }


@pytest.mark.parametrize("host", HOSTS)
def test_what_a_preview_shows_is_in_the_review(repository: Repository, host: str) -> None:
    """The preview uses the last deployment's settings. The stack's outputs and settings don't leave the job."""
    repository.push("owner: {team: growth", "owner: {team: sales")
    variables = _variables(repository)
    preview, review = _scripts(host)
    backend = {"PULUMI_BACKEND_URL": "file:///state", "PULUMI_ACCESS_TOKEN": ""}
    assert repository.run(_without_installing(preview), **variables, **backend) == 0, repository.done.stderr
    (file,) = (repository.folder / "modelyard-previews").iterdir()
    assert file.name == "main-workloads.json"
    assert set(json.loads(file.read_text(encoding="utf-8"))) == {"steps", "diagnostics"}
    assert "p4ssw0rd" not in file.read_text(encoding="utf-8")

    assert repository.run(review, **variables) == 0, repository.done.stdout + repository.done.stderr
    comment = (repository.folder / "modelyard-report" / "comment.md").read_text(encoding="utf-8")
    assert "R524" in comment
    assert "destroys Ray cluster score-only" in comment


def test_the_stack_of_each_site_is_previewed(repository: Repository) -> None:
    sites = 'context: "${site.name}", sites: {values: {north: {}, south: {}}}}'
    repository.push("context: here}", sites)
    preview, review = _scripts("github")
    variables = _variables(repository)
    script = _without_installing(preview)
    assert repository.run(script, **variables, PULUMI_BACKEND_URL="file:///state") == 0, repository.done.stderr
    files = (repository.folder / "modelyard-previews").iterdir()
    assert sorted(file.name for file in files) == ["main-workloads.north.json", "main-workloads.south.json"]

    assert repository.run(review, **variables) == 0, repository.done.stdout + repository.done.stderr
    comment = (repository.folder / "modelyard-report" / "comment.md").read_text(encoding="utf-8")
    assert all(f"with stack prod.{site} destroys Ray cluster score-only" in comment for site in ("north", "south"))


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(("missing", "message"), [("credentials", "nothing is previewed"), ("stack", "no stack named")])
def test_without_credentials_or_a_stack_there_is_no_preview(
    repository: Repository, host: str, missing: str, message: str
) -> None:
    """The review is otherwise complete without a preview. Pulumi's output can't send commands to the agent."""
    repository.push("owner: {team: growth", "owner: {team: sales")
    variables = _variables(repository)
    preview, review = _scripts(host)
    macro = {"PULUMI_ACCESS_TOKEN": "$(PULUMI_ACCESS_TOKEN)"} if host == "azure" else {}
    settings = macro if missing == "credentials" else {"PULUMI_BACKEND_URL": "file:///state", "UNKNOWN": "1"}
    assert repository.run(_without_installing(preview), **variables, **settings) == 0, repository.done.stderr
    assert message in repository.done.stdout
    assert "##" not in repository.done.stdout

    assert repository.run(review, **variables) == 0, repository.done.stdout + repository.done.stderr
    assert "R524" not in (repository.folder / "modelyard-report" / "comment.md").read_text(encoding="utf-8")


def test_only_the_job_that_previews_has_credentials() -> None:
    """The preview job doesn't run for forks, and installs nothing named by a change."""
    github, gitlab, azure = (_pipeline(host) for host in ("github", "gitlab", "azure"))
    jobs = github["jobs"]
    assert "head.repo.full_name == github.repository" in jobs["preview"]["if"]
    assert jobs["preview"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert jobs["review"]["permissions"] == {"contents": "read"}
    assert {name for name, job in jobs.items() if "secrets." in str(job)} == {"preview"}
    assert {name for name, job in jobs.items() if "environment" in job} == {"preview"}

    (rule,) = gitlab["modelyard-preview"]["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID" in rule["if"]
    assert "environment" not in gitlab["modelyard"]

    first, *rest = [step for step in azure["steps"] if "bash" in step]
    assert "ne(variables['System.PullRequest.IsFork'], 'True')" in first["condition"]
    assert not [step for step in rest if "PULUMI" in str(step.get("env"))]
    for text in (str(jobs["preview"]), str(gitlab["modelyard-preview"]), present(first["bash"])):
        assert "requirements.txt" not in text
