"""Verifies signatures created by `ssh-keygen -Y sign` without using OpenSSH.

Formats: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig and PROTOCOL.u2f, 2026-11-26.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_LEAST_RSA_BITS = 2048
_PRESENT = 1
"""The flag in a security key's signature which shows that the user touched the key."""


class NotSigned(Exception):
    """A message wasn't signed by the key named in its signature. The exception text gives the reason."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed signature that has not yet been verified."""

    key: bytes
    namespace: bytes
    hash: str
    algorithm: bytes
    signed: bytes
    more: bytes  # flags and counter of a security key


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, count: int) -> bytes:
        if count > len(self._data):
            raise NotSigned("the signature is truncated")
        data, self._data = self._data[:count], self._data[count:]
        return data

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

    def rest(self) -> bytes:
        return self.take(len(self._data))


def key_of(line: str) -> bytes:
    """Parse the key in a line like that in `id_ed25519.pub`, which consists of a type, a key and a comment."""
    parts = line.split()
    try:
        key = base64.b64decode(parts[1], validate=True)
        if _Reader(key).string() == parts[0].encode():
            return key
    except (IndexError, ValueError, NotSigned):  # not Base64, or not even ASCII
        pass
    raise NotSigned(f"{line[:40]!r} is not an SSH public key")


def fingerprint(key: bytes) -> str:
    """Return a key's fingerprint as printed by `ssh-keygen -l`."""
    return f"SHA256:{base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip('=')}"


def signature_of(armored: str) -> Signature:
    """Parse the signature in text written by ssh-keygen."""
    begin, _, rest = armored.strip().partition("\n")
    body, _, after = rest.partition(_END)
    if begin.strip() != _BEGIN or after.strip() or not body:
        raise NotSigned("it is not a signature of ssh-keygen")
    try:
        data = _Reader(base64.b64decode("".join(body.split()), validate=True))
    except ValueError:
        raise NotSigned("it is not a signature of ssh-keygen") from None
    if data.take(len(_MAGIC)) != _MAGIC or data.take(4) != b"\0\0\0\1":
        raise NotSigned("it is not a signature of ssh-keygen in a known version")
    key, namespace, reserved, name, blob = (data.string() for _ in range(5))
    if reserved or data.rest() or name.decode("ascii", "replace") not in _HASHES:
        raise NotSigned("the signature has unknown parts")
    inner = _Reader(blob)
    return Signature(key, namespace, name.decode(), inner.string(), inner.string(), inner.rest())


def verify(message: bytes, signature: Signature, namespace: str) -> None:
    """Raise NotSigned unless the signature's key signed the given message for the given purpose."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if signature.namespace != namespace.encode():
        raise NotSigned(f"it was signed for {signature.namespace.decode('utf-8', 'replace')!r}, not for {namespace!r}")
    hashed = _HASHES[signature.hash](message).digest()
    parts = (namespace.encode(), b"", signature.hash.encode(), hashed)
    try:
        _check(signature, _MAGIC + b"".join(len(part).to_bytes(4, "big") + part for part in parts))
    except InvalidSignature:
        raise NotSigned("the signature does not match the signed content") from None
    except (ValueError, UnsupportedAlgorithm, NotImplementedError) as problem:
        raise NotSigned(f"the key cannot be used: {problem}") from None


def _check(signature: Signature, data: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    kind = _Reader(signature.key).string()
    key: Any = load_ssh_public_key(kind + b" " + base64.b64encode(signature.key))
    if kind.startswith(b"sk-"):
        data = _of_security_key(signature, data)
    elif signature.more:
        raise NotSigned("the signature has unknown parts")
    of_rsa = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}
    if signature.algorithm not in (of_rsa if kind == b"ssh-rsa" else {kind}):
        raise NotSigned("the signature and its key have different types")
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature.signed, data)
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _LEAST_RSA_BITS:
            raise NotSigned(f"the key has {key.key_size} bits; RSA keys need {_LEAST_RSA_BITS}")
        key.verify(signature.signed, data, padding.PKCS1v15(), of_rsa[signature.algorithm])
    elif isinstance(key, ec.EllipticCurvePublicKey):
        numbers = _Reader(signature.signed)
        r, s = (int.from_bytes(numbers.string(), "big") for _ in range(2))
        of_curve = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[key.curve.key_size]
        key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(of_curve))
    else:
        raise NotSigned(f"keys of type {kind.decode('ascii', 'replace')} are not supported")


def _of_security_key(signature: Signature, data: bytes) -> bytes:
    """Return what a security key signs: the application, the proof of touch, and the hash of the message."""
    parts = _Reader(signature.key)
    for _ in range(2 if signature.key[4:].startswith(b"sk-ssh-ed25519") else 3):
        parts.string()
    application = parts.string()
    if len(signature.more) != 5 or not signature.more[0] & _PRESENT:
        raise NotSigned("the security key was not touched")
    return hashlib.sha256(application).digest() + signature.more + hashlib.sha256(data).digest()
