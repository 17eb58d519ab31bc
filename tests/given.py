"""Folders with facts that no package registry has, that environment variables name: required in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def given(variable: str) -> Path:
    """The folder that a variable names. Without it the test is skipped, and with CI=true it fails."""
    folder = os.environ.get(variable)
    if folder and Path(folder).is_dir():
        return Path(folder)
    sentence = f"${variable} names no folder"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
