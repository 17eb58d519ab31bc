"""Tests that a caller may have several tokens, which can be rotated without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.tokens import Tokens


def mounted(folder: Path, **callers: str) -> Tokens:
    """Return the callers' tokens, mounted as files the way the kubelet mounts a Secret."""
    for caller, tokens in callers.items():
        (folder / caller).write_text(tokens)
    return Tokens({caller: str(folder / caller) for caller in callers})


def test_each_token_names_its_caller(tmp_path: Path) -> None:
    tokens = mounted(tmp_path, billing="first\n", web="second")

    assert tokens.caller("Bearer first") == "billing"
    assert tokens.caller("bearer second") == "web"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer fir", "Bearer firsts", "Basic first", "first"])
def test_other_headers_name_no_caller(tmp_path: Path, header: str) -> None:
    assert mounted(tmp_path, billing="first\n", web="second").caller(header) is None


def test_old_and_new_token_are_valid_during_a_rotation(tmp_path: Path) -> None:
    """While the server runs, a new token is added to the mounted file and the old one is removed later."""
    tokens = mounted(tmp_path, billing="old\n")

    (tmp_path / "billing").write_text("old\r\n\n  new\n")
    assert [tokens.caller("Bearer old"), tokens.caller("Bearer new")] == ["billing", "billing"]
    (tmp_path / "billing").write_text("new\n")
    assert [tokens.caller("Bearer old"), tokens.caller("Bearer new")] == [None, "billing"]


def test_only_the_caller_without_a_token_is_refused(tmp_path: Path) -> None:
    tokens = mounted(tmp_path, billing="\n \n", web="second")

    assert [tokens.caller("Bearer "), tokens.caller("Bearer second")] == [None, "web"]
    (tmp_path / "web").unlink()
    assert tokens.caller("Bearer second") is None


def test_server_without_any_tokens_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no one could call this endpoint"):
        mounted(tmp_path, billing="", web="\n")
