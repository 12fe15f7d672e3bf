from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consumer.core.routes.language.ip_range import read_address, read_cidr


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10.0.0.33", "010.0.0.033"),
        ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"),
        ("::1", "0:0:0:0:0:0:0:00001"),
        ("::ffff:a00:21", "10.0.0.33"),
        ("1.0.0.0", "001.0.0.0"),
    ],
)
def test_writings_of_one_address(one: str, other: str) -> None:
    assert read_address(one) == read_address(other) is not None


@pytest.mark.parametrize(
    "text",
    [
        *("", "10.0.0", "10.0.0.256", "10.0.0.0.1", "0000000010.0.0.1", "٣.0.0.1", "10.0.0.1 "),
        *(":", "1:2", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "0:" * 40, "::ffff:10.0.0.1"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert read_address(text) is None


@given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 31))
def test_a_range_is_that_of_the_standard_library(
    base: IPv4Address | IPv6Address, value: IPv4Address | IPv6Address, bits: int
) -> None:
    assume(getattr(base, "ipv4_mapped", None) is None)
    assume(getattr(value, "ipv4_mapped", None) is None)
    expected = value in ip_network(f"{base}/{bits}", strict=False)
    assert read_cidr(f"{base}/{bits}").contains(str(value)) is expected
    assert read_cidr(f"{base}/{bits}").contains(str(base))


def test_examples_of_ranges() -> None:
    assert read_cidr("10.0.0.0/24").contains("10.0.0.255")
    assert not read_cidr("10.0.0.0/24").contains("10.0.1.0")
    assert read_cidr("10.0.0.7/+24/").contains("10.0.0.1")
    assert not read_cidr("10.0.0.0/8").contains("PAID")
    assert not read_cidr("0.0.0.0/0").contains("2001::")
    assert read_cidr("2001:db8::/127").contains("2001:db8::1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.0.0.0", "a slash"),
        ("10.0.0.0/8/8", "a slash"),
        ("x/8", "its address"),
        ("10.0.0.0/x", "from 0 to 31"),
        ("10.0.0.0/-1", "from 0 to 31"),
        ("10.0.0.0/32", "from 0 to 31"),
        ("::/128", "from 0 to 127"),
        ("::/" + "1" * 5000, "from 0 to 127"),
    ],
)
def test_what_aws_refuses_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_cidr(text)
