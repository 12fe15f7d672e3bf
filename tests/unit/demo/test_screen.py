"""What a terminal shows, and what a file gets."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from localdev.demo.judge import Coordinate, Hidden, Outcome, judge
from localdev.demo.screen import Screen
from localdev.demo.watch import Snapshot
from localdev.demo.worker import WorkerView

URL = "http://127.0.0.1:45678"
RUNNING = Snapshot(
    written=12,
    accepted={"order-store.order": 11},
    per_second=3.4,
    age=0.25,
    leases=2,
    dead_letters=1,
    workers=(WorkerView("worker-1", 4711, "running", URL, 2, 0.25),),
    nakadi="http://127.0.0.1:39999",
)
LAST = replace(
    RUNNING,
    written=20,
    per_second=None,
    age=None,
    leases=0,
    workers=(WorkerView("worker-1", 4711, "ended with exit code 0", URL, None, None),),
    nakadi=None,
)
CHANGE = Coordinate("a", 1)
GOOD = Outcome({"a.b": judge([CHANGE], [CHANGE, CHANGE], set())}, 1, 1, failed=False)
BAD = Outcome({"a.b": judge([CHANGE], [], set())}, 1, 2, failed=False)
NOTHING: Mapping[str, str] = {}
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]m")


def screen_on(
    out: StringIO, terminal: bool, width: int = 80, environ: Mapping[str, str] = NOTHING
) -> Screen:
    return Screen(
        Console(
            file=out,
            force_terminal=terminal,
            width=width,
            highlight=False,
            _environ={"TERM": "xterm-256color", **environ},
        )
    )


def printed(terminal: bool, width: int = 80, environ: Mapping[str, str] = NOTHING) -> str:
    """A whole demo."""
    out = StringIO()
    screen = screen_on(out, terminal, width, environ)
    with screen.setting_up() as tell:
        tell("a server")
    with screen:
        screen.show(RUNNING, "running", ", 5 s left")
        screen.show(LAST, "ended")
    screen.show_outcome(GOOD)
    screen.show_outcome(BAD)
    return out.getvalue()


def test_a_file_gets_lines_without_control_characters() -> None:
    text = printed(terminal=False)
    assert "\x1b" not in text
    assert text.startswith(
        "setting up: a server\n"
        "running, 5 s left: changes written 12, events accepted 11, events/s 3,"
        " iterator age 0.2 s, leases 2, dead letters 1\n"
        "ended: changes written 20, events accepted 11, events/s -,"
        " iterator age -, leases 0, dead letters 1\n"
    )
    assert "  duplicated                     1   (delivered again" in text
    assert text.endswith(f"lost: a sequence 1\n{BAD.sentence}\n")


def test_on_a_terminal_the_verdict_is_in_colour() -> None:
    lines = printed(terminal=True).splitlines()
    assert f"\x1b[1;32m{GOOD.sentence}\x1b[0m" in lines
    assert f"\x1b[1;31m{BAD.sentence}\x1b[0m" in lines


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour_is_respected(name: str, value: str) -> None:
    text = printed(terminal=True, environ={name: value})
    assert GOOD.sentence in text
    assert not COLOUR.search(text)


def test_the_last_frame_stays_and_names_no_page_that_is_gone() -> None:
    shown = printed(terminal=True)
    frame = shown[shown.rindex("\x1b[1mended") : shown.index("Counted")]
    assert re.search(r"changes written +20", frame)
    assert "http://" not in frame


def test_an_interrupt_leaves_no_frame_of_a_moment_before() -> None:
    out = StringIO()
    with suppress(KeyboardInterrupt), screen_on(out, terminal=True) as screen:
        screen.show(RUNNING, "running", ", 5 s left")
        shown = out.getvalue()
        raise KeyboardInterrupt
    height = shown.count("\n") + 1
    assert out.getvalue().removeprefix(shown).count("\x1b[2K") == height, "each line is erased"
    assert "running" not in out.getvalue().removeprefix(shown)


def test_a_narrow_terminal_cuts_no_address() -> None:
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\s", "", printed(terminal=True, width=30))
    assert f"{URL}/" in text
    assert "http://127.0.0.1:39999/" in text


def test_several_event_types_are_shown_one_by_one() -> None:
    out = StringIO()
    screen = screen_on(out, terminal=False)
    screen.show(replace(RUNNING, accepted={"a.b": 7, "a.c": 4}), "running")
    good, lost = judge([CHANGE], [CHANGE], set()), judge([CHANGE], [], set())
    screen.show_outcome(
        Outcome({"a.b": good, "a.c": lost}, 3, 1, failed=False, untold=2, hidden=Hidden(5, 0))
    )
    text = out.getvalue()
    assert "events accepted 11, of a.b 7, of a.c 4, events/s 3" in text
    assert re.search(r"^  changes, in 1 shard +3\n  that nobody is told of +2$", text, re.MULTILINE)
    assert re.search(r"^  card numbers in them +5\n  places that show one +0$", text, re.MULTILINE)
    assert re.search(r"^a\.b\n  changes to tell +1\n  events +1$", text, re.MULTILINE)
    assert re.search(r"^a\.c\n  changes to tell +1\n  events +0$", text, re.MULTILINE)
    assert text.endswith("lost: a sequence 1\nBAD: 1 lost in a.c\n")
