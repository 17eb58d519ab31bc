"""Tests that keys from ssh-keygen are accepted, and that altered or unsupported keys are refused."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from modelyard.public_keys import NotAKey, is_public_body, public_key, reason

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um"
GENERATOR = bytes.fromhex(  # of the curve P-256
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def line(kind: str, *fields: bytes, more: bytes = b"") -> str:
    """Return a key with the given fields."""
    packed = b"".join(len(part).to_bytes(4, "big") + part for part in (kind.encode(), *fields))
    return f"{kind} {base64.b64encode(packed + more).decode()} ada@acme.example"


@pytest.mark.parametrize("kind", ["ed25519", "rsa-2048", "rsa-4096", "ecdsa-256", "ecdsa-384", "ecdsa-521"])
def test_keys_from_ssh_keygen_are_accepted(kind: str, tmp_path: Path) -> None:
    """The same keys are refused if shortened, extended, or labelled with a different type."""
    name, _, bits = kind.partition("-")
    size = ["-b", bits] if bits else []
    command = ["ssh-keygen", "-q", "-t", name, *size, "-N", "", "-C", "ada of acme", "-f", str(tmp_path / "id")]
    subprocess.run(command, check=True)
    text = (tmp_path / "id.pub").read_text().strip()
    word, body, _ = text.split(None, 2)

    key = public_key(text)

    assert (key.kind, base64.b64encode(key.body).decode(), key.comment) == (word, body, "ada of acme")
    assert is_public_body(body)
    for cut in (body[:-2], body[:-4], body[: len(body) // 2], body[:8], "AAAABBBBCCCCDDDD", ""):
        with pytest.raises(NotAKey):
            public_key(f"{word} {cut}")
    with pytest.raises(NotAKey, match="more bytes"):
        public_key(f"{word} {base64.b64encode(key.body + bytes(3)).decode()}")
    other = "ssh-rsa" if word != "ssh-rsa" else "ssh-ed25519"
    with pytest.raises(NotAKey, match=f"its type is {other}, but its body is for a key of type {word}"):
        public_key(f"{other} {body}")


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
def test_security_keys_are_accepted(kind: str) -> None:
    """A security key must name the application that SSH signatures use."""
    fields = [bytes(32)] if "ed25519" in kind else [b"nistp256", GENERATOR]

    assert public_key(line(kind, *fields, b"ssh:")).kind == kind
    with pytest.raises(NotAKey, match="application"):
        public_key(line(kind, *fields, b"https://acme.example"))
    with pytest.raises(NotAKey, match="ends too early"):
        public_key(line(kind, *fields))


ODD = bytes([0]) + b"\xff" * 256


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (line("ssh-ed25519", bytes(31)), "31 bytes of a key, but ssh-ed25519 keys have 32"),
        (line("ssh-ed25519", bytes(33)), "33 bytes"),
        (line("ssh-rsa", b"\1\0\1", b"\x7f" + b"\xff" * 127), "it has 1023 bits, but RSA keys need 2048"),
        (line("ssh-rsa", b"\1\0\1", ODD[:-1] + b"\xfe"), "do not form an RSA key"),
        (line("ssh-rsa", b"\2", ODD), "do not form an RSA key"),
        (line("ssh-rsa", b"\1", ODD), "do not form an RSA key"),
        (line("ssh-rsa", b"\1\0\1", ODD[1:]), "not encoded as OpenSSH does"),
        (line("ssh-rsa", b"\0\1\0\1", ODD), "not encoded as OpenSSH does"),
        (line("ssh-rsa", b"", ODD), "not encoded as OpenSSH does"),
        (line("ecdsa-sha2-nistp256", b"nistp384", GENERATOR), "names another curve: 'nistp384'"),
        (line("ecdsa-sha2-nistp256", b"nistp256", GENERATOR[:33]), "a point of 33 bytes"),
        (line("ecdsa-sha2-nistp256", b"nistp256", b"\3" + GENERATOR[1:]), "starting with a 4"),
        (line("ecdsa-sha2-nistp256", b"nistp256", GENERATOR[:-1] + b"\0"), "is not on the curve"),
        ("ssh-rsa AAAABBBBCCCCDDDDEEEEFFFF", "its body is not that of a key"),
        ("ssh-ed25519 \u00e9", "not Base64"),
        ("ssh-dss AAAA", "its type 'ssh-dss' is not one of"),
        ("", "its type '' is not one of"),
    ],
)
def test_unusable_keys_are_refused(wrong: str, why: str) -> None:
    with pytest.raises(NotAKey) as refused:
        public_key(wrong)

    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ED25519, "add the type before it: ssh-ed25519 AAAAC3Nz…"),
        (f'from="10.0.0.1",no-pty ssh-ed25519 {ED25519} ada', "begin with ssh-ed25519"),
        (f"ssh-ed25519-cert-v01@openssh.com {ED25519} ada", "this is a certificate"),
        (f"cert-authority ssh-ed25519 {ED25519} ca", "certificate authorities are not supported"),
        (f"ssh-dss {ED25519} ada", "no longer supports DSA keys"),
        (f"ssh-ed25519 {ED25519} ada\nssh-ed25519 {ED25519} bob", "make each key a separate entry"),
        (f"ssh-ed25519  {ED25519} ada", "write one space between"),
        (f"ssh-ed25519 {ED25519} ada\n", "it contains a line break, which | and > add; write it in quotes"),
        ("ssh-ed25519", "it has a type but no key after it"),
        ("ada@acme.example", ""),
        (" ", ""),
    ],
)
def test_texts_that_are_no_keys_are_explained(text: str, why: str) -> None:
    assert why in reason(text)
    assert bool(why) == bool(reason(text))
