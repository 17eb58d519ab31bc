"""Replace `pulumi`, `kubectl` and `crane` in a rehearsal. Only commands that occur in plans are supported.

The rehearsal writes `world.json` in its folder, which describes what exists. Changes made by commands are stored in
files next to it: `stacks.json`, `schedules.json` and `images.json`, each replaced atomically.

- `pulumi` records which files were applied and whether resources are protected. It creates nothing.
- `kubectl` runs commands for MLflow's Pod on this machine, suspends schedules, and forwards requests to servers.
- `crane` records the names of copied images. It pulls nothing.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = Any

FOLDER = "MODELYARD_REHEARSAL"
_TIMEOUT_S = 120


class Unknown(Exception):
    """Raised if the stand-in doesn't support a command, or doesn't recognize a name in it."""


def main(arguments: list[str]) -> int:
    """Run one command. Returns 1 if it fails as the real one would, and 2 if it isn't supported."""
    program, *words = arguments
    folder = Path(os.environ[FOLDER])
    try:
        return _PROGRAMS[program](folder, words)
    except Unknown as problem:
        sys.stderr.write(f"the stand-in for {program} does not know this: {problem}\n")
        return 2


def _pulumi(folder: Path, words: list[str]) -> int:
    options, rest = _split(words, ("--cwd", "--stack"))
    project = Path(options["--cwd"])
    if rest[:3] == ["stack", "select", "--create"]:
        return _select(folder, f"{project} {rest[3]}")
    name = f"{project} {options.get('--stack', '')}"
    stacks = _read(folder, "stacks.json")
    if name not in stacks:
        sys.stderr.write(f"error: no stack named '{options.get('--stack')}' found in {project}\n")
        return 1
    for form, do in _PULUMI.items():
        if " ".join(rest) == form:
            return do(folder, stacks, name, project)
    raise Unknown(" ".join(rest))


def _select(folder: Path, name: str) -> int:
    stacks = _read(folder, "stacks.json")
    _write(folder, "stacks.json", {name: {"applied": "", "protect": True}} | stacks)
    return 0


def _up(folder: Path, stacks: Json, name: str, project: Path) -> int:
    stacks[name] |= {"applied": digest_of(project), "protected": stacks[name]["protect"]}
    _write(folder, "stacks.json", stacks)
    return 0


def _preview(folder: Path, stacks: Json, name: str, project: Path) -> int:
    if stacks[name]["applied"] == digest_of(project):
        return 0
    sys.stderr.write("error: no changes were expected but changes would occur\n")
    return 1


def _destroy(folder: Path, stacks: Json, name: str, project: Path) -> int:
    if stacks[name]["applied"] and stacks[name]["protected"]:
        sys.stderr.write(f"error: resources of {name} are protected\n")
        return 1
    stacks[name]["applied"] = ""
    _write(folder, "stacks.json", stacks)
    return 0


def _protect(value: bool) -> Callable[[Path, Json, str, Path], int]:
    def change(folder: Path, stacks: Json, name: str, project: Path) -> int:
        stacks[name]["protect"] = value
        _write(folder, "stacks.json", stacks)
        return 0

    return change


def _kubeconfig(folder: Path, stacks: Json, name: str, project: Path) -> int:
    if not stacks[name]["applied"]:
        sys.stderr.write("error: current stack does not have output property 'kubeconfig'\n")
        return 1
    _say(f"# the cluster of {name}, in a rehearsal")
    return 0


def _resources(folder: Path, stacks: Json, name: str, project: Path) -> int:
    count = sum(1 for _ in _files(project)) if stacks[name]["applied"] else 0
    _say(f"Current stack resources ({count}):")
    return 0


_PULUMI: dict[str, Callable[[Path, Json, str, Path], int]] = {
    "up": _up,
    "preview --expect-no-changes": _preview,
    "destroy": _destroy,
    "config set protect false": _protect(False),
    "config rm protect": _protect(True),
    "stack output kubeconfig --show-secrets": _kubeconfig,
    "stack": _resources,
}


def digest_of(project: Path) -> str:
    """Return a hash of a Pulumi project's files, except those that a plan's commands add."""
    hashed = hashlib.sha256()
    for path in _files(project):
        hashed.update(f"{path.relative_to(project)}\0".encode() + path.read_bytes() + b"\0")
    return hashed.hexdigest()


def _files(project: Path) -> Iterator[Path]:
    yield from (path for path in sorted(project.rglob("*")) if path.is_file() and "venv" not in path.parts)


def _kubectl(folder: Path, words: list[str]) -> int:
    options, rest = _split(words, ("--kubeconfig", "--context", "-n"), until="--")
    world = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    config = Path(options["--kubeconfig"]) if "--kubeconfig" in options else None
    if config is not None and not config.is_file():
        sys.stderr.write(f"error: stat {config}: no such file or directory\n")
        return 1
    cluster = config.name if config is not None else options.get("--context", "")
    key = f"{cluster}/{options.get('-n', '')}"
    if key not in world["sides"]:
        raise Unknown(f"cluster and namespace {key}")
    side = world["sides"][key]
    for form, do in _KUBECTL.items():
        if " ".join(rest).startswith(form):
            return do(folder, world, side, options["-n"], rest)
    raise Unknown(" ".join(rest))


