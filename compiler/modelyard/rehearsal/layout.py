"""A rehearsal's working directory.

Holds a copy of the spec folder (where commands run), the stand-ins, and one directory per bucket.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from modelyard.diagnostics import Diagnostic
from modelyard.disk import write_file_atomically
from modelyard.migration.access import config_name, remote_name
from modelyard.migration.calling import served
from modelyard.migration.copying import copied_prefixes
from modelyard.migration.records import Move
from modelyard.migration.sites import for_each_site
from modelyard.plan import Route
from modelyard.records import record
from modelyard.rehearsal.beside import copy_system

PROGRAMS: Final = ("pulumi", "kubectl", "crane")
NEEDED: Final = ("awk", "bash", "curl", "diff", "rclone")
"""Programs that a plan's commands use and that have to be installed, because they have no stand-in."""

_SYSTEM: Final = "system"
_SCRIPT: Final = Path(__file__).with_name("stand_ins.py")


class Unwritable(Exception):
    """Raised if one of a rehearsal's files cannot be written. The diagnostics explain the reason."""

    def __init__(self, problems: tuple[Diagnostic, ...]) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


@record
class Bucket:
    """A bucket on one of the sides, and the folder that replaces it."""

    which: str
    store: str
    uri: str
    folder: Path
    prefixes: tuple[str, ...]  # what a move copies


