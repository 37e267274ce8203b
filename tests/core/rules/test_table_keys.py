"""Keys of stick tables, as HAProxy 3.0 makes them (measured: `show table` after `track-sc0 <value>`)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.samples import ANY, BIN, BOOL, INT, IP, METH, STR, Type, pack_ip
from maniple.core.rules.table_keys import fit_key, key_maker, read_key, show_key
from maniple.pools.table_shape import TableShape

SHAPES = {
    "string": TableShape("string", 31, 10),
    "string5": TableShape("string", 5, 10),
    "binary": TableShape("binary", 32, 10),
    "binary3": TableShape("binary", 3, 10),
    "integer": TableShape("integer", 4, 10),
    "ip": TableShape("ip", 4, 10),
    "ipv6": TableShape("ipv6", 16, 10),
}


def six(text: str) -> bytes:
    packed = pack_ip(text.encode())
    assert packed is not None
    return packed


# Table, type and value of the sample -> what is shown of the key; None: there is none.
KEYS: list[tuple[str, Type, object, str | None]] = [
    ("string", STR, b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEF", "abcdefghijklmnopqrstuvwxyz01234"),
    ("string", STR, b"", ""),
    ("string", INT, -1, "-1"),
    ("string", IP, six("127.0.0.1"), "127.0.0.1"),
    ("string", IP, six("::ffff:1.2.3.4"), "::ffff:1.2.3.4"),
    ("string", BIN, b"\0\xffA", ""),
    ("string", BIN, b"A\0B", "A"),
    ("string", BOOL, True, "1"),
    ("string", METH, b"GET", "GET"),
    ("string5", STR, b"abcdefg", "abcde"),
    ("string5", INT, 4294967299, "42949"),
    ("binary3", STR, b"abcdef", "616263"),
    ("binary3", STR, b"ab", "616200"),
    ("binary3", STR, b"", "000000"),
    ("binary3", INT, 5, "000000"),
    ("binary3", INT, -1, "FFFFFF"),
    ("binary3", IP, six("127.0.0.1"), "7F0000"),
    ("binary3", IP, six("fe80::1"), "FE8000"),
    ("binary3", BIN, b"\0\xffA", "00FF41"),
    ("binary3", BOOL, True, "000000"),
    ("binary3", METH, b"GET", "474554"),
    ("binary", STR, b"12ab", "31326162" + "0" * 56),
    ("integer", STR, b"abc", "0"),
    ("integer", STR, b"", None),
    ("integer", INT, -1, "4294967295"),
    ("integer", INT, 4294967299, "3"),
    ("integer", BOOL, True, "1"),
    ("integer", STR, b"12ab", "12"),
    ("ip", STR, b"1.2.3.4", "1.2.3.4"),
    ("ip", STR, b"::1", None),
    ("ip", STR, b"ab", None),
    ("ip", INT, 5, "0.0.0.5"),
    ("ip", INT, -1, "255.255.255.255"),
    ("ip", IP, six("127.0.0.1"), "127.0.0.1"),
    ("ip", IP, six("::ffff:1.2.3.4"), "1.2.3.4"),
    ("ip", IP, six("::1.2.3.4"), "1.2.3.4"),
    ("ip", IP, six("2002:102:304::"), "1.2.3.4"),
    ("ip", IP, six("64:ff9b::1.2.3.4"), None),
    ("ip", IP, six("::ffff:0:1.2.3.4"), None),
    ("ip", IP, six("fe80::1"), None),
    ("ip", IP, b"", None),
    ("ipv6", STR, b"1.2.3.4", None),
    ("ipv6", STR, b"::1", "::1"),
    ("ipv6", INT, 5, "::ffff:0.0.0.5"),
    ("ipv6", IP, six("127.0.0.1"), "::ffff:127.0.0.1"),
    ("ipv6", IP, six("fe80::1"), "fe80::1"),
    ("ipv6", IP, b"", None),
]


@pytest.mark.parametrize(("table", "kind", "value", "shown"), KEYS)
def test_keys(table: str, kind: Type, value: object, shown: str | None) -> None:
    shape = SHAPES[table]
    for source, sample in ((kind, value), (ANY, (kind, value))):
        make = key_maker(shape, source)
        assert make is not None
        key = make(sample)
        if shown is None:
            assert key is None
        else:
            assert key is not None and len(key) == shape.width
            assert show_key(shape, key) == shown.encode()


@pytest.mark.parametrize(
    ("table", "kind"), [("integer", IP), ("integer", BIN), ("integer", METH), ("ip", BOOL), ("ip", BIN), ("ipv6", METH)]
)
def test_types_that_are_no_keys(table: str, kind: Type) -> None:
    assert key_maker(SHAPES[table], kind) is None
    of_any = key_maker(SHAPES[table], ANY)
    assert of_any is not None and of_any((kind, b"abcd")) is None


@pytest.mark.parametrize("table", SHAPES)
@given(raw=st.binary(min_size=16, max_size=16))
def test_what_is_shown_is_read_again(table: str, raw: bytes) -> None:
    shape = SHAPES[table]
    key = raw[: shape.width].ljust(shape.width, b"\0")
    if shape.key == "string":
        key = key.replace(b"\0", b"x")
    assert read_key(shape, show_key(shape, key)) == key


def test_what_is_no_key() -> None:
    assert read_key(SHAPES["integer"], b"x") is None
    assert read_key(SHAPES["ip"], b"x") is None
    assert read_key(SHAPES["binary"], b"zz") is None
    assert read_key(SHAPES["ip"], b"::ffff:1.2.3.4") == bytes((1, 2, 3, 4))
    assert read_key(SHAPES["ipv6"], b"1.2.3.4") == six("::ffff:1.2.3.4")


def test_keys_of_other_tables() -> None:
    assert fit_key(SHAPES["string5"], SHAPES["string"], b"abcdefgh".ljust(31, b"\0")) == b"abcde"
    assert fit_key(SHAPES["string"], SHAPES["string5"], b"abcde") == b"abcde".ljust(31, b"\0")
    assert fit_key(SHAPES["ip"], SHAPES["ip"], b"abcd") == b"abcd"
    assert fit_key(SHAPES["ip"], SHAPES["ipv6"], b"abcd" * 4) is None
