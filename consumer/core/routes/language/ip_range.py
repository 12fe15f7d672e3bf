"""Addresses as AWS's filters compare them: by value, however they are written.

Only what reads as an address counts. An IPv4 address in IPv6's writing (`::ffff:10.0.0.1` in
hexadecimal) is that IPv4 address. An address of one version is in no range of the other.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

_V4_BITS = 32
_V6_BITS = 128
_V4_CHARACTERS = 15  # of the longest address without leading zeros; Java reads no longer one
_V6_CHARACTERS = 64  # enough for any, with some leading zeros; a longer text is not parsed

_is_v4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}").fullmatch
_is_v6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*").fullmatch
_mask_bits = re.compile(r"[+]?([0-9]{1,9})").fullmatch


class Address(NamedTuple):
    """An address: how many bits it has, and their value."""

    bits: int
    value: int


class IpRange(NamedTuple):
    """The addresses whose first bits are those of `network`."""

    network: Address  # its value without the bits that vary
    varying: int

    def contains(self, text: str) -> bool:
        """Return whether a text is an address in this range."""
        address = read_address(text)
        return (
            address is not None
            and address.bits == self.network.bits
            and address.value >> self.varying == self.network.value
        )


def read_address(text: str) -> Address | None:
    """Return the address that a text is, or None."""
    if len(text) <= _V4_CHARACTERS and _is_v4(text):
        numbers = [int(number) for number in text.split(".")]
        return Address(_V4_BITS, int.from_bytes(bytes(numbers))) if max(numbers) < 256 else None
    if len(text) > _V6_CHARACTERS or not _is_v6(text):
        return None
    groups = [group.lstrip("0") or group[:1] for group in text.split(":")]
    try:
        address = IPv6Address(":".join(groups))
    except ValueError:
        return None
    mapped = address.ipv4_mapped
    return Address(_V6_BITS, int(address)) if mapped is None else _of(mapped)


def read_cidr(text: str) -> IpRange:
    """Return the range of a text such as `10.0.0.0/8`. Raise ValueError if AWS would refuse it."""
    parts = text.rstrip("/").split("/")
    if len(parts) != 2:
        raise ValueError("a range is an address, a slash and a number of bits")
    address, mask = read_address(parts[0]), _mask_bits(parts[1])
    if address is None:
        raise ValueError("its address is not one of IPv4 or IPv6")
    if mask is None or int(mask[1]) >= address.bits:
        raise ValueError(f"its number of bits is not from 0 to {address.bits - 1}")
    varying = address.bits - int(mask[1])
    return IpRange(Address(address.bits, address.value >> varying), varying)


def _of(address: IPv4Address) -> Address:
    return Address(_V4_BITS, int(address))
