"""SHA-256 for short strings without OpenSSL, because loading OpenSSL takes longer than all of `validate`'s hashing.

The standard library's `random` does the same. For megabytes of data, `hashlib` is faster.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:  # this Python build lacks the module
        from hashlib import sha256

__all__ = ["sha256"]
