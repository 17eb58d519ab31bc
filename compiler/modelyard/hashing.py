"""SHA-256 for short texts, without OpenSSL: loading that takes longer than a `validate` spends on hashes.

`random` in the standard library does the same. What hashes megabytes takes `hashlib`, which is faster at that.
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
    except ImportError:  # a Python that was built without it
        from hashlib import sha256

__all__ = ["sha256"]
