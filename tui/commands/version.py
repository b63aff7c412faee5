"""The installed version."""

from __future__ import annotations


def version() -> str:
    """Return the version of the installed distribution."""
    from importlib import metadata

    try:
        return metadata.version("warroom")
    except metadata.PackageNotFoundError:
        return "0+unknown"
