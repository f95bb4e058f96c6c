"""Which version this is."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def version(project: Path = _PROJECT) -> str:
    """Of the clone that runs; of the installed package where there is no clone; "unknown" where there is neither."""
    if project.is_file():
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    try:
        return metadata.version("oms")
    except metadata.PackageNotFoundError:
        return "unknown"
