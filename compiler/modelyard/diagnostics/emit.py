"""Diagnostics about the output folder (E07). They have no location, because they aren't caused by a spec."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType

from modelyard.diagnostics.base import Diagnostic, Severity


def _error(code: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, None, hint)


def edited_by_hand(path: str) -> Diagnostic:
    """A file that modelyard wrote was edited, and compiling would overwrite the edit.

    Nothing is written for any target of the environment. Make the change in the spec instead, as a field or as an entry
    under `overrides`, so that the next compile keeps it.

    Wrong: `build/prod/main/workloads/manifests/model-scorer.yaml` with a different number of replicas.

    Right: change `replicas` in the spec and compile again, or run `modelyard compile --force`, which overwrites the
    file and keeps your edits beside it as `model-scorer.yaml.edited`.
    """
    hint = "change the spec instead, or overwrite the file with --force, which keeps your version beside it as .edited"
    return _error("E0701", f"'{path}' was edited after modelyard wrote it", hint)


def file_in_the_way(path: str) -> Diagnostic:
    """modelyard needs to write a file at a path where a file that it did not write already exists.

    The output folder may contain your own files, and modelyard keeps them, but not at paths that it writes.

    Wrong: your own `README.md` in `build/prod/main/`.

    Right: `NOTES.md`, or `modelyard compile --force`, which keeps your file beside it as `README.md.edited`.
    """
    hint = "move your file, or overwrite it with --force, which keeps it beside the new one as .edited"
    return _error("E0702", f"modelyard needs to write '{path}', but did not create the existing file", hint)


def folder_in_the_way(path: str) -> Diagnostic:
    """modelyard needs to write a file where you have a folder, or a folder where you have a file.

    Wrong: a folder `build/prod/main/workloads/Pulumi.yaml/`.

    Right: the folder under another name.
    """
    return _error("E0703", f"'{path}' cannot be both a file and a folder", "move your file or folder")


def link_in_the_way(path: str) -> Diagnostic:
    """modelyard does not write through symbolic links in the output folder, because a link may point outside it.

    The folder given with `--out` may be a link, but the paths that modelyard writes inside it may not.

    Wrong: `build/prod` as a link to another disk.

    Right: `modelyard compile --out /other/disk/build`.
    """
    return _error(
        "E0704",
        f"'{path}' is a symbolic link, which modelyard does not follow",
        "remove the link, or use --out to write elsewhere",
    )


def path_refused(path: str, reason: str) -> Diagnostic:
    """A name results in a path that cannot be written safely on every operating system.

    Paths must stay inside the output folder, have parts of at most 255 bytes, and differ in more than case.

    Wrong: `modelyard compile --env ..`

    Right: `modelyard compile --env prod`
    """
    return _error("E0705", f"'{path}' cannot be written: {reason}")


def output_busy(path: str) -> Diagnostic:
    """Another modelyard process is writing to the same output folder and did not finish while this one waited.

    Only one process at a time writes to an output folder, so the second waits for the first.

    Wrong: two compiles into one folder at the same time, the first paused in a debugger.

    Right: one after the other, or each with its own `--out`.
    """
    return _error(
        "E0706", f"another modelyard process is writing to '{path}'", "wait for it to finish, or use a different --out"
    )


_REMEDIES: Mapping[int | None, str] = MappingProxyType(
    {
        errno.EEXIST: "the path is a file or a broken link; choose a folder with --out",
        errno.ENOTDIR: "part of the path is a file; choose a folder with --out",
        errno.EACCES: "choose a writable folder with --out",
        errno.EPERM: "choose a writable folder with --out",
        errno.EROFS: "choose a folder on another disk with --out",
        errno.ENOSPC: "free some space, or choose a folder on another disk with --out",
        errno.EDQUOT: "free some space, or choose a folder on another disk with --out",
    }
)


def cannot_write(path: str, problem: OSError, is_output: bool = True) -> Diagnostic:
    """The operating system could not read or write in the output folder. The previous output is intact.

    Wrong: `--out` on a full or read-only disk.

    Right: a writable folder with enough free space.
    """
    reason = problem.strerror or str(problem)
    reason = f"{reason[:1].lower()}{reason[1:]}"
    return _error("E0707", f"cannot write '{path}': {reason}", _REMEDIES.get(problem.errno, "") if is_output else "")


def not_written_by_us(path: str) -> Diagnostic:
    """The folder given with `--out` contains files, but none of them is from an earlier run.

    `modelyard report` replaces its whole folder. To keep a mistyped path from doing harm, it only writes to a folder
    that is missing, empty, or from an earlier report.

    Wrong: `modelyard report --out docs`

    Right: `modelyard report --out report`
    """
    return _error("E0708", f"'{path}' contains files that modelyard did not write", "choose another folder with --out")
