"""What counts as a secret."""

import json

import pytest

from consumer.core.secret import secret_word, without_passwords


@pytest.mark.parametrize("text", ["word", " word\n", "\tword \r\n"])
def test_white_space_around_it_is_not_part_of_it(text: str) -> None:
    assert secret_word(text) == "word"


@pytest.mark.parametrize(
    "text", ["", " \n", "two words", "cut\nin two", "a\0b", "a\x7f", "é", "\xa0a"]
)
def test_what_no_header_can_carry_is_none(text: str) -> None:
    assert secret_word(text) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no connection to http://proxy:3128", "no connection to http://proxy:3128"),
        ("a user@host", "a user@host"),
        ("'https://user:word@proxy:3128/a@b'", "'https://***@proxy:3128/a@b'"),
        ("http://user:w@rd%27@p, http://word@q", "http://***@p, http://***@q"),
        ("http://host?to=a@b http://host#a@b", "http://host?to=a@b http://host#a@b"),
    ],
)
def test_user_and_password_of_a_url_are_not_shown(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


def test_a_json_document_stays_one() -> None:
    given = {"url": "http://host", "by": "a@b", "proxy": "http://u:\xe9'@host", "q": '"http://"@'}
    shown = json.loads(without_passwords(json.dumps(given)))
    assert shown == {**given, "proxy": "http://***@host"}
