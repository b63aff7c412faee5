"""How Kubernetes calls the pods of a deployment."""

from __future__ import annotations

import re

POD_SUFFIX = r"-[bcdf4-9]{5,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
"""Regex: what it appends to a deployment's name for each pod. It leaves out vowels, and what reads like them."""
_SUFFIX = re.compile(rf"{POD_SUFFIX}$")


def deployment_of(pod: str) -> str:
    """Return the name of a pod's deployment; of anything else, its own."""
    return _SUFFIX.sub("", pod)
