"""Tests of `modelyard comment` against the APIs of three code hosts on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelyard.cli.main import main
from modelyard.hosts.comments import LONGEST
from modelyard.printing.comment import NOTHING, marker
from tests.compiler.hosts.code_hosts import TOKEN, CodeHost, environment_of, running

HOSTS = ("github", "gitlab", "azure")
FIRST = marker("system.yaml")
Posted = Callable[..., tuple[int, str]]


@pytest.fixture
def host() -> Iterator[CodeHost]:
    with running() as code_host:
        yield code_host


@pytest.fixture
def post(host: CodeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Posted:
    """Return a function that posts a report with a verdict, and returns the exit code and output."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def run(name: str, text: str, verdict: str = "danger", **variables: str) -> tuple[int, str]:
        (tmp_path / "comment.md").write_text(text, encoding="utf-8")
        (tmp_path / "review.json").write_text(json.dumps({"verdict": verdict}), encoding="utf-8")
        for key, value in {**environment_of(name, host, str(event)), **variables}.items():
            monkeypatch.setenv(key, value)
        code = main(["comment", name, "--report", str(tmp_path)])
        captured = capsys.readouterr()
        assert TOKEN not in captured.out + captured.err
        return code, captured.err.strip()

    return run


@pytest.mark.parametrize("name", HOSTS)
def test_one_comment_is_created_and_then_updated(host: CodeHost, post: Posted, name: str) -> None:
    """One comment is created and then updated. The label follows the verdict, and unchanged reports send nothing."""
    assert post(name, f"{FIRST}\none", "danger") == (0, "comment created")
    assert (host.ours, host.labels) == ([f"{FIRST}\none"], {"modelyard/danger"})
    assert post(name, f"{FIRST}\ntwo", "review") == (0, "comment updated")
    assert (host.ours, host.labels) == ([f"{FIRST}\ntwo"], {"modelyard/review"})
    writes = len(host.writes)
    assert post(name, f"{FIRST}\ntwo", "review") == (0, "comment unchanged")
    assert len(host.writes) == writes
    assert post(name, f"{FIRST}\n{NOTHING}\nnone", "nothing") == (0, "comment updated")
    assert (host.ours, host.labels) == ([f"{FIRST}\n{NOTHING}\nnone"], set())


@pytest.mark.parametrize("name", HOSTS)
def test_nothing_is_said_if_nothing_matters(host: CodeHost, post: Posted, name: str) -> None:
    assert post(name, f"{FIRST}\n{NOTHING}\nnone", "nothing") == (0, "comment not needed")
    assert host.notes == []


@pytest.mark.parametrize("name", HOSTS)
def test_comments_of_others_and_of_other_specs_are_left_alone(host: CodeHost, post: Posted, name: str) -> None:
    """Our comment is found on a later page, and isn't confused with others that have the same first line."""
    other_comments = [host.add(f"{FIRST}\nmine", "mallory"), host.add(f"{marker('b.yaml')}\nother")]
    for number in range(120):
        host.add(f"remark {number}", "ada")
    assert post(name, f"{FIRST}\none") == (0, "comment created")
    assert post(name, f"{FIRST}\ntwo") == (0, "comment updated")

    assert [note.text.partition("\n")[2] for note in other_comments] == ["mine", "other"]
    assert host.ours[1:] == [f"{FIRST}\ntwo"]
    assert not [request for request in host.writes if request.startswith("DELETE")]


@pytest.mark.parametrize("name", HOSTS)
def test_the_same_comment_of_somebody_else_does_not_replace_ours(host: CodeHost, post: Posted, name: str) -> None:
    """Otherwise, anyone could post a copy of a report early and prevent ours from ever being updated."""
    host.add(f"{FIRST}\none", "mallory")

    assert post(name, f"{FIRST}\none") == (0, "comment created")
    assert host.ours == [f"{FIRST}\none"]


@pytest.mark.parametrize("name", HOSTS)
def test_a_busy_host_is_asked_again(host: CodeHost, post: Posted, name: str) -> None:
    host.busy = [(429, {"Retry-After": "3"}), (502, {}), (503, {})]

    assert post(name, f"{FIRST}\none") == (0, "comment created")
    assert len(host.ours) == 1

    host.busy = [(503, {})] * 4
    code, message = post(name, f"{FIRST}\ntwo")
    assert (code, "with 503" in message) == (1, True)


