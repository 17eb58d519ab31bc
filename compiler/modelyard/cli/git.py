"""Read files from an earlier revision using git. Only `modelyard diff --against` runs it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.records import record

_LARGEST = 64 * 2**20
_ASTRAY = {
    b"symlink": "is a symbolic link to a place outside the repository",
    b"dangling": "is a symbolic link to nothing",
    b"loop": "is a symbolic link to itself",
    b"notdir": "is below a path that is a symbolic link to a file",
}
"""Git's responses for links that it cannot follow within a commit."""


_HINTS: Final = {
    "not a git repository": "compare two files or folders instead, such as `modelyard diff OLD NEW`",
    "dubious ownership": "check whose folder this is; `git config --global --add safe.directory FOLDER` trusts it",
}
"""Hints for git errors, keyed by a substring of git's message."""


class GitError(Exception):
    """Raised if git fails, with a short reason and a hint."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint or next((hint for part, hint in _HINTS.items() if part in reason), "")


@record
class Revision:
    """A commit in a folder's repository. `name` is what the user typed, and `above` is the folder's path."""

    folder: str
    commit: str
    name: str
    above: str

    def files(self, under: str) -> dict[str, bytes]:
        """Return the files below a folder, or the file itself, by path relative to this revision's folder.

        Links are followed within the commit, as in a checkout. Raises GitError for a link that leads out of the commit,
        since its target at that time is unknown.
        """
        kind, content = self._object(under)
        if kind == "blob":
            return {under: content}
        return dict(self._below(under, set())) if kind == "tree" else {}

    def _below(self, folder: str, above: set[bytes]) -> Iterator[tuple[str, bytes]]:
        """Yield the files below a folder.

        `above` holds the trees that lead to it, which allows endless links to be detected.
        """
        listing = self._batch("--batch-check", folder).split(maxsplit=1)[0]
        if listing in above:
            raise GitError(f"{folder} is a symbolic link to a folder that contains it")
        for entry in _git(self.folder, "ls-tree", "--full-tree", "-z", listing.decode()).split(b"\0"):
            head, tab, path = entry.partition(b"\t")
            name = os.fsdecode(path)
            if not tab or "\n" in name:  # no file that a spec could refer to has a line break in its name
                continue
            child = f"{folder}/{name}"
            if head.startswith(b"160000"):
                raise GitError(f"{child} is a submodule")
            kind, content = self._object(child)
            if kind == "blob":
                yield child, content
            elif kind == "tree":
                yield from self._below(child, above | {listing})

    def _object(self, path: str) -> tuple[str, bytes]:
        """Return the object at a path in the commit: `blob` and its content, `tree`, or "" for anything else."""
        head, _, content = self._batch("--batch", path).partition(b"\n")
        words = head.split(b" ")
        if words[0] in _ASTRAY:
            raise GitError(f"{path} {_ASTRAY[words[0]]}")
        kind = words[1].decode() if len(words) == 3 and words[1] in {b"blob", b"tree"} else ""
        return kind, content[:-1] if kind == "blob" else b""

    def _batch(self, mode: str, path: str) -> bytes:
        """Read a single object by path.

        Git follows links and prints a header line, followed by the content if `mode` is `--batch`.
        """
        full_path = self._full_path(path)
        if "\n" in full_path:
            raise GitError("the path of the spec contains a line break")
        name = os.fsencode(f"{self.commit}:{'' if full_path == '.' else full_path}\n")
        return _git(self.folder, "cat-file", mode, "--follow-symlinks", stdin=name)

    def _full_path(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.above, path)).replace(os.sep, "/")


def merge_base(folder: str, name: str) -> Revision:
    """Return the commit where HEAD diverged from a revision, so that changes made there since are ignored."""
    commit = _commit(folder, name)
    base = _git(folder, "merge-base", commit, "HEAD").decode().split()
    if not base:
        raise GitError(f"{name} and HEAD have no common commit")
    return Revision(folder, base[0], name, _above(folder))


def _commit(folder: str, name: str) -> str:
    """Return the commit that a revision refers to."""
    try:
        output = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except GitError:
        _git(folder, "rev-parse", "--git-dir")  # raises GitError if git rejects the whole folder
        hint = "fetch it, with its history: `git fetch origin`, or `fetch-depth: 0` in a pipeline"
        raise GitError(f"'{name}' is not a revision of this repository", hint) from None
    return output.decode().strip()


def _above(folder: str) -> str:
    """Return a folder's path in its repository as typed, since a change can turn a folder into a symbolic link.

    Raises GitError if the typed path doesn't pass through the repository's top-level folder.
    """
    top = os.fsdecode(_git(folder, "rev-parse", "--show-toplevel")).rstrip("\n")
    typed = os.path.normpath(os.path.join(_working_folder(), folder))
    way = [typed]
    while way[-1] != os.path.dirname(way[-1]):
        way.append(os.path.dirname(way[-1]))
    start = next(
        (ancestor for ancestor in reversed(way) if os.path.exists(ancestor) and os.path.samefile(ancestor, top)), None
    )
    # On disk, `link/..` leads to a different place than the text suggests.
    if start is None or not (os.path.exists(typed) and os.path.samefile(typed, folder or ".")):
        raise GitError(f"{folder or '.'} leads through a symbolic link into another folder")
    relative = os.path.relpath(typed, start)
    return "" if relative == os.curdir else relative


def _working_folder() -> str:
    """Return the working directory as the shell reports it, keeping symbolic links if PWD is valid."""
    shell_folder = os.environ.get("PWD", "")
    is_true = os.path.isabs(shell_folder) and os.path.exists(shell_folder) and os.path.samefile(shell_folder, os.curdir)
    return shell_folder if is_true else os.getcwd()


def default_revision(folder: str) -> str:
    """Return the default branch of the upstream repository, falling back to this repository's."""
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


def _git(folder: str, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ("git", "--no-pager", "--literal-pathspecs", *arguments)
    import subprocess  # imported here because comparing two paths does not need git

    try:
        plain = {**os.environ, "LC_ALL": "C"}  # for the hints
        result = subprocess.run(command, cwd=folder or ".", capture_output=True, check=False, input=stdin, env=plain)
    except OSError as problem:
        raise GitError(f"git cannot be started: {problem.strerror or 'unknown reason'}") from problem
    if result.returncode:
        raise GitError(_reason(result.stderr.decode("utf-8", "replace"), arguments))
    return result.stdout[:_LARGEST]


def _reason(error: str, arguments: Iterable[str]) -> str:
    lines = [line for line in error.splitlines() if line.strip()]
    fatal = [line.removeprefix("fatal: ") for line in lines if line.startswith("fatal: ")]
    return (fatal or lines or [f"git {next(iter(arguments))} found nothing"])[0]
