"""Builds images without a registry, using buildah on a Debian and PyPI base similar to `rayproject/ray`."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from testbed.places import cache

RAY = "2.60.0"
BASE_NAME = f"docker.io/rayproject/ray:{RAY}-py311"

_KEPT_ARCHIVES = 6
_DEBIAN = "bookworm"  # the release with Python 3.11, as in the name of the image
_DEBIAN_PACKAGES = ("python3", "python3-venv", "wget", "ca-certificates", "procps")
_REQUIREMENTS = (f"ray[data,default,serve,train,tune]=={RAY}",)
_HOME = "home/ray"
_ENVIRONMENT = f"{_HOME}/anaconda3"  # the path of Python in the published image
_CONFIG = {
    "Env": [f"PATH=/{_ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8"],
    "WorkingDir": f"/{_HOME}",
    "User": "1000:100",
    "Cmd": ["/bin/sleep", "infinity"],
}


def base_image() -> Path:
    """Return the archive of the base image (Debian, Python 3.11, Ray from PyPI), created once in the cache folder."""
    recipe = json.dumps([_DEBIAN, _DEBIAN_PACKAGES, _REQUIREMENTS, _CONFIG])
    archive = _images() / f"ray-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"
    with _locked("base"):
        if not archive.exists():
            print(f"making the base image {BASE_NAME} from Debian and PyPI", flush=True)
            with tempfile.TemporaryDirectory(dir=_images(), prefix=".root-") as folder:
                _fill_base(Path(folder))
                write_archive(Path(folder), BASE_NAME, archive)
    return archive


def build(context: Path, name: str) -> Path:
    """Build the Dockerfile in a folder on the base image, and return its archive in the cache folder.

    Nothing is pulled, so a Dockerfile with any other base fails. Unchanged layers come from buildah's cache.
    """
    base = base_image()
    archive = _images() / f"built-{hashlib.sha256(name.encode()).hexdigest()[:12]}.tar"
    with _locked("buildah"):
        known_as = f"localhost/base:{base.stem}"
        if not _knows(known_as):
            _run("buildah", "pull", f"docker-archive:{base}")
            _run("buildah", "tag", BASE_NAME, known_as)
        how = ("--isolation=chroot", "--network=host", "--pull-never", "--layers", "--format=docker")
        _run("buildah", "build", *how, f"--tag={name}", str(context))
        archive.unlink(missing_ok=True)
        _run("buildah", "push", name, f"docker-archive:{archive}:{name}")
        _forget_old_archives()
    return archive


def _forget_old_archives() -> None:
    """Remove all but the newest archives, since each change to the runtime adds 1.5 GB of archives."""
    by_age = sorted(_images().glob("built-*.tar"), key=lambda path: path.stat().st_mtime)
    for archive in by_age[:-_KEPT_ARCHIVES]:
        archive.unlink()


def write_archive(root: Path, name: str, archive: Path, config: dict[str, object] | None = None) -> None:
    """Write a folder as an image with a single layer, in the format of `docker save`."""
    fresh = archive.with_suffix(f".{os.getpid()}")
    layer = fresh.with_suffix(".layer")
    try:
        with tarfile.open(layer, "w") as tar:
            tar.add(root, arcname=".", filter=_without_kernel_folders)
        with layer.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        described = {
            "architecture": "amd64",
            "os": "linux",
            "config": config or _CONFIG,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created_by": "modelyard", "created": "1970-01-01T00:00:00Z"}],
        }
        text = json.dumps(described).encode()
        config_name = f"{hashlib.sha256(text).hexdigest()}.json"
        manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
        with tarfile.open(fresh, "w") as tar:
            _add_bytes(tar, config_name, text)
            _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())
            tar.add(layer, arcname=f"{digest}/layer.tar")
        fresh.replace(archive)
    finally:
        layer.unlink(missing_ok=True)
        fresh.unlink(missing_ok=True)


def _without_kernel_folders(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if member.name.startswith(("./dev/", "./proc/", "./sys/")) else member


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _fill_base(root: Path) -> None:
    _run("debootstrap", "--variant=minbase", f"--include={','.join(_DEBIAN_PACKAGES)}", _DEBIAN, str(root), _mirror())
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/ca-certificates.crt")
    _run("chroot", str(root), "useradd", "--uid=1000", "--gid=100", "--create-home", "ray")
    _run("chroot", str(root), "python3", "-m", "venv", f"/{_ENVIRONMENT}")
    _run("chroot", str(root), f"/{_ENVIRONMENT}/bin/pip", "install", "--quiet", "--no-cache-dir", *_REQUIREMENTS)
    _run("chroot", str(root), "chown", "--recursive", "1000:100", f"/{_HOME}")
    shutil.rmtree(root / "var/lib/apt/lists")
    shutil.rmtree(root / "var/cache/apt")
    (root / "etc/resolv.conf").unlink()


def _mirror() -> str:
    """Return the Debian mirror that is configured on this machine."""
    files = [*Path("/etc/apt").glob("sources.list.d/*.sources"), *Path("/etc/apt").glob("sources.list")]
    urls = re.findall(r"^(?:URIs:|deb .*?)\s*(https?://\S*debian\S*)", "\n".join(map(Path.read_text, files)), re.M)
    return next((url for url in urls if "security" not in url), "http://deb.debian.org/debian")


def _images() -> Path:
    folder = cache() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _locked(name: str) -> Generator[None]:
    """Lock a name so that a second run waits for the first."""
    with (_images() / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _knows(name: str) -> bool:
    result = subprocess.run(["buildah", "inspect", "--type=image", name], capture_output=True, check=False)
    return result.returncode == 0


def _run(*command: str) -> None:
    """Run a program. Raise RuntimeError with its output if it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{(result.stdout + result.stderr)[-4000:]}")
