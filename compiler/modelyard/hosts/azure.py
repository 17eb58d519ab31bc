"""The comment thread on an Azure DevOps pull request (learn.microsoft.com/rest/api/azure/devops/git, 7.1, 2026-11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from modelyard.hosts.connection import Connection, HostError, connection, part, rows
from modelyard.records import record

_VERSION: Final = "api-version=7.1"
_PREVIEW: Final = "api-version=7.1-preview"
"""The version for API features that Azure offers only as a preview, and rejects without this suffix."""

_MARKDOWN: Final = {"parentCommentId": 0, "commentType": "text"}
_ABSENT: Final = 404


@record
class PullRequest:
    """A pull request, identified by its path in the API. Azure lets only a comment's author edit it."""

    api: Connection
    path: str

    def comments(self) -> Iterator[tuple[str, str]]:
        """Yield the first comment of each thread that the token's owner started, as `thread/comments/comment`."""
        own = part(self.api.send("GET", f"/_apis/connectionData?{_PREVIEW}"), "authenticatedUser", "id")
        for thread in rows(part(self.api.send("GET", f"{self.path}/threads?{_VERSION}"), "value")):
            for comment in rows(part(thread, "comments") or [])[:1]:
                is_deleted = part(thread, "isDeleted") or part(comment, "isDeleted")
                if own is not None and part(comment, "author", "id") == own and not is_deleted:
                    yield f"{part(thread, 'id')}/comments/{part(comment, 'id')}", part(comment, "content") or ""

    def create(self, text: str) -> None:
        """Add a thread that does not have to be resolved."""
        body = {"comments": [{**_MARKDOWN, "content": text}], "status": "closed"}
        self.api.send("POST", f"{self.path}/threads?{_VERSION}", body)

    def update(self, number: str, text: str) -> None:
        """Replace the text of a comment."""
        self.api.send("PATCH", f"{self.path}/threads/{number}?{_VERSION}", {"content": text})

    def label(self, add: str, remove: tuple[str, ...]) -> None:
        """Add and remove labels."""
        for name in remove:
            try:
                self.api.send("DELETE", f"{self.path}/labels/{quote(name, safe='')}?{_VERSION}")
            except HostError as problem:
                if problem.status != _ABSENT:
                    raise
        if add:
            self.api.send("POST", f"{self.path}/labels?{_VERSION}", {"name": add})


def pull_request(environment: Mapping[str, str]) -> PullRequest:
    """Return the pull request that the pipeline runs for."""
    token = environment.get("SYSTEM_ACCESSTOKEN", "")
    names = ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "BUILD_REPOSITORY_ID", "SYSTEM_PULLREQUEST_PULLREQUESTID")
    url, project, repository, number = (environment.get(name, "") for name in names)
    if not token:
        raise HostError("SYSTEM_ACCESSTOKEN must be set, to $(System.AccessToken)")
    if not (url and project and repository and number.isdecimal()):
        raise HostError(f"{', '.join(names)} must be set, as in the pipeline of a pull request")
    api = connection(url, "Authorization", f"Bearer {token}")
    where = f"{quote(project, safe='')}/_apis/git/repositories/{quote(repository, safe='')}"
    return PullRequest(api, f"/{where}/pullRequests/{number}")
