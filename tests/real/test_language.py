"""Serves a tiny language model on a real Ray Serve, and tests it with OpenAI's own client."""

from __future__ import annotations

from pathlib import Path

from tests.real.test_runtime import happened


def test_language_model_answers_as_openai_does(tmp_path: Path) -> None:
    """Completions work in full and streamed, and invalid requests get the same status as from OpenAI.

    An adapter answers requests that name it, and the server survives client disconnects.
    """
    assert happened("whole_language.py", tmp_path) == {
        "models": ["assistant", "support"],
        "pieces": True,
        "same text": True,
        "refused": [404, 400, 400],
        "wrong token": 401,
        "health": {"status": "ok", "version": "1"},
        "assistant has learned": False,
        "support has learned": True,
        "bucket of the first token": True,
        "bucket of the token rate": True,
        "statuses of the proxy": ["200", "400", "401", "403", "404"],
        "statuses of the server": ["200", "400", "401", "404", "499"],
        "replicas": 2,
    }
