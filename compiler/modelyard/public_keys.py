"""Read SSH public keys, such as `id_ed25519.pub`, to check that the runtime can verify signatures with them.

Formats: RFC 4253 (section 6.6), RFC 5656 and OpenSSH's PROTOCOL.u2f and PROTOCOL.sshsig, 2026-11-26.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from modelyard.hashing import sha256
from modelyard.patterns import pattern
from modelyard.records import record

_LEAST_RSA_BITS: Final = 2048
_ED25519_BYTES: Final = 32


@record
class _Curve:
    """The curve y² = x³ - 3x + b over the integers modulo a prime (FIPS 186-4, appendix D.1.2)."""

    prime: int
    b: int


_CURVES: Final = {
    "nistp256": _Curve(
        2**256 - 2**224 + 2**192 + 2**96 - 1, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    ),
    "nistp384": _Curve(
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    ),
    "nistp521": _Curve(
        2**521 - 1,
        0x0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
    ),
}
_TYPES: Final = (
    "ssh-ed25519",
    "ssh-rsa",
    *(f"ecdsa-sha2-{curve}" for curve in _CURVES),
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC: Final = b"SSHSIG\0\0\0\1"
_OTHER_TYPE: Final = pattern(r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]{1,60}")


class NotAKey(Exception):
    """Raised if a string is not a usable public key. The message explains the reason."""


@record
class PublicKey:
    """A usable key: its type, its body (which includes the type), and its owner."""

    kind: str
    body: bytes
    comment: str


def public_key(line: str) -> PublicKey:
    """Parse a line like the one in `id_ed25519.pub`.

    Raises NotAKey if the runtime couldn't verify signatures with the key.
    """
    kind, body, comment = ([*line.split(None, 2), "", "", ""])[:3]
    if kind not in _TYPES:
        raise NotAKey(f"its type {kind[:30]!r} is not one of {', '.join(_TYPES)}")
    data = _decoded(body)
    fields = _Fields(data)
    inside = fields.string().decode("ascii", "replace")
    if inside != kind:
        what = f"for a key of type {inside}" if _OTHER_TYPE.fullmatch(inside) else "not that of a key"
        raise NotAKey(f"its type is {kind}, but its body is {what}")
    _check(kind, fields)
    if fields.left:
        raise NotAKey(f"its body has {fields.left} more bytes than a key of type {kind}")
    return PublicKey(kind, data, comment.strip())


def fingerprint_of(body: str) -> str:
    """Return the fingerprint of a key's body as `ssh-keygen -l` prints it: `SHA256:` and 43 characters."""
    digest = sha256(_decoded(body)).digest()
    return f"SHA256:{base64.b64encode(digest).decode('ascii').rstrip('=')}"


def signing_key(signature: str) -> bytes:
    """Return the key body from a signature made by `ssh-keygen -Y sign`, without verifying the signature."""
    begin, _, rest = signature.strip().partition("\n")
    body, end, _ = rest.partition(_END)
    data = _decoded("".join(body.split()))
    if begin.strip() != _BEGIN or not end or not data.startswith(_MAGIC):
        raise NotAKey("it is not a signature made by ssh-keygen")
    return _Fields(data[len(_MAGIC) :]).string()


def is_public_body(text: str) -> bool:
    """Return whether a string is a public key's base64 body. Private keys begin differently and never match."""
    try:
        return _OTHER_TYPE.fullmatch(_type_inside(text)) is not None
    except NotAKey:
        return False


def reason(text: str) -> str:
    """Explain why a string isn't a public key line and what to write instead, or return "" if that's unclear."""
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    if len(lines) > 1:
        return "this is more than one line; make each key a separate entry"
    words = text.split()
    if not words:
        return ""
    if is_public_body(words[0]):
        return f"add the type before it: {_type_inside(words[0])} {words[0][:8]}…"
    if why := _of_type(words):
        return why
    if words[0] not in _TYPES:
        return ""
    if text.splitlines() != [text]:
        return "it contains a line break, which | and > add; write it in quotes"
    return "write one space between type, key and comment, and none before them"


