"""`digest` prints the digest of a model's files for use in approvals and imports."""

from __future__ import annotations

import sys
from pathlib import Path

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry.language_files import CONFIGURATION
from modelyard_runtime.registry.lineage import content_digest


def run(folder: str) -> int:
    """Print the digest of the files in a folder."""
    if not any(Path(folder, name).is_file() for name in ("MLmodel", CONFIGURATION)):
        raise Refusal(
            f"{folder} is not a folder that contains the file MLmodel, or {CONFIGURATION} of a language model"
        )
    sys.stdout.write(f"{content_digest(Path(folder))}\n")
    return 0
