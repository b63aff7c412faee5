"""How commands fail: one line on standard error, an exit status, never a traceback."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from unicodedata import east_asian_width

import click

USAGE, ENGINE_FAILED, UNEXPECTED, INTERRUPTED = 2, 3, 1, 130


class Fault(click.ClickException):
    """A command cannot do what was asked; the message says what, to what, and what to do."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def complain(message: str) -> None:
    """Write one line to standard error, whatever state it is in."""
    flat = " ".join(_printable(message).split())
    narrate(f"warroom: {flat}")


def narrate(line: str) -> None:
    """Write a line to standard error; a closed one loses it, no more."""
    _put(line + "\n")


def rewrite(line: str) -> None:
    """Put a line in the place of the terminal's last one, cut to its width, and stay on it; empty takes it away."""
    room, kept = shutil.get_terminal_size().columns - 3, 0  # room for the ^C that a terminal echoes
    for char in line:
        room -= 2 if east_asian_width(char) in "WF" else 1
        if room < 0:
            break
        kept += 1
    _put(f"\r\x1b[K{line[:kept]}")


def _put(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        drop(sys.stderr)


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    from orchestrator.journal.text import clean

    return str(clean(text))


def drop(stream: object) -> None:
    """Point a broken standard stream at /dev/null, so that nothing later fails on it, not even the exit."""
    try:
        descriptor = stream.fileno()  # type: ignore[attr-defined]
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
    except (OSError, ValueError):
        return


def run_to_exit_status(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command; return its exit status."""
    try:
        outcome = command.main(args=list(arguments), prog_name="warroom", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        narrate(error.format_message())
        return USAGE
    except click.UsageError as error:
        hint = f" (see: {error.ctx.command_path} --help)" if error.ctx else ""
        complain(error.format_message().rstrip(".") + hint)
        return USAGE
    except Fault as error:
        complain(error.message)
        return error.status
    except click.ClickException as error:
        complain(error.format_message())
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        drop(sys.stdout)
        return 0
    except OSError as error:
        return _operating_system_said(error)
    except Exception as error:
        return _unexpected(error)


def _operating_system_said(error: OSError) -> int:
    place = f"{error.filename}: " if error.filename else ""
    complain(f"{place}{error.strerror or error}")
    drop(sys.stdout)
    log_fault(error)
    return UNEXPECTED


def _unexpected(error: Exception) -> int:
    where = log_fault(error)
    kept = f"details are in {where}" if where else "the state directory cannot be written, so no details were kept"
    complain(f"something went wrong that should not have ({type(error).__name__}): {kept}; sessions so far are kept")
    return UNEXPECTED


def log_fault(error: BaseException) -> str | None:
    """Append the traceback, without local variables and without secrets, to warroom.log in the state directory."""
    import traceback
    from datetime import UTC, datetime

    try:
        from orchestrator.journal.home import StateHome
        from orchestrator.journal.redaction import Redactor, install_key, own_secrets_from
        from orchestrator.journal.secret_scanner import scanner_at_hand

        home = StateHome.locate().ensure()
        scanner = scanner_at_hand()
        key = install_key(home.path / "redaction.key")
        redactor = Redactor(own_secrets_from(os.environ), key, () if scanner is None else (scanner,))
        text = redactor.redact("".join(traceback.format_exception(error))).text
        descriptor = os.open(home.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{datetime.now(UTC).isoformat()}\n{text}\n")
    except Exception:
        return None
    return str(home.log)
