"""The comment on a GitHub pull request (docs.github.com/rest/issues/comments, 2026-11)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from modelyard.hosts.connection import Connection, HostError, Json, connection, part, rows
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.regular_files import read

_PAGE: Final = 100
_REPOSITORY: Final = pattern(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


@record
class PullRequest:
    """A pull request. A comment on it is considered ours if `author` wrote it."""

    api: Connection
    repository: str
    number: int
    author: str

    def comments(self) -> Iterator[tuple[str, str]]:
        """Yield the number and text of each comment that `author` wrote."""
        for comment in _pages(self.api, f"/repos/{self.repository}/issues/{self.number}/comments", {}):
            if part(comment, "user", "login") == self.author:
                yield str(part(comment, "id")), part(comment, "body") or ""

    def create(self, text: str) -> None:
        """Add a comment."""
        self.api.send("POST", f"/repos/{self.repository}/issues/{self.number}/comments", {"body": text})

    def update(self, number: str, text: str) -> None:
        """Replace the text of a comment."""
        self.api.send("PATCH", f"/repos/{self.repository}/issues/comments/{number}", {"body": text})

    def label(self, add: str, remove: tuple[str, ...]) -> None:
        """Add and remove labels."""
        path = f"/repos/{self.repository}/issues/{self.number}/labels"
        names = {part(label, "name") for label in _pages(self.api, path, {})}
        for name in remove:
            if name in names:
                self.api.send("DELETE", f"{path}/{quote(name, safe='')}")
        if add and add not in names:
            self.api.send("POST", path, {"labels": [add]})


def pull_request(environment: Mapping[str, str], author: str) -> PullRequest:
    """Return the pull request from the event that started the workflow, never from a fork's artifact."""
    repository = environment.get("GITHUB_REPOSITORY", "")
    token = environment.get("GITHUB_TOKEN", "")
    if not token or not _REPOSITORY.fullmatch(repository):
        raise HostError("GITHUB_TOKEN and GITHUB_REPOSITORY must be set, as in a workflow of GitHub")
    url = environment.get("GITHUB_API_URL") or "https://api.github.com"
    api = connection(url, "Authorization", f"Bearer {token}")
    return PullRequest(api, repository, _number(api, repository, _event(environment)), author)


def _event(environment: Mapping[str, str]) -> Json:
    try:
        return json.loads(read(environment["GITHUB_EVENT_PATH"]))
    except (KeyError, OSError, ValueError):
        raise HostError("GITHUB_EVENT_PATH does not name the event of a workflow") from None


def _number(api: Connection, repository: str, event: Json) -> int:
    """Return the number of the pull request. A fork's workflow run is traced back to the open pull request."""
    number = part(event, "pull_request", "number")
    if isinstance(number, int):
        return number
    owner = part(event, "workflow_run", "head_repository", "owner", "login")
    branch, commit = (part(event, "workflow_run", name) for name in ("head_branch", "head_sha"))
    if not owner or not branch or not commit:
        raise HostError("the workflow was not started by a pull request")
    for pull_request in _pages(api, f"/repos/{repository}/pulls", {"state": "open", "head": f"{owner}:{branch}"}):
        if part(pull_request, "head", "sha") == commit:
            return int(part(pull_request, "number"))
    raise HostError("no open pull request has the commit of this run; a later one has its own run")


def _pages(api: Connection, path: str, query: Mapping[str, str]) -> Iterator[Json]:
    page = 1
    while True:
        entries = rows(api.send("GET", f"{path}?{urlencode({**query, 'per_page': _PAGE, 'page': page})}"))
        yield from entries
        if len(entries) < _PAGE:
            return
        page += 1
