"""`python -m modelyard_runtime VERB`: one verb a kind of work, each imported only when it is asked for."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from modelyard_runtime.refusals import Refusal

# Every module has `run() -> int`; the values are what --help says.
VERBS = {
    "run": ("modelyard_runtime.pipeline", "run the steps of a pipeline, inside its Ray cluster"),
    "promote": ("modelyard_runtime.promotion", "move the alias to the newest version that has its approvals now"),
    "monitor": ("modelyard_runtime.monitor", "compare a window of data with its reference, and act on a breach"),
    "launch": ("modelyard_runtime.launch", "create the Ray job of a pipeline, and wait for its end"),
    "store": ("modelyard_runtime.store", "create a bucket with its versioning and retention"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb: 0 done, 1 the work failed or its description cannot be honoured (said in one line)."""
    parser = argparse.ArgumentParser(
        prog="modelyard_runtime", description="The work inside the Pods of a compiled system."
    )
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)
    for verb, (_, help_text) in VERBS.items():
        verbs.add_parser(verb, help=help_text, description=help_text.capitalize() + ".")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        code: int = import_module(VERBS[arguments.verb][0]).run()
    except Refusal as refusal:
        sys.stderr.write(f"refused: {refusal}\n")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
