"""Keep one comment on a change up to date: find it by its first line, create it once, edit it, never delete it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from modelyard.hosts.connection import HostError
from modelyard.patterns import pattern
from modelyard.records import record

LONGEST: Final = 65_000
"""The maximum number of characters: more than any report contains, but fewer than GitHub's limit."""

LABELS: Final = {"danger": "modelyard/danger", "review": "modelyard/review", "cannot-be-judged": "modelyard/danger"}
"""The label for each verdict. Verdicts that are not listed have no label."""

_MARKER: Final = pattern(r"<!-- modelyard:report:[0-9a-f]{12} -->")
_NOTHING: Final = "<!-- modelyard:nothing -->"


@record
class Post:
    """A comment, including its first line, and the verdict that determines its label."""

    marker: str
    text: str
    is_empty: bool
    verdict: str


class Host(Protocol):
    """A change on a code host: a pull request or a merge request."""

    def comments(self) -> Iterator[tuple[str, str]]:
        """Yield the number and text of each comment that the token's owner may have written."""
        ...

    def create(self, text: str) -> None:
        """Add a comment."""
        ...

    def update(self, number: str, text: str) -> None:
        """Replace the text of a comment."""
        ...

    def label(self, add: str, remove: tuple[str, ...]) -> None:
        """Add a label unless it is empty, and remove the others. Labels that aren't set are ignored."""
        ...


def post_of(text: str, verdict: str) -> Post:
    """Check a comment, which may come from a fork, and return it. Raises ValueError if it is invalid."""
    first, *rest = text.split("\n", 2)
    if not _MARKER.fullmatch(first):
        raise ValueError("it does not begin with the marker of a report")
    if len(text) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    if "\0" in text or text.count("<!-- modelyard:report:") > 1:
        raise ValueError("it does not have the format of a report")
    return Post(first, text, bool(rest) and rest[0] == _NOTHING, verdict)


def publish(post: Post, host: Host) -> str:
    """Create or update the comment and its label, and return a description of what was done.

    If the review contains nothing important, an existing comment is updated but none is created.
    """
    action = _comment(post, host)
    label = LABELS.get(post.verdict, "")
    host.label(label, tuple(sorted({*LABELS.values()} - {label})))
    return action


def _comment(post: Post, host: Host) -> str:
    refused: HostError | None = None
    for number, text in host.comments():
        lines = text.replace("\r\n", "\n")
        if lines.split("\n", 1)[0].strip() != post.marker:
            continue
        if lines.strip() == post.text.strip():
            return "unchanged"
        try:
            host.update(number, post.text)
        except HostError as problem:
            if problem.status not in {403, 404}:
                raise
            refused = problem  # written by another account, or deleted in the meantime
            continue
        return "updated"
    if post.is_empty:
        return "not needed"
    if refused is not None and refused.again_after_s is not None:
        raise refused
    host.create(post.text)
    return "created"
