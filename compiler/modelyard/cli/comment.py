"""`modelyard comment`: post a report's comment on a pull request, or update the existing one."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from modelyard.cli.console import say
from modelyard.hosts import azure, github, gitlab
from modelyard.hosts.comments import LONGEST, Host, Post, post_of, publish
from modelyard.hosts.connection import HostError, repeated
from modelyard.regular_files import read


def run(arguments: argparse.Namespace) -> int:
    """Create or update the comment. Returns 1 if the report is invalid or the host rejects the request."""
    try:
        post = _post(Path(arguments.report))
        host = _host(arguments)
        outcome = repeated(lambda: publish(post, host))
    except (HostError, ValueError) as problem:
        say(f"error: {problem}")
        return 1
    say(f"comment {outcome}")
    return 0


def _host(arguments: argparse.Namespace) -> Host:
    if arguments.host == "github":
        return github.pull_request(os.environ, arguments.author)
    return gitlab.merge_request(os.environ) if arguments.host == "gitlab" else azure.pull_request(os.environ)


def _post(folder: Path) -> Post:
    """Read the comment and verdict without following links, since the folder may be a fork's artifact."""
    text = _text(folder / "comment.md", LONGEST * 4)
    try:
        review = json.loads(_text(folder / "review.json", 64 * 2**20))
        verdict = str(review["verdict"])
    except (KeyError, TypeError, RecursionError, json.JSONDecodeError):
        raise ValueError(f"{folder / 'review.json'} does not have the format of a report") from None
    try:
        return post_of(text, verdict)
    except ValueError as problem:
        raise ValueError(f"{folder / 'comment.md'} is not posted: {problem}") from None


def _text(path: Path, longest: int) -> str:
    """Read a text file of limited size."""
    try:
        if path.lstat().st_size > longest:
            raise ValueError(f"{path} is larger than any report")
        return read(str(path)).decode("utf-8")
    except OSError as problem:
        raise ValueError(f"{path} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
