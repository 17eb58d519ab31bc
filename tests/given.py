"""Folders with data that no package registry has, named by environment variables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def given(variable: str) -> Path:
    """Return the folder that a variable names. Skips the test if it is unset, and fails it if there is no such folder.

    An unset variable is not a failure, even in CI: someone with only the repository cannot get these folders.
    """
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"${variable} is unset")
    if not Path(folder).is_dir():
        pytest.fail(f"${variable} names no folder: {folder}", pytrace=False)
    return Path(folder)
