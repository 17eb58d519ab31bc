"""The state of a migration: a file in its folder that records the completed phases for whoever continues it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import migrating as tell
from modelyard.inputs import Inputs
from modelyard.load import load
from modelyard.lock import digest
from modelyard.records import record, replace
from modelyard.source import Json
from modelyard.stack import Value
from modelyard.writers.yaml_text import comment, document

STATE_FILE: Final = "state.yaml"
_HEAD: Final = "Written by modelyard migrate. Commit it: it records which phases are done."


@record
class State:
    """A plan's environments, phases and completed phases, and hashes of its inputs and its files."""

    old: str
    new: str
    spec: str  # a hash of the inputs that the plan was made from
    phases: tuple[str, ...]
    done: tuple[str, ...]
    files: Mapping[str, str]  # a hash of each file that modelyard has written

    @property
    def next(self) -> str:
        """Return the next phase, or "" after the last one."""
        return next((phase for phase in self.phases if phase not in self.done), "")


def digest_of(inputs: Inputs) -> str:
    """Return a hash of the spec, its environment's overlay, and its site tables."""
    contents = [inputs.spec.content, inputs.overlay.content if inputs.overlay is not None else ""]
    for name, table in sorted(inputs.tables.items()):
        contents += [name, table if isinstance(table, str) else table.content]
    return digest(inputs.environment or "", *contents)


def state_text(state: State) -> str:
    """Return a state as the text of a file."""
    value: dict[str, Value] = {
        "from": state.old,
        "to": state.new,
        "spec": state.spec,
        "phases": list(state.phases),
        "done": list(state.done),
        "files": dict(sorted(state.files.items())),
    }
    return comment(_HEAD) + document(value)


def read_state(content: bytes, path: str) -> State | None:
    """Return the state stored in a file, or None if the file is not one of ours."""
    loaded, _ = load(content, path)
    if loaded is None:
        return None
    value = loaded.value
    old, new, spec = (value.get(name) for name in ("from", "to", "spec"))
    phases, done = (_texts(value.get(name)) for name in ("phases", "done"))
    files = value.get("files")
    if not (isinstance(old, str) and isinstance(new, str) and isinstance(spec, str)):
        return None
    if phases is None or done is None or not isinstance(files, dict):
        return None
    if done != phases[: len(done)]:
        return None
    return State(old, new, spec, phases, done, {path: str(file_hash) for path, file_hash in files.items()})


def advanced(state: State, phase: str, spec: str, folder: str) -> tuple[State, tuple[Diagnostic, ...]]:
    """Return the state after completing a phase, or why it can't be completed. Repeating it is a no-op."""
    if phase not in state.phases:
        return state, (tell.not_next(phase, "is not in the plan", f"choose from {', '.join(state.phases)}"),)
    if phase in state.done:
        return state, ()
    if spec != state.spec:
        return state, (tell.spec_has_changed(folder),)
    if phase != state.next:
        return state, (tell.not_next(phase, f"comes after {state.next}", f"the next is {state.next}"),)
    return replace(state, done=(*state.done, phase)), ()


def status_lines(state: State, spec: str, folder: str) -> Iterable[str]:
    """Describe which phases are complete, and which is next."""
    yield f"{folder}: {state.old} to {state.new}, {len(state.done)} of {len(state.phases)} phases done"
    for phase in state.phases:
        mark = "done" if phase in state.done else "next" if phase == state.next else ""
        yield f"  {mark:<6}{phase}"
    if spec != state.spec:
        yield "the spec has changed since then: run modelyard migrate again with --from and --to before you continue"


def _texts(value: Json) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(item for item in value if isinstance(item, str))
