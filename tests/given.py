"""Folders with facts that no package registry has, named by environment variables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def given(variable: str) -> Path:
    """The folder that a variable names. Skips the test where it is unset, and fails it where it names no folder.

    Unset is no failure, not even in CI: whoever has only the repository has no way to get these folders.
    """
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"${variable} is unset")
    if not Path(folder).is_dir():
        pytest.fail(f"${variable} names no folder: {folder}", pytrace=False)
    return Path(folder)
