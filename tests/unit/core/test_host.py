"""Hosts that can be looked up, and what only looks like one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.host import HOST_PATTERN, is_host

LONG = "a" * 63

HOSTS = [
    "nakadi",
    "nakadi.",
    "na_kadi",
    "nakadi.example.org",
    "xn--bcher-kva.example",
    "bücher.example",
    "sqs.eu-central-1.amazonaws.com",
    f"{LONG}.example",
    ".".join([LONG, LONG, LONG, "b" * 61]),
    "127.0.0.1",
    "3com.example",
    "[::1]",
    "[2001:db8::192.0.2.1]",
]

NONE = [
    "",
    ".",
    "..",
    ".nakadi",
    "nakadi..",
    "nakadi..example.org",
    f"a{LONG}.example",
    "ä" * 60,  # 63 letters at most, as it travels
    ".".join([LONG, LONG, LONG, "b" * 62]),
    "256.0.0.1",
    "1.2.3",
    "127.0.0.01",
    "7",
    "[:::1]",
    "[::1",
    "[127.0.0.1]",
    "::1",
    "a b",
    "a\xa0b",
    "a\nb",
    "a%20b",
    "a/b",
    "a\\b",
    "user@a",
    "a:80",
    "<a>",
]


@pytest.mark.parametrize("text", HOSTS)
def test_a_host(text: str) -> None:
    assert is_host(text)
    assert re.fullmatch(HOST_PATTERN, text)


@pytest.mark.parametrize("text", NONE)
def test_no_host(text: str) -> None:
    assert not is_host(text)


@given(st.text("a.-_1[]:äß。\u200d\xa0\n%xn", max_size=300))
def test_whatever_is_a_host_can_be_asked_for(text: str) -> None:
    """The resolver encodes it, which raises no error then."""
    if is_host(text):
        text.removesuffix(".").encode("idna")