@record
class Layout:
    """The locations of a rehearsal's files. `compiled` maps each side to its folder compiled for this machine."""

    folder: Path
    move: Move
    compiled: Mapping[str, Path]
    code: Path  # the folder of the spec
    python: str

    @property
    def system(self) -> Path:
        """Return the copy of the spec's folder, in which the plan's commands run."""
        return self.folder / _SYSTEM

    def state(self, which: str) -> Path:
        """Return the folder in which a side stores its state."""
        return self.folder / which

    def database(self, which: str) -> str:
        """Return the URL of a side's MLflow database."""
        return f"sqlite:///{self.state(which) / 'mlflow.db'}"

    def local_plan(self, which: str) -> dict[str, dict[str, Any]]:
        """Return the plan.json that the runtime reads to run a side on this machine."""
        content: dict[str, dict[str, Any]]
        content = json.loads((self.compiled[which] / "plan.json").read_text(encoding="utf-8"))
        return content

    def buckets(self) -> Iterator[Bucket]:
        """Yield every bucket of both sides."""
        for which, handovers in self.move.handovers.items():
            places = self._stores(which)
            for handover in handovers.values():
                for remote in handover.remotes:
                    prefixes = copied_prefixes(self.move, which, remote)
                    yield Bucket(which, remote.store, remote.uri, places[remote.store], prefixes)

    def pairs(self) -> Iterator[tuple[Bucket, Bucket]]:
        """Yield the pairs of buckets, one per side, between which a move copies data."""
        new = {bucket.store: bucket for bucket in self.buckets() if bucket.which == "new"}
        for bucket in self.buckets():
            if bucket.which == "old" and bucket.store in new and not self.same_bucket(bucket.store):
                yield bucket, new[bucket.store]

    def remotes(self) -> Mapping[str, Path]:
        """Return the folder that replaces each rclone remote and contains the folder of its bucket."""
        return {
            remote_name(which, remote): self.folder / "objects" / which / remote.store
            for which, handovers in self.move.handovers.items()
            for handover in handovers.values()
            for remote in handover.remotes
        }

    def prepare(self) -> None:
        """Write all files that the commands need. Repeating this keeps any changes made by commands."""
        copy_system(self.code, self.system)
        for which in ("old", "new"):
            (self.state(which) / "stores").mkdir(parents=True, exist_ok=True)
        for place in {bucket.folder for bucket in self.buckets() if bucket.which == "old"}:
            place.mkdir(parents=True, exist_ok=True)
        self._share()
        for which, handovers in self.move.handovers.items():
            for handover in handovers.values():
                for remote in handover.remotes:
                    place = self._stores(which)[remote.store]
                    place.mkdir(parents=True, exist_ok=True)
                    _link(self.remotes()[remote_name(which, remote)] / remote.bucket, place)
        (self.folder / "home").mkdir(exist_ok=True)
        self._stand_ins()
        write_json(self.folder / "world.json", self._world())

    def same_bucket(self, store: str) -> bool:
        """Return whether both sides use the same bucket for a store, or one side has none for it."""
        ends = [bucket.uri for bucket in self.buckets() if bucket.store == store]
        return len(ends) < 2 or ends[0] == ends[1]

    def _share(self) -> None:
        """Give both sides the same folder for each bucket that they share."""
        old, new = self._stores("old"), self._stores("new")
        for store, place in new.items():
            if store in old and self.same_bucket(store) and not os.path.lexists(place):
                old[store].mkdir(parents=True, exist_ok=True)
                place.symlink_to(old[store])

    def _stores(self, which: str) -> dict[str, Path]:
        stores = self.local_plan(which)["stores"]
        return {
            name: self.state(which) / "stores" / str(uri).removeprefix("file://").strip("/")
            for name, uri in stores.items()
        }

    def _stand_ins(self) -> None:
        programs = {name: [sys.executable, "-S", "-E", str(_SCRIPT), name] for name in PROGRAMS}
        programs["modelyard"] = [sys.executable, "-P", "-m", "modelyard"]  # not the modules next to the spec
        programs["python"] = [sys.executable, "-P"]  # it extracts texts from responses, and not every machine has one
        (self.folder / "bin").mkdir(exist_ok=True)
        for name, words in programs.items():
            path = self.folder / "bin" / name
            path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
            path.chmod(0o755)

    def _world(self) -> dict[str, object]:
        return {
            "python": self.python,
            "sides": dict(self._clusters()),
            "databases": {which: self.database(which) for which in ("old", "new")},
            "buckets": {bucket.uri: bucket.folder.as_uri() for bucket in self.buckets()},
            "services": {which: self._services(which) for which in ("old", "new")},
        }

    def _clusters(self) -> Iterator[tuple[str, str]]:
        """Yield each `cluster/namespace` that commands refer to, with the side that uses it."""
        for which, handovers in self.move.handovers.items():
            system = self.move.side(which).system
            for target, handover in handovers.items():
                spec = system.target(target)
                cluster = config_name(self.move, which, target) if spec.in_cloud else spec.context
                jobs = self.move.schedules.get(target, ()) if which == "old" else ()
                for namespace in {handover.namespace, *(where for where, _ in jobs)}:
                    for place in for_each_site(self.move.side(which), f"{cluster}/{namespace}"):
                        yield place, which

    def _services(self, which: str) -> dict[str, dict[str, str]]:
        """Map the paths of each Service's endpoints to the local paths of their first variants."""
        endpoints = self.local_plan(which)["endpoints"]
        services: dict[str, dict[str, str]] = {}
        for route in self.move.side(which).plan.of(Route):
            inference = route.value.inference
            _, server, path = served(self.move, which, inference)
            backends = endpoints[inference.name]["backends"]
            services.setdefault(f"{server}-serve-svc", {})[path] = f"/{backends[0]['application']}"
        return services


def tree_of(layout: Layout, which: str) -> Iterator[tuple[str, Path]]:
    """Yield a side's stacks as commands name them, `folder stack`, each with its project folder."""
    move = layout.move
    for stack, project in move.projects(which):
        folder = move.project_folder(which, stack.target, project.folder)
        for name in tuple(project.stacks) or (move.side(which).name,):
            yield f"{folder} {name}", layout.system / folder


def missing_programs() -> list[str]:
    """Return the required programs that are not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


def _link(path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.symlink_to(to)


def write_json(path: Path, content: object) -> None:
    """Write a value to a file atomically."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True))


def write_text(path: Path, content: str) -> None:
    """Write text to a file atomically."""
    problems = write_file_atomically(path, content.encode())
    if problems:
        raise Unwritable(problems)


def read_json(path: Path) -> Any:
    """Return the JSON mapping stored in a file, or an empty mapping if the file does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
