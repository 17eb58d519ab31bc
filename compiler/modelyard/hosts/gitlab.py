"""The note on a GitLab merge request (docs.gitlab.com/api/notes, 2026-11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from modelyard.hosts.connection import Connection, HostError, connection, part, rows
from modelyard.records import record

_PAGE: Final = 100


@record
class MergeRequest:
    """A merge request, identified by its path in the API."""

    api: Connection
    path: str

    def comments(self) -> Iterator[tuple[str, str]]:
        """Yield the notes written by the token's owner."""
        own = part(self.api.send("GET", "/user"), "id")
        page = 1
        while True:
            notes = rows(self.api.send("GET", f"{self.path}/notes?per_page={_PAGE}&page={page}&sort=asc"))
            ours = (note for note in notes if own is not None and part(note, "author", "id") == own)
            yield from ((str(part(note, "id")), part(note, "body") or "") for note in ours)
            if len(notes) < _PAGE:
                return
            page += 1

    def create(self, text: str) -> None:
        """Add a note."""
        self.api.send("POST", f"{self.path}/notes", {"body": text})

    def update(self, number: str, text: str) -> None:
        """Replace the text of a note."""
        self.api.send("PUT", f"{self.path}/notes/{number}", {"body": text})

    def label(self, add: str, remove: tuple[str, ...]) -> None:
        """Add and remove labels in one request."""
        self.api.send("PUT", self.path, {"add_labels": add, "remove_labels": ",".join(remove)})


def merge_request(environment: Mapping[str, str]) -> MergeRequest:
    """Return the merge request that the pipeline runs for."""
    token, url = environment.get("GITLAB_TOKEN", ""), environment.get("CI_API_V4_URL", "")
    project, number = environment.get("CI_PROJECT_ID", ""), environment.get("CI_MERGE_REQUEST_IID", "")
    if not token:
        raise HostError("GITLAB_TOKEN must be set to a token of the project with the scope api")
    if not (url and project and number.isdecimal()):
        raise HostError("CI_API_V4_URL, CI_PROJECT_ID and CI_MERGE_REQUEST_IID must be set, as in a merge request")
    api = connection(url, "PRIVATE-TOKEN", token)
    return MergeRequest(api, f"/projects/{quote(project, safe='')}/merge_requests/{number}")
