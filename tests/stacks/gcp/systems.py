"""The Google Cloud systems whose output the tests examine."""

from __future__ import annotations

from tests.examples import SYSTEMS, Example, on_google_cloud


def google_systems() -> tuple[Example, ...]:
    """Return every Google Cloud example, and the Google Cloud system that has a golden folder."""
    return (*on_google_cloud(), Example("leads-on-google", None, SYSTEMS))