def test_what_was_created_without_an_answer_is_not_created_twice(host: CodeHost, post: Posted) -> None:
    """If a gateway reports an error after the code host has stored the comment, the next attempt finds it."""
    add = host.add

    def lost(text: str, author: str = "github-actions[bot]") -> object:
        note = add(text, author)
        host.busy = [(502, {})]  # for the next request, which sets the label
        return note

    host.add = lost  # type: ignore[method-assign, assignment] # a host that loses a response
    assert post("github", f"{FIRST}\none") == (0, "comment unchanged")
    assert len(host.ours) == 1


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        f" {FIRST}\nx",
        "<!-- modelyard:report:zzzzzzzzzzzz -->\nx",
        f"{FIRST}\n{'x' * LONGEST}",
        f"{FIRST}\n{marker('b.yaml')}",
        f"{FIRST}\na\0b",
    ],
)
def test_only_reports_are_posted(host: CodeHost, post: Posted, text: str) -> None:
    """Any other text is refused, since the artifact of a fork's pipeline may contain anything."""
    code, message = post("github", text)

    assert code == 1
    assert "is not posted" in message
    assert host.requests == []


def test_links_are_not_followed(host: CodeHost, post: Posted, tmp_path: Path) -> None:
    post("github", f"{FIRST}\none")
    secret = tmp_path / "secret"
    secret.write_text(f"{FIRST}\nsecret", encoding="utf-8")
    (tmp_path / "comment.md").unlink()
    (tmp_path / "comment.md").symlink_to(secret)

    assert main(["comment", "github", "--report", str(tmp_path)]) == 1
    assert host.ours == [f"{FIRST}\none"]


def test_the_run_of_a_fork_is_followed_to_its_pull_request(host: CodeHost, post: Posted, tmp_path: Path) -> None:
    """Unlike the artifact, the event contains the reviewed commit and fork, so the pull request can be found."""
    event = tmp_path / "run.json"
    run = {"head_branch": "a/b", "head_sha": "c0ffee", "head_repository": {"owner": {"login": "eve"}}}
    event.write_text(json.dumps({"workflow_run": run}), encoding="utf-8")
    host.pulls = [
        {"label": "eve:a/b", "number": 6, "head": {"sha": "beef"}},
        {"label": "eve:a/b", "number": 7, "head": {"sha": "c0ffee"}},
    ]
    assert post("github", f"{FIRST}\none", GITHUB_EVENT_PATH=str(event)) == (0, "comment created")

    host.pulls = host.pulls[:1]
    code, message = post("github", f"{FIRST}\ntwo", GITHUB_EVENT_PATH=str(event))
    assert (code, host.ours) == (1, [f"{FIRST}\none"])
    assert "no open pull request" in message


@pytest.mark.parametrize(
    ("name", "variables", "message"),
    [
        ("github", {"GITHUB_TOKEN": "wrong"}, "with 401; is the token valid?"),
        ("github", {"GITHUB_TOKEN": ""}, "GITHUB_TOKEN and GITHUB_REPOSITORY must be set"),
        ("github", {"GITHUB_TOKEN": "a\r\nX-Evil: b"}, "a character that a header cannot contain"),
        ("github", {"GITHUB_REPOSITORY": "a/../b"}, "must be set"),
        ("github", {"GITHUB_API_URL": "http://api.example"}, "begins with https://"),
        ("github", {"GITHUB_EVENT_PATH": "none"}, "does not name the event"),
        ("gitlab", {"CI_MERGE_REQUEST_IID": "7/../8"}, "must be set"),
        ("gitlab", {"CI_PROJECT_ID": "13"}, "with 404"),
        ("azure", {"SYSTEM_ACCESSTOKEN": ""}, "System.AccessToken"),
        ("azure", {"SYSTEM_COLLECTIONURI": "file:///etc"}, "begins with https://"),
    ],
)
def test_what_is_wrong_is_reported(
    host: CodeHost, post: Posted, name: str, variables: dict[str, str], message: str
) -> None:
    code, printed = post(name, f"{FIRST}\none", **variables)

    assert code == 1
    assert message in printed
    assert host.notes == []


def test_redirects_do_not_get_the_token(host: CodeHost, post: Posted) -> None:
    with running() as other:
        host.busy = [(302, {"Location": f"{other.url}/user"})]
        code, printed = post("gitlab", f"{FIRST}\none")

        assert (code, other.requests) == (1, [])
        assert "redirects are not followed" in printed


@pytest.mark.parametrize("name", HOSTS)
def test_another_server_is_recognized(host: CodeHost, post: Posted, name: str) -> None:
    """A server that responds with other JSON causes a one-line error rather than a traceback."""
    host.busy = [(200, {})] * 9
    code, printed = post(name, f"{FIRST}\none")

    assert (code, printed) == (1, "error: the host's answer does not match its API documentation")
