"""What is told about the output folder: E07. None of these points into a spec, for none of them is a spec's mistake."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType

from modelyard.diagnostics.base import Diagnostic, Severity


def _error(code: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, None, hint)


def edited_by_hand(path: str) -> Diagnostic:
    """A file that modelyard wrote was edited, and compiling would overwrite the edit.

    Nothing is written then, in no target of the environment. What was changed by hand belongs into the spec, where the
    next compile keeps it: a field, or an entry under `overrides`.

    Wrong: `build/prod/main/workloads/manifests/model-scorer.yaml` with another number of replicas.

    Right: `replicas` changed in the spec, and compiled again; or `modelyard compile --force`, which writes its own text
    and keeps the edited one beside it as `model-scorer.yaml.edited`.
    """
    hint = "change the spec instead; --force overwrites the file and keeps your text beside it as .edited"
    return _error("E0701", f"'{path}' was edited after modelyard wrote it", hint)


def file_in_the_way(path: str) -> Diagnostic:
    """A file that modelyard did not write lies where it wants to write one.

    Your own files may lie in the output folder and are kept; at these paths they cannot.

    Wrong: your own `README.md` in `build/prod/main/`.

    Right: `NOTES.md`; or `modelyard compile --force`, which keeps yours beside it as `README.md.edited`.
    """
    hint = "move it; --force writes there and keeps your file beside it as .edited"
    return _error("E0702", f"'{path}' is not a file that modelyard wrote, and it wants to write there", hint)


def folder_in_the_way(path: str) -> Diagnostic:
    """A folder with files of yours lies where modelyard wants to write a file, or a file where it needs a folder.

    Wrong: a folder `build/prod/main/workloads/Pulumi.yaml/`.

    Right: the folder under another name.
    """
    return _error("E0703", f"'{path}' cannot be both a file and a folder", "move what you put there")


def link_in_the_way(path: str) -> Diagnostic:
    """A symbolic link lies where modelyard wants to write; it follows none, for a link may lead out of the folder.

    The folder that is given with `--out` may be a link. What lies inside it may not, where modelyard writes.

    Wrong: `build/prod` as a link to another disk.

    Right: `modelyard compile --out /other/disk/build`.
    """
    return _error(
        "E0704", f"'{path}' is a symbolic link, and none is followed", "remove the link; --out takes a folder"
    )


def path_refused(path: str, reason: str) -> Diagnostic:
    """A name of the spec became a path that cannot be written safely on every system.

    Paths stay inside the output folder, have parts of at most 255 bytes, and differ in more than capital letters.

    Wrong: `modelyard compile --env ..`

    Right: `modelyard compile --env prod`
    """
    return _error("E0705", f"'{path}' cannot be written: {reason}")


def output_busy(path: str) -> Diagnostic:
    """Another run of modelyard writes to the same output folder, and did not finish while this one waited.

    Two runs never mix: the second waits for the first.

    Wrong: two compiles at once into one folder, the first of them stopped in a debugger.

    Right: one after the other, or each with its own `--out`.
    """
    return _error("E0706", f"another modelyard writes to '{path}'", "wait for it, or give this run its own --out")


_REMEDIES: Mapping[int | None, str] = MappingProxyType(
    {
        errno.EEXIST: "it is a file or a link that leads nowhere; name a folder with --out",
        errno.ENOTDIR: "a part of it is a file; name a folder with --out",
        errno.EACCES: "name a folder that you may write to with --out",
        errno.EPERM: "name a folder that you may write to with --out",
        errno.EROFS: "name a folder on another disk with --out",
        errno.ENOSPC: "make room, or name a folder on another disk with --out",
        errno.EDQUOT: "make room, or name a folder on another disk with --out",
    }
)


def cannot_write(path: str, problem: OSError, is_output: bool = True) -> Diagnostic:
    """The operating system refused to read or write in the output folder; what was there before is still there, whole.

    Wrong: `--out` on a read-only disk, or on one that is full.

    Right: a folder that you may write to, with room for the files.
    """
    reason = problem.strerror or str(problem)
    said = f"{reason[:1].lower()}{reason[1:]}"
    return _error("E0707", f"cannot write '{path}': {said}", _REMEDIES.get(problem.errno, "") if is_output else "")