def _of_type(words: list[str]) -> str:
    first = words[0]
    if first == "cert-authority" or any("cert-authority" in word.split(",") for word in words[:2]):
        return "certificate authorities are not supported; list each person's key"
    if "-cert-v" in first:
        return "this is a certificate; list the key itself, from id_ed25519.pub instead of id_ed25519-cert.pub"
    if first == "ssh-dss":
        return "OpenSSH no longer supports DSA keys; create a key with ssh-keygen -t ed25519"
    if any(word in _TYPES for word in words[1:]) and first not in _TYPES:
        kind = next(word for word in words if word in _TYPES)
        return f"key options have no effect here; begin with {kind}"
    if first not in _TYPES:
        return ""
    try:
        public_key(" ".join(words))
    except NotAKey as problem:
        return str(problem)
    return ""


def _type_inside(body: str) -> str:
    return _Fields(_decoded(body)).string().decode("ascii", "replace")


def _decoded(body: str) -> bytes:
    if not body:
        raise NotAKey("it has a type but no key after it")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise NotAKey("its body is truncated or altered (it is not Base64)") from None


class _Fields:
    """Reads the length-prefixed fields of a key's body."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def left(self) -> int:
        return len(self._data)

    def string(self) -> bytes:
        size = int.from_bytes(self._data[:4], "big")
        content, after = self._data[4 : 4 + size], self._data[4 + size :]
        if len(self._data) < 4 or len(content) < size:
            raise NotAKey("its body is truncated or altered (it ends too early)")
        self._data = after
        return content

    def number(self) -> int:
        """Read a positive number. It must have its shortest encoding, because ssh-keygen signs with no other."""
        content = self.string()
        if not content or content[0] > 127 or (content[0] == 0 and (len(content) == 1 or content[1] < 128)):
            raise NotAKey("its body is truncated or altered (a number is not encoded as OpenSSH does)")
        return int.from_bytes(content, "big")


def _check(kind: str, fields: _Fields) -> None:
    if "ed25519" in kind:
        size = len(fields.string())
        if size != _ED25519_BYTES:
            raise NotAKey(f"its body contains {size} bytes of a key, but {kind} keys have {_ED25519_BYTES}")
    elif kind == "ssh-rsa":
        _check_rsa(fields)
    else:
        _check_point(kind, fields)
    if kind.startswith("sk-") and not fields.string().startswith(b"ssh:"):
        raise NotAKey("its application does not begin with ssh:, so it cannot sign for SSH")


def _check_rsa(fields: _Fields) -> None:
    exponent, modulus = fields.number(), fields.number()
    if modulus.bit_length() < _LEAST_RSA_BITS:
        raise NotAKey(f"it has {modulus.bit_length()} bits, but RSA keys need {_LEAST_RSA_BITS}")
    if modulus % 2 == 0 or exponent % 2 == 0 or not 3 <= exponent < modulus:
        raise NotAKey("its body is truncated or altered (its numbers do not form an RSA key)")


def _check_point(kind: str, fields: _Fields) -> None:
    name = kind.partition("@")[0].rpartition("-")[2]
    curve = fields.string().decode("ascii", "replace")
    if curve != name:
        raise NotAKey(f"its type is {kind}, but its body names another curve: {curve[:20]!r}")
    prime, b = _CURVES[name].prime, _CURVES[name].b
    point, size = fields.string(), (prime.bit_length() + 7) // 8
    if len(point) != 1 + 2 * size or point[0] != 4:
        raise NotAKey(
            f"its body contains a point of {len(point)} bytes, but {kind} keys have {1 + 2 * size}, starting with a 4"
        )
    x, y = int.from_bytes(point[1 : 1 + size], "big"), int.from_bytes(point[1 + size :], "big")
    if max(x, y) >= prime or (y * y - x * x * x + 3 * x - b) % prime:
        raise NotAKey("its body is truncated or altered (its point is not on the curve)")
