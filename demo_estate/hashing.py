"""Values that belong to a key: the same key gives the same value on every machine and in every order."""

from __future__ import annotations

from hashlib import blake2b

MASK24 = 0xFFFFFF
#: Odd, so that multiplying by it modulo 2**24 gives every value once: distinct MACs and serials without a memory.
_SPREAD = 0x9E3779


def digest(*key: object) -> str:
    """128 hex digits."""
    return blake2b("\x1f".join(map(str, key)).encode()).hexdigest()


def number(*key: object) -> int:
    """A number below 2**64."""
    return int.from_bytes(blake2b("\x1f".join(map(str, key)).encode(), digest_size=8).digest(), "big")


def fraction(*key: object) -> float:
    """A number from 0 up to but not including 1."""
    return number(*key) / 2**64


def hex_id(length: int, *key: object) -> str:
    return digest(*key)[:length]


def guid(*key: object) -> str:
    return as_guid(blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).hexdigest())


def as_guid(digits: str) -> str:
    """32 hex digits as a version 4 GUID."""
    return f"{digits[0:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def spread24(value: int, seed: int) -> int:
    """A scrambled 24-bit number, different for each value below 2**24."""
    return (value * _SPREAD + seed * 7919) & MASK24
