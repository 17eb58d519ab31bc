"""Read files of an earlier revision from git, which only `modelyard diff --against` starts."""

from __future__ import annotations

import os
from collections.abc import Iterable

from modelyard.records import record

_LARGEST = 64 * 2**20


class GitError(Exception):
    """Raised if git cannot answer, with the reason in a few words."""


@record
class Revision:
    """A commit in a folder's repository: what the user called it (`name`), and the folder's path in it (`above`)."""

    folder: str
    commit: str
    name: str
    above: str

    def files(self, under: str) -> dict[str, bytes]:
        """Return the regular files below a folder, or the file itself, by path relative to this revision's folder."""
        listing = _git(self.folder, "ls-tree", "-r", "-z", "--full-tree", self.commit, "--", self._whole(under))
        found: dict[str, bytes] = {}
        for entry in listing.split(b"\0"):
            head, tab, path = entry.partition(b"\t")
            words = head.split()
            if tab and words[0] in {b"100644", b"100755"}:  # no links and no submodules
                name = os.fsdecode(path)
                found[os.path.relpath(name, self.above or ".")] = _git(
                    self.folder, "cat-file", "blob", words[2].decode()
                )
        return found

    def _whole(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.above, path)).replace(os.sep, "/")


def merge_base(folder: str, name: str) -> Revision:
    """Return the commit at which HEAD left a revision, so that what others merged since then is no change of ours."""
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
    base = _git(folder, "merge-base", commit, "HEAD").decode().split()
    if not base:
        raise GitError(f"{name} and HEAD have no common commit")
    above = _git(folder, "rev-parse", "--show-prefix").decode().rstrip("\n")
    return Revision(folder, base[0], name, above)


def default_revision(folder: str) -> str:
    """Return the default branch of the upstream repository, or of this one if there is none."""
    for candidate in (
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/main",
        "refs/remotes/origin/master",
        "refs/heads/main",
        "refs/heads/master",
    ):
        try:
            _git(folder, "rev-parse", "--verify", "--quiet", candidate)
        except GitError:
            continue
        return candidate
    raise GitError("there is no default branch to compare with; name a revision with --against")


def _git(folder: str, *arguments: str) -> bytes:
    command = ("git", "--no-pager", "--literal-pathspecs", *arguments)
    import subprocess  # imported here because two paths are compared without git

    try:
        done = subprocess.run(command, cwd=folder or ".", capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as problem:
        raise GitError(f"git cannot be started: {problem.strerror or 'unknown reason'}") from problem
    if done.returncode:
        raise GitError(_reason(done.stderr.decode("utf-8", "replace"), arguments))
    return done.stdout[:_LARGEST]


def _reason(error: str, arguments: Iterable[str]) -> str:
    lines = [line.removeprefix("fatal: ") for line in error.splitlines() if line.strip()]
    return lines[-1] if lines else f"git {next(iter(arguments))} found nothing"
