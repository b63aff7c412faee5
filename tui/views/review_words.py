"""The lines around a decision: the list of files, what was seen, where it stands, what to press. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.views.approval_gate import ApprovalGate
from tui.views.diff import DiffFile
from tui.views.page import PageLine
from tui.views.paint import Line, flat, line
from tui.views.review import Sheet, Standing

if TYPE_CHECKING:
    from tui.deciding import PushAsked

_SIGNS = {"added": "A", "deleted": "D", "renamed": "R", "copied": "C", "call": ">", "request": ">"}


def file_lines(files: tuple[DiffFile, ...], seen: tuple[bool, ...], current: int) -> tuple[PageLine, ...]:
    """Return the list of files: where one is, what was seen, what must be looked at."""
    made = []
    for at, file in enumerate(files):
        marks = "!" if file.words or file.hidden else " "
        head = line(
            ("> " if at == current else "  ", "accent"),
            ("seen " if seen[at] else "---- ", "good" if seen[at] else "warn"),
            (f"{_SIGNS.get(file.change, 'M')}", "strong"),
            (f"{marks} ", "warn"),
        )
        counted = f" +{file.added} -{file.removed}" if file.added or file.removed else ""
        made.append(PageLine(line((file.path, "strong" if at == current else "plain"), (counted, "dim")), head))
    return tuple(made)


def seen_words(sheet: Sheet, seen: tuple[bool, ...], overridden: bool) -> Line:
    """Return the line that counts: files seen, hidden characters, the digest."""
    done, count = sum(seen), len(seen)
    what = "file" if sheet.subject in ("fix", "push") else "part"
    hidden = f"{sheet.hidden} hidden character{'s' if sheet.hidden != 1 else ''}"
    return line(
        (f"{done}/{count} {what}s seen", "good" if done == count else "warn"),
        (" (unseen ones allowed)" if overridden and done < count else "", "warn"),
        ("  ", "dim"),
        (hidden, "bad" if sheet.hidden else "dim"),
        (f"  tests: {flat(sheet.claim)}" if sheet.claim else "", "good" if sheet.claim == "red to green" else "warn"),
        (f"  digest {sheet.digest or 'none'}", "dim"),
    )


def state_words(
    sheet: Sheet, standing: tuple[Standing, str], gate: ApprovalGate, push: PushAsked | None, *, busy: bool
) -> Line:
    """Return where the decision stands, and what a key would do."""
    where, why = standing
    because = f": {flat(why)}" if why else ""
    if busy:
        return line(("carrying it out …", "accent"))
    if push is not None:
        what = f"{push.commit} goes to {flat(push.url)} as new branch {push.ref.removeprefix('refs/heads/')}"
        return line(("LEAVES THIS MACHINE: ", "bad"), (what, "strong"))
    if sheet.trouble and where == "waits":
        return line(("CANNOT BE APPROVED: ", "bad"), (flat(sheet.trouble), "bad"))
    match where:
        case "void":
            return line((f"VOID{because}. ", "bad"), ("Nothing can be approved here; n shows what waits", "warn"))
        case "waits" if gate.armed_s:
            seconds = f"ARMED {int(gate.armed_s + 0.999)} s"
            if gate.for_session:
                said = "Y approves exactly this call, now and each time it is asked for again"
                return line((f"{seconds} FOR THE SESSION: ", "bad"), (said, "strong"))
            return line((f"{seconds}: ", "bad"), ("Y approves exactly this: ", "strong"), flat(sheet.does))
        case "waits":
            return line(("yes ", "accent"), flat(sheet.does))
        case "stands":
            return line((f"STANDS{because}", "warn"))
        case "delivered":
            return line(("DELIVERED. ", "good"), "p pushes it, y copies the commands, esc goes back")
        case "approved":
            more = " Not delivered yet: d delivers" if sheet.subject == "fix" else ""
            return line((f"APPROVED{because}.{more}", "good"))
        case _:
            return line((f"{where.upper()}{because}", "warn"))


def hint_words(sheet: Sheet | None, unseen: Sequence[str], only_watched: str = "") -> Line:
    """Return what to press next; `sheet` None: nothing is to be decided, `only_watched` why nothing can be, here."""
    if sheet is not None and only_watched:
        return line(("it waits for a yes or no, and can only be looked at here: ", "warn"), only_watched)
    if sheet is None:
        return line(("esc goes back", "dim"))
    if unseen:
        more = f" and {len(unseen) - 1} more" if len(unseen) > 1 else ""
        return line(("not seen to the end: ", "warn"), f"{unseen[0]}{more}", ("  u goes there", "dim"))
    if sheet.subject == "push":
        return line(("p asks for six characters of the commit; r rejects", "dim"))
    if sheet.subject == "tool_call":
        return line(("a (once) or S (for the session) arms it for ten seconds, then Y approves; r rejects", "dim"))
    return line(("a arms it for ten seconds, then Y approves; r rejects", "dim"))
