"""Tests that valid ssh-keygen signatures are accepted and invalid ones rejected."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from modelyard_runtime.promotion.sshsig import NotSigned, fingerprint, key_of, signature_of, verify

NAMESPACE = "approval@modelyard.dev"
MESSAGE = b'{"digest": "sha256:1"}'
KINDS = ["ed25519", "rsa", "ecdsa", "ecdsa-384", "ecdsa-521"]

Signed = Callable[..., tuple[str, str]]


def string(*parts: bytes) -> bytes:
    """Encode byte strings in SSH's wire format."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    """Return a function that signs with ssh-keygen and returns the public key and the armored signature."""

    def sign(kind: str, message: bytes = MESSAGE, namespace: str = NAMESPACE, *more: str) -> tuple[str, str]:
        key, file = tmp_path / kind, tmp_path / "message"
        name, _, bits = kind.partition("-")
        if not key.exists():
            size = ["-b", bits] if bits else []
            run("ssh-keygen", "-q", "-t", name, *size, "-N", "", "-C", "ada@acme.example", "-f", str(key))
        file.write_bytes(message)
        file.with_suffix(".sig").unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key), *more, str(file))
        return key.with_suffix(".pub").read_text().strip(), file.with_suffix(".sig").read_text()

    return sign


def run(*command: str) -> str:
    """Run a command and return its output."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def accepted(message: bytes, signature: str, line: str, folder: Path) -> bool:
    """Return whether ssh-keygen accepts the signature."""
    (folder / "allowed").write_text(f"ada {line}\n")
    (folder / "signature").write_text(signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed"), "-I", "ada", "-n", NAMESPACE]
    arguments = [*command, "-s", str(folder / "signature")]
    return subprocess.run(arguments, input=message, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hashed", ["sha256", "sha512"])
def test_signature_by_ssh_keygen_is_accepted(signed: Signed, kind: str, hashed: str) -> None:
    line, signature = signed(kind, MESSAGE, NAMESPACE, "-O", f"hashalg={hashed}")

    read = signature_of(signature)
    verify(MESSAGE, read, NAMESPACE)

    assert read.key == key_of(line)
    assert read.hash == hashed


@pytest.mark.parametrize("kind", KINDS)
def test_another_text_or_purpose_is_refused(signed: Signed, kind: str) -> None:
    line, signature = signed(kind)
    with pytest.raises(NotSigned, match="does not match"):
        verify(MESSAGE + b" ", signature_of(signature), NAMESPACE)

    _, for_git = signed(kind, MESSAGE, "git")
    with pytest.raises(NotSigned, match="signed for 'git'"):
        verify(MESSAGE, signature_of(for_git), NAMESPACE)
    assert line


@pytest.mark.parametrize("kind", KINDS)
def test_any_changed_byte_is_refused(signed: Signed, kind: str) -> None:
    """Changing any byte of a signature, including those of its public key, invalidates it."""
    line, signature = signed(kind)
    lines = signature.strip().split("\n")
    raw = bytearray(base64.b64decode("".join(lines[1:-1])))
    for place in range(len(raw)):
        changed = bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]])
        try:
            read = signature_of("\n".join([lines[0], base64.b64encode(changed).decode(), lines[-1]]))
            verify(MESSAGE, read, NAMESPACE)
        except NotSigned:
            continue
        assert read.key != key_of(line), place


def test_short_rsa_key_is_refused(signed: Signed) -> None:
    """The runtime refuses short RSA keys, as the compiler does when a spec lists them."""
    _, signature = signed("rsa-1024")

    with pytest.raises(NotSigned, match="1024 bits"):
        verify(MESSAGE, signature_of(signature), NAMESPACE)


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----", "{}", "\0"])
def test_malformed_signature_is_refused(text: str) -> None:
    with pytest.raises(NotSigned):
        signature_of(text)


def test_fingerprint_matches_ssh_keygen(signed: Signed, tmp_path: Path) -> None:
    line, _ = signed("ed25519")

    assert fingerprint(key_of(line)) in run("ssh-keygen", "-l", "-f", str(tmp_path / "ed25519.pub"))


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==", "x y z"]
)
def test_malformed_key_is_refused(line: str) -> None:
    with pytest.raises(NotSigned):
        key_of(line)


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
@pytest.mark.parametrize("touched", [True, False])
def test_security_key_signatures_need_a_touch(kind: str, touched: bool, tmp_path: Path) -> None:
    """Security key signatures made without a touch are rejected, but `ssh-keygen -Y verify` accepts them."""
    line, signature = security_key(kind, touched)
    if touched:
        verify(MESSAGE, signature_of(signature), NAMESPACE)
    else:
        with pytest.raises(NotSigned, match="touched"):
            verify(MESSAGE, signature_of(signature), NAMESPACE)

    assert signature_of(signature).key == key_of(line)
    assert accepted(MESSAGE, signature, line, tmp_path)


def security_key(kind: str, touched: bool) -> tuple[str, str]:
    """Return a public key and a signature from a hardware security key with the application `ssh:`."""
    of_message = string(NAMESPACE.encode(), b"", b"sha512", hashlib.sha512(MESSAGE).digest())
    more = bytes([int(touched)]) + (7).to_bytes(4, "big")
    data = hashlib.sha256(b"ssh:").digest() + more + hashlib.sha256(b"SSHSIG" + of_message).digest()
    if "ed25519" in kind:
        key = ed25519.Ed25519PrivateKey.generate()
        public = string(kind.encode(), key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), b"ssh:")
        blob = key.sign(data)
    else:
        curve = ec.generate_private_key(ec.SECP256R1())
        point = curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        public = string(kind.encode(), b"nistp256", point, b"ssh:")
        numbers = utils.decode_dss_signature(curve.sign(data, ec.ECDSA(hashes.SHA256())))
        blob = string(*(number.to_bytes(number.bit_length() // 8 + 1, "big") for number in numbers))
    inner = string(kind.encode(), blob) + more
    envelope = b"SSHSIG" + (1).to_bytes(4, "big") + string(public, NAMESPACE.encode(), b"", b"sha512", inner)
    armored = f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(envelope).decode()}\n-----END SSH SIGNATURE-----\n"
    return f"{kind} {base64.b64encode(public).decode()} ada", armored
