"""Check that address ranges are aligned to their size, as Kubernetes and clouds require."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.validate import wrong_form
from modelyard.source import Span


def misaligned(text: str, span: Span) -> Iterator[Diagnostic]:
    """Report an address range with host bits set, e.g. 10.7.0.1/16 instead of 10.7.0.0/16.

    Strings that aren't address ranges are reported by the schema.
    """
    from ipaddress import ip_interface  # few specs have address ranges

    try:
        interface = ip_interface(text)
    except ValueError:
        return
    if interface.ip != interface.network.network_address:
        expected = "an address range that starts at a multiple of its size"
        yield wrong_form(span, expected, f"the string {quote(text)}", f"did you mean {interface.network}?")
