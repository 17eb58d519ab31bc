"""Detects what this machine can run, installs missing packages, and explains what can't run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from testbed import browser, build
from testbed.parts import PARTS
from testbed.places import binary

PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "busybox": "busybox-static",
    "debootstrap": "debootstrap",
    "buildah": "buildah",
    "openssl": "openssl",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
"""Programs that the whole Kubernetes needs, and the Debian package that contains each."""

BROWSER_PACKAGES = {browser.PROGRAM: "chromium-headless-shell"}
"""The program that tests of web pages need, and its Debian package."""

COPYING_PACKAGES = {"rclone": "rclone"}
"""The program that copies objects in rehearsals of migrations, and its Debian package."""

_IMAGE_PROGRAMS = ("debootstrap", "buildah")


def install_packages() -> None:
    """Install missing Debian packages if possible, which requires root and apt."""
    packages = {**PACKAGES, **BROWSER_PACKAGES, **COPYING_PACKAGES}
    absent = sorted({package for program, package in packages.items() if not _has(program)})
    if not absent or not _can_install():
        return
    print(f"installing {' '.join(absent)}", flush=True)
    _apt("update")
    _apt("install", "--yes", "--no-install-recommends", *absent)


def make_venv(folder: Path) -> None:
    """Create a virtual environment, first installing Debian's venv package if it's missing."""
    if importlib.util.find_spec("ensurepip") is None:  # a separate package in Debian
        if not _can_install():
            raise SystemExit("this Python has no venv; install the package python3-venv")
        _apt("update")
        _apt("install", "--yes", f"python3.{sys.version_info.minor}-venv")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)


def missing_for_control_plane() -> list[str]:
    """Return why the API server, the engine and their helpers can't run here, or an empty list if they can."""
    reasons: list[str] = []
    if unbuilt := _unbuilt():
        go = "" if shutil.which("go") else ", and there is no Go to build them"
        reasons.append(f"not built: {', '.join(unbuilt)}{go}; `make testbed` builds them")
    if not _has("openssl"):
        reasons.append("openssl is not installed")
    return reasons


def missing_for_whole_kubernetes() -> list[str]:
    """Return the reasons why real containers cannot run here, or an empty list."""
    reasons = missing_for_control_plane()
    if sys.platform != "linux":
        reasons.append("a whole Kubernetes runs on Linux only")
    elif os.geteuid() != 0:
        reasons.append("a whole Kubernetes needs root, for network namespaces and containers")
    absent = sorted({package for program, package in PACKAGES.items() if not _has(program)})
    if absent:
        reasons.append(f"not installed: {', '.join(absent)}")
    return reasons


def missing_for_images() -> list[str]:
    """Return the reasons why images cannot be built here, or an empty list."""
    absent = [PACKAGES[program] for program in _IMAGE_PROGRAMS if not _has(program)]
    reasons = [f"not installed: {', '.join(absent)}"] if absent else []
    if os.geteuid() != 0:
        reasons.append("building images needs root")
    return reasons


def missing_for_copies() -> list[str]:
    """Return why objects can't be copied between stores here, or an empty list if they can."""
    return [f"not installed: {package}" for program, package in COPYING_PACKAGES.items() if not _has(program)]


def _unbuilt() -> list[str]:
    if shutil.which("go"):
        return build.unbuilt()
    # Without Go, nothing can be rebuilt, so existing binaries are used.
    programs = (program for part in PARTS for program in part.programs)
    return [program for program in programs if not binary(program).exists() and not shutil.which(program)]


def _has(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None


def _can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt(*arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "--quiet=2", *arguments], env=environment, check=True)
