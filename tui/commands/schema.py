"""`warroom schema`: what programs can rely on, as JSON Schema."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.argument("which", type=click.Choice(("events", "verdict", "config", "eval")))
def schema(which: str) -> None:
    """Print the JSON Schema of journal events, the verdict document, warroom.toml, or a line of `eval`."""
    from tui.commands.output import to_stdout

    found = {"events": _events, "verdict": _verdict, "config": _config, "eval": _eval}[which]()
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
    to_stdout(json.dumps(found, indent=2) + "\n")


def _events() -> dict[str, Any]:
    from orchestrator.journal.events import Event

    return Event.model_json_schema(mode="serialization")


def _verdict() -> dict[str, Any]:
    from orchestrator.verdict.document import VerdictDocument

    return VerdictDocument.model_json_schema(mode="serialization")


def _config() -> dict[str, Any]:
    from orchestrator.config import settings_schema

    return settings_schema()


def _eval() -> dict[str, Any]:
    from orchestrator.evaluate.lines import EvalLine

    return EvalLine.model_json_schema(mode="serialization")
