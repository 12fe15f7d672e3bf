"""What a terminal could take for a command is spelled out, and JSON stays JSON."""

import json

import pytest

from consumer.core.printable import printable

EVIL = "\x1b[2J\x1b]0;title\x07\r\x08\x7f\x9b31m\u202e\u2028\ud800\U000e0001\u200b"


def test_plain_text_stays_as_it_is() -> None:
    text = "o-4711 \N{EN DASH} Größe 10 \N{OK HAND SIGN}"
    assert printable(text) is text


def test_nothing_that_is_not_printable_is_left() -> None:
    shown = printable(f"a{EVIL}b\n")
    assert shown.isprintable()
    assert shown.startswith("a\\u001b[2J\\u001b]0;title\\u0007\\u000d")
    assert shown.endswith("b\\u000a")
    assert printable(shown) == shown


def test_some_may_be_kept() -> None:
    assert printable("a\n\tb\x1b", keep="\n") == "a\n\\u0009b\\u001b"


@pytest.mark.parametrize("text", [EVIL.replace("\ud800", ""), "\x9b\x7f\U000e0001"])
def test_a_json_document_keeps_its_meaning(text: str) -> None:
    document = json.dumps({"owner": text}, ensure_ascii=False, indent=2)
    assert json.loads(printable(document, keep="\n")) == {"owner": text}
