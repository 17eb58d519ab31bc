"""The source from which a pipeline installs modelyard: a commit in a repository, or a file with its hash."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Final, cast

from modelyard.patterns import pattern

_HOST: Final = r"https://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?"
_COMMIT: Final = pattern(rf"git\+{_HOST}/[A-Za-z0-9._~/-]+@[0-9a-f]{{40}}(?:[0-9a-f]{{24}})?")
_FILE: Final = pattern(rf"{_HOST}/[A-Za-z0-9._~/%+-]+\.(?:whl|tar\.gz|zip)#sha256=[0-9a-f]{{64}}")
FORMS: Final = (
    "git+https://HOST/OWNER/modelyard@COMMIT with all digits of the commit, or https://HOST/FILE.whl#sha256=HASH"
)


def is_pinned(source: str) -> bool:
    """Return whether a source always provides the same content. A package name, a branch or a tag does not."""
    return bool(_COMMIT.fullmatch(source) or _FILE.fullmatch(source))


def installed_source() -> str:
    """Return the source of the running modelyard, or "" if it has none that a pipeline could use.

    pip records the source (PEP 610) except for packages that it found by name.
    """
    try:
        recorded = distribution("modelyard").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    return recorded_source(recorded or "{}")


def recorded_source(text: str) -> str:
    """Return the pinned source recorded in the text of a `direct_url.json`, or "" if there is none."""
    record = cast("dict[str, Any]", json.loads(text))
    url = str(record.get("url", ""))
    commit = str(record.get("vcs_info", {}).get("commit_id", ""))
    digest = str(record.get("archive_info", {}).get("hashes", {}).get("sha256", ""))
    source = f"git+{url}@{commit}" if commit else f"{url}#sha256={digest}"
    return source if is_pinned(source) else ""