def _exec(folder: Path, world: Json, side: str, namespace: str, words: list[str]) -> int:
    at = words.index("--")
    if words[at + 1] != "python":
        raise Unknown(" ".join(words))
    command = [world["python"], words[at + 2], words[at + 3], *(_here(word, world) for word in words[at + 4 :])]
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "MODELYARD_DATABASE": world["databases"][side]}
    return subprocess.run(command, env=environment, check=False).returncode


def _here(word: str, world: Json) -> str:
    """Return an argument with bucket addresses replaced by addresses of local folders."""
    return "=".join(_address(part, world) for part in word.split("="))


def _address(text: str, world: Json) -> str:
    for uri, here in world["buckets"].items():
        if text == uri or text.startswith(f"{uri}/"):
            return str(here + text[len(uri) :])
    return text


def _restart(folder: Path, world: Json, side: str, namespace: str, words: list[str]) -> int:
    (folder / f"restart-{side}").touch()  # the rehearsal restarts the side after this command
    return 0


def _patch(folder: Path, world: Json, side: str, namespace: str, words: list[str]) -> int:
    schedules = _read(folder, "schedules.json")
    name = f"{namespace}/{words[2]}"
    if name not in schedules.get(side, {}):
        sys.stderr.write(f'Error from server (NotFound): cronjobs.batch "{words[2]}" not found\n')
        return 1
    schedules[side][name] = json.loads(words[words.index("-p") + 1])["spec"]["suspend"]
    _write(folder, "schedules.json", schedules)
    return 0


def _cronjobs(folder: Path, world: Json, side: str, namespace: str, words: list[str]) -> int:
    names = [word for word in words[2:] if not word.startswith("-") and ":" not in word]
    if "--no-headers" not in words:
        _say("" if "-o" in words else "NAME SUSPEND")
    for name, suspended in sorted(_read(folder, "schedules.json").get(side, {}).items()):
        where, _, short = name.partition("/")
        if where == namespace and (not names or short in names):
            _say(f"{short}   {'true' if suspended else 'false'}")
    return 0


def _rayjobs(folder: Path, world: Json, side: str, namespace: str, words: list[str]) -> int:
    sys.stderr.write(f"No resources found in {namespace} namespace.\n")
    return 0


def _forward(folder: Path, world: Json, side: str, namespace: str, words: list[str]) -> int:
    routes = world["services"][side].get(words[1].removeprefix("service/"))
    running = _read(folder, "running.json").get(side)
    if routes is None or running is None:
        sys.stderr.write(f'Error from server (NotFound): services "{words[1]}" not found\n')
        return 1

    class Forward(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = routed(self.path, routes)
            status, content = passed_on(int(running["serve"]), path, body, dict(self.headers.items()))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - named by the base class
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", int(words[2].partition(":")[0])), Forward) as server:
        server.serve_forever()
    return 0


def routed(path: str, routes: dict[str, str]) -> str:
    """Replace the endpoint's prefix in a request's path with that of the application on this machine."""
    prefixes = sorted(routes, key=len, reverse=True)
    for prefix in prefixes:
        base = prefix.rstrip("/")
        if path.rstrip("/") == base or path.startswith(f"{base}/"):
            return routes[prefix] + path[len(base) :].rstrip("/")
    return "/"


def passed_on(port: int, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send a request to a local port. Returns the status and the body, or 502 and the reason."""
    kept = {name: text for name, text in headers.items() if name.lower() in {"authorization", "x-request-id"}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **kept})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as problem:
        return http.client.BAD_GATEWAY, str(problem).encode()
    finally:
        connection.close()


_KUBECTL: dict[str, Callable[[Path, Json, str, str, list[str]], int]] = {
    "exec deploy/mlflow -- ": _exec,
    "exec -i deploy/mlflow -- ": _exec,
    "rollout restart deployment/mlflow": _restart,
    "patch cronjob ": _patch,
    "get cronjobs": _cronjobs,
    "get rayjobs": _rayjobs,
    "port-forward service/": _forward,
}


def _crane(folder: Path, words: list[str]) -> int:
    images = _read(folder, "images.json")
    if words[0] == "copy" and len(words) == 3:
        _write(folder, "images.json", {**images, words[2]: images.get(words[1], words[1])})
        return 0
    if words[0] == "digest" and len(words) == 2:
        name = images.get(words[1], words[1])
        _say(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}")
        return 0
    raise Unknown(" ".join(words))


_PROGRAMS: dict[str, Callable[[Path, list[str]], int]] = {"pulumi": _pulumi, "kubectl": _kubectl, "crane": _crane}


def _split(words: list[str], names: tuple[str, ...], until: str = "") -> tuple[dict[str, str], list[str]]:
    """Split words into the named options and everything else. From `until` on, no word is an option."""
    options: dict[str, str] = {}
    rest: list[str] = []
    end = words.index(until) if until and until in words else len(words)
    left = iter(words[:end])
    for word in left:
        if word in names:
            options[word] = next(left, "")
        else:
            rest.append(word)
    return options, rest + words[end:]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _read(folder: Path, name: str) -> Json:
    path = folder / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _write(folder: Path, name: str, content: Json) -> None:
    staged = folder / f".{name}.{os.getpid()}"
    staged.write_text(json.dumps(content, indent=2, sort_keys=True), encoding="utf-8")
    staged.replace(folder / name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
