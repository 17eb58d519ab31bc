"""Copy a spec step by step. Each step changes the copy and describes its changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Final

from modelyard.local_copy.code import HasCode, without_code
from modelyard.local_copy.models import with_models, without_unlearnable
from modelyard.local_copy.note import Entry, Note
from modelyard.local_copy.places import without_places
from modelyard.local_copy.sizes import reduced
from modelyard.records import record

_Step = Callable[[Entry, HasCode], Iterator[Note]]

_STEPS: Final[tuple[_Step, ...]] = (without_places, without_unlearnable, without_code, with_models, reduced)


@record
class Copy:
    """The spec of a copy, and its differences from the original."""

    spec: Entry
    notes: tuple[Note, ...]


def copy_of(spec: Entry, has_code: HasCode) -> Copy:
    """Return a copy of a valid spec, with its variables substituted, that can run on this machine.

    `has_code` returns whether the code of an entrypoint, `package.module:function`, is available on this machine.
    """
    changed = copy.deepcopy(spec)
    notes = [note for step in _STEPS for note in step(changed, has_code)]
    return Copy(changed, tuple(dict.fromkeys(notes)))
