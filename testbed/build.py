"""Builds programs from Go modules in the cache folder, unless the required version already exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from testbed.parts import PARTS, Part
from testbed.places import binaries, binary, sources


def build(names: frozenset[str] = frozenset()) -> None:
    """Build all programs, or only the named ones, if they are missing or out of date.

    Prints a line before and after each build. A `pulumi` that is already on the PATH is used instead of being built.
    """
    if shutil.which("go") is None:
        print("there is no Go here, so nothing is built")
        return
    parts = [part for part in PARTS if not names or part.name in names]
    waiting = _waiting(parts)
    with _modules(part for part, _ in waiting) as module_of:
        for position, (part, program) in enumerate(waiting, start=1):
            print(f"[{position}/{len(waiting)}] building {program} ({', '.join(part.requires)})", flush=True)
            began = time.monotonic()
            _build_program(part, program, module_of(part))
            print(f"[{position}/{len(waiting)}] built {program} in {time.monotonic() - began:.0f} s", flush=True)
    if not waiting:
        print(f"the real parts are in {binaries()}")


def unbuilt() -> list[str]:
    """Return the programs that are missing or have a different version."""
    return [program for _, program in _waiting(PARTS)]


def installed_pulumi() -> Path | None:
    """Return the `pulumi` on the PATH, or None if there is none or it is the one we built."""
    program = shutil.which("pulumi")
    return Path(program) if program and Path(program).parent != binaries() else None


def module_folder(part: str, module: str) -> Path:
    """Return the source folder of a module required by a part, downloading it if Go's cache was cleared."""
    required_by = next(known for known in PARTS if known.name == part)
    info: dict[str, str] = json.loads(_go(_module(required_by), "mod", "download", "-json", module))
    return Path(info["Dir"])


def download(module: str) -> Path:
    """Download a module such as `sigs.k8s.io/gateway-api@v1.4.1` and return its source folder."""
    info: dict[str, str] = json.loads(_go(Path("/"), "mod", "download", "-json", module))
    return Path(info["Dir"])


def _waiting(parts: Iterable[Part]) -> list[tuple[Part, str]]:
    return [
        (part, program)
        for part in parts
        for program in part.programs
        if not _is_built(part, program) and not (program == "pulumi" and installed_pulumi())
    ]


def _recipe(part: Part, program: str) -> str:
    """Return everything a program's build depends on, which is stored next to the binary to detect changes."""
    tags = [part.tags] if part.tags else []
    return json.dumps(
        [part.requires, part.replaces, part.staged, part.ldflags, part.sources, part.programs[program], *tags], indent=1
    )


def _stamp(program: str) -> Path:
    return binaries() / ".stamps" / program


def _is_built(part: Part, program: str) -> bool:
    stamp = _stamp(program)
    if not binary(program).exists():
        return False
    if not stamp.exists() and _holds_required_versions(part, program):
        _write_stamp(part, program)
    return stamp.exists() and stamp.read_text() == _recipe(part, program)


def _holds_required_versions(part: Part, program: str) -> bool:
    """Return whether a binary without a stored recipe reports the required module versions."""
    reported = set(
        re.findall(r"^\t(?:mod|dep)\t(\S+)\t(\S+)", _go(Path("/"), "version", "-m", str(binary(program))), re.M)
    )
    return reported.issuperset(tuple(module.split(" ")) for module in part.requires)


def _write_stamp(part: Part, program: str) -> None:
    _stamp(program).parent.mkdir(exist_ok=True)
    _stamp(program).write_text(_recipe(part, program))


@contextmanager
def _modules(parts: Iterable[Part]) -> Generator[Callable[[Part], Path]]:
    """Return a function that returns the folder of a part's module. While programs are built, the modules that later
    programs need are downloaded.
    """
    with ThreadPoolExecutor(1) as downloads:
        folders = {part.name: downloads.submit(_module, part) for part in {part.name: part for part in parts}.values()}
        try:
            yield lambda part: folders[part.name].result()
        finally:
            downloads.shutdown(cancel_futures=True)


def _build_program(part: Part, program: str, folder: Path) -> None:
    binaries().mkdir(parents=True, exist_ok=True)
    fresh = binaries() / f".{program}.{os.getpid()}"
    flags = ("-trimpath", "-tags", ",".join(part.tags), "-ldflags", " ".join(("-s -w", *part.ldflags)))
    _go(folder, "build", *flags, "-o", str(fresh), part.programs[program])
    fresh.replace(binary(program))
    _write_stamp(part, program)


def _module(part: Part) -> Path:
    """Return the folder of the part's own Go module, with its requirements resolved."""
    folder = sources() / part.name
    text = _go_mod(part)
    stamp = folder / "go.mod.wanted"
    if stamp.exists() and stamp.read_text() == text and (folder / "go.sum").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, source in part.sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(source)
    (folder / "go.mod").write_text(text)
    _go(folder, "mod", "tidy")
    stamp.write_text(text)
    return folder


def _go_mod(part: Part) -> str:
    tools = [f"\t{package}" for package in part.programs.values() if not package.startswith("./")]
    lines = [f"module modelyard.dev/testbed/{part.name}", "", "go 1.26.0", ""]
    if tools:
        lines += ["tool (", *tools, ")", ""]
    lines += ["require (", *(f"\t{module}" for module in part.requires), ")", "", *part.replaces]
    if part.staged:
        module, version = part.staged
        lines += [f"replace {staged} => {staged} {version}" for staged in _staged_modules(module)]
    return "\n".join(lines) + "\n"


def _staged_modules(module: str) -> list[str]:
    """Return the modules that a module replaces with copies in its own `./staging` folder."""
    info: dict[str, str] = json.loads(_go(Path("/"), "mod", "download", "-json", module))
    return re.findall(r"^\s*(\S+) => \./staging/", Path(info["GoMod"]).read_text(), flags=re.MULTILINE)


def _go(folder: Path, *arguments: str) -> str:
    """Run go in a folder and return its output. Raises RuntimeError with go's message if it fails."""
    environment = os.environ | {"GOWORK": "off"}
    result = subprocess.run(
        ["go", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"go {' '.join(arguments)} failed in {folder}:\n{result.stderr[-4000:]}")
    return result.stdout
