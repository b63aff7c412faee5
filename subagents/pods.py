"""How Kubernetes calls the pods of a deployment."""

from __future__ import annotations

POD_SUFFIX = r"-[bcdf4-9]{5,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
"""Regex: what it appends to a deployment's name for each pod. It leaves out vowels, and what reads like them."""
