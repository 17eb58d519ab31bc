"""The Azure systems whose output the tests examine."""

from __future__ import annotations

from tests.examples import SYSTEMS, Example, on_azure


def azure_systems() -> tuple[Example, ...]:
    """Return every Azure example, and the Azure system that has a golden folder."""
    return (*on_azure(), Example("leads-on-azure", None, SYSTEMS))
