"""Remember the values in each compiled text, so that recompiling without changes resolves nothing.

The file is in the git-ignored folder next to the spec. If it is missing or not writable, the next compile is merely
slower. Every entry is sealed with a key from the user's cache folder, so a file that someone commits anyway can't
affect other users' compiles.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Final

from modelyard.cli.sealing import seal
from modelyard.inputs import Inputs
from modelyard.regular_files import read
from modelyard.source import Json

STATE: Final = ".modelyard"
"""The folder next to a spec that contains files for this machine only."""

_FILE: Final = "compiled.json"
_IGNORE: Final = b"*\n"


def recalled(inputs: Inputs, text: str) -> str:
    """Return the hash of this spec text's values when last compiled in this environment, or "" if unknown."""
    entry = _entries(inputs).get(inputs.folder)
    if not isinstance(entry, dict) or entry.get("text") != text:
        return ""
    values = str(entry.get("values", ""))
    expected = seal((text, values))
    return values if expected and entry.get("seal") == expected else ""


def remember(inputs: Inputs, text: str, values: str) -> None:
    """Store the hash of this spec text's values. Does nothing if the folder is a link or not writable."""
    from pathlib import Path

    from modelyard.cli.sealing import create_key
    from modelyard.disk import write_file_atomically

    create_key()

    folder = _folder(inputs)
    entries = {**_entries(inputs), inputs.folder: {"text": text, "values": values, "seal": seal((text, values))}}
    content = json.dumps({name: entries[name] for name in sorted(entries)}, indent=1) + "\n"
    with suppress(OSError):
        if os.path.islink(folder):
            return
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name, data in ((".gitignore", _IGNORE), (_FILE, content.encode())):
            write_file_atomically(Path(folder, name), data)


def _folder(inputs: Inputs) -> str:
    return os.path.join(os.path.dirname(inputs.spec.path), STATE)


def _entries(inputs: Inputs) -> dict[str, Json]:
    try:
        value: Json = json.loads(read(os.path.join(_folder(inputs), _FILE)))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
