"""Ordering keys of letters, as text and as digests."""

from hashlib import sha256

import pytest

from consumer.core.dead_letters.letter_key import digest_of, hash_of, is_digest, is_key


def test_the_digest_is_that_of_the_text_and_of_a_digest_itself() -> None:
    made = digest_of('["o-4711"]')
    assert made == "sha256:" + sha256(b'["o-4711"]').hexdigest()
    assert digest_of(made) == made
    assert hash_of(made) == hash_of('["o-4711"]') == made[len("sha256:") :]
    assert digest_of("\ud800").startswith("sha256:")


@pytest.mark.parametrize(
    ("key", "known"), [(None, False), ('["sha256:1"]', False), ("sha256:1", True)]
)
def test_a_digest_is_told_from_a_key(key: str | None, *, known: bool) -> None:
    assert is_digest(key) is known


@pytest.mark.parametrize(
    ("key", "wanted", "same"),
    [
        ('["o-4711"]', "o-4711", True),
        ('["o-4711"]', '["o-4711"]', True),
        ('["o-4711"]', "o-4712", False),
        ("[12.50]", "12.50", True),
        ("[12.50]", "12.5", False),
        ('["o-1",7]', '["o-1",7]', True),
        ('["o-1",7]', "o-1", False),
        ('["a\\"b\\\\ü/"]', 'a"b\\ü/', True),
        ('["a\\u0001"]', "a\x01", True),
        ('["x"]', "x\udcff", False),
    ],
)
def test_a_key_is_found_by_what_people_type_also_where_a_letter_has_its_digest(
    key: str, wanted: str, *, same: bool
) -> None:
    assert is_key(key, wanted) is same
    assert is_key(digest_of(key), wanted) is same
    assert is_key(digest_of(key), digest_of(key))
