"""`modelyard lsp`: run the language server for an editor."""

from __future__ import annotations

import argparse
import gc
from importlib.util import find_spec
from typing import Final

from modelyard.cli.console import say

_LIBRARY: Final = "pygls"


def run(_: argparse.Namespace) -> int:
    """Serve an editor over standard input and output. Returns 1 if the protocol library is not installed."""
    if find_spec(_LIBRARY) is None:
        say("error: the language server needs the extra 'editor'\n  = pip install 'modelyard[editor]'")
        return 1
    from modelyard.cli.language import KNOWLEDGE
    from modelyard.editor.server import serve

    gc.enable()  # other commands run without the collector, because they finish soon
    serve(KNOWLEDGE)
    return 0
