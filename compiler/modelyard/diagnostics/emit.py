"""Diagnostics about the output folder: E07. They have no place in a spec, because specs do not cause them."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType

from modelyard.diagnostics.base import Diagnostic, Severity


def _error(code: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, None, hint)


def edited_by_hand(path: str) -> Diagnostic:
    """A file that modelyard wrote was edited, and compiling would overwrite the edit.

    Nothing is written then, for any target of the environment. Make the change in the spec instead, where the next
    compile keeps it: as a field, or as an entry under `overrides`.

    Wrong: `build/prod/main/workloads/manifests/model-scorer.yaml` with another number of replicas.

    Right: `replicas` changed in the spec, and compiled again; or `modelyard compile --force`, which overwrites the file
    and keeps your edits beside it as `model-scorer.yaml.edited`.
    """
    hint = "change the spec instead; --force overwrites the file and keeps your version beside it as .edited"
    return _error("E0701", f"'{path}' was edited after modelyard wrote it", hint)


def file_in_the_way(path: str) -> Diagnostic:
    """A file that modelyard did not write exists where it needs to write one.

    Your own files may be in the output folder and are kept, but not at these paths.

    Wrong: your own `README.md` in `build/prod/main/`.

    Right: `NOTES.md`; or `modelyard compile --force`, which keeps yours beside it as `README.md.edited`.
    """
    hint = "move it; --force writes there and keeps your file beside it as .edited"
    return _error("E0702", f"'{path}' was not written by modelyard, which needs to write there", hint)


def folder_in_the_way(path: str) -> Diagnostic:
    """A folder with your files is where modelyard needs to write a file, or a file is where it needs a folder.

    Wrong: a folder `build/prod/main/workloads/Pulumi.yaml/`.

    Right: the folder under another name.
    """
    return _error("E0703", f"'{path}' cannot be both a file and a folder", "move what you put there")


def link_in_the_way(path: str) -> Diagnostic:
    """A symbolic link is where modelyard needs to write; it follows none, because a link may lead out of the folder.

    The folder given with `--out` may be a link. Paths inside it may not, where modelyard writes.

    Wrong: `build/prod` as a link to another disk.

    Right: `modelyard compile --out /other/disk/build`.
    """
    return _error(
        "E0704", f"'{path}' is a symbolic link, and modelyard follows none", "remove the link; --out takes a folder"
    )


def path_refused(path: str, reason: str) -> Diagnostic:
    """A name in the spec became a path that cannot be written safely on every system.

    Paths stay inside the output folder, have parts of at most 255 bytes, and differ by more than upper and lower case.

    Wrong: `modelyard compile --env ..`

    Right: `modelyard compile --env prod`
    """
    return _error("E0705", f"'{path}' cannot be written: {reason}")


def output_busy(path: str) -> Diagnostic:
    """Another run of modelyard is writing to the same output folder, and did not finish while this one waited.

    Two runs never mix: the second waits for the first.

    Wrong: two compiles at once into one folder, the first of them stopped in a debugger.

    Right: one after the other, or each with its own `--out`.
    """
    return _error("E0706", f"another modelyard is writing to '{path}'", "wait for it, or give this run its own --out")


_REMEDIES: Mapping[int | None, str] = MappingProxyType(
    {
        errno.EEXIST: "it is a file or a link that leads nowhere; name a folder with --out",
        errno.ENOTDIR: "part of the path is a file; name a folder with --out",
        errno.EACCES: "name a folder that you may write to with --out",
        errno.EPERM: "name a folder that you may write to with --out",
        errno.EROFS: "name a folder on another disk with --out",
        errno.ENOSPC: "free some space, or name a folder on another disk with --out",
        errno.EDQUOT: "free some space, or name a folder on another disk with --out",
    }
)


def cannot_write(path: str, problem: OSError, is_output: bool = True) -> Diagnostic:
    """The operating system refused to read or write in the output folder; the previous output is intact.

    Wrong: `--out` on a read-only disk, or on one that is full.

    Right: a folder that you may write to, with room for the files.
    """
    reason = problem.strerror or str(problem)
    reason = f"{reason[:1].lower()}{reason[1:]}"
    return _error("E0707", f"cannot write '{path}': {reason}", _REMEDIES.get(problem.errno, "") if is_output else "")
