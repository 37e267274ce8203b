"""The persistence cookie in a Cookie line: cases from HAProxy 3.0, and the fast reading against the slow one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance import cookie_line
from maniple.core.balance.cookie_line import make_cut

# A line, and what the server gets of it with `insert indirect`; None: no header at all.
TAKEN_OUT: list[tuple[bytes, bytes | None]] = [
    (b"X=a", None),
    (b"X=a; y=1", b"y=1"),
    (b"y=1; X=a", b"y=1"),
    (b"y=1;X=a;z=2", b"y=1; z=2"),
    (b"y=1 ;  X = a  ; z=2", b"y=1; z=2"),
    (b"X=a; X=b; q=1", b"q=1"),
    (b"$Version=1; X=a; $Path=/; y=2; $Path=/", b"$Version=1; y=2; $Path=/"),
    (b"$Version=1; X=a", None),
    (b"$a = 1; X=a; y", b"$a = 1; y"),
    (b'y="a;X=b"; X=a', b'y="a;X=b"'),
    (b"X; y=1", b"X; y=1"),
    (b"y=2, X=a , z=3", b"y=2, z=3"),
    (b"y=1 , X=a", b"y=1 "),
    (b"Y = 1; X=a", b"Y=1"),
    (b"X=a;", None),
    (b";X=a", None),
    (b";X=a;y=1", b"y=1"),
    (b";;X=a", b";"),
    (b"X=a;;y=1", b";y=1"),
    (b"; ;X=a;z=1", b";; z=1"),
    (b"X=a;  ;  ; y", b";  ; y"),
    (b"y=1;X=a;", b"y=1; "),
    (b"y=1;; X=a;; z=1", b"y=1;; ; z=1"),
    (b"=;X=a", b"="),
    (b"y=1   ;X=a;   z", b"y=1; z"),
    (b"x=a; y= 2", b"x=a; y=2"),
    (b"", b""),
]
STRIPPED = [
    (b"X=a~b; y=1", b"X=b; y=1"),
    (b"X=~b", b"X=b"),
    (b"X=a~", b"X="),
    (b"X=a~b~c; y = 1", b"X=b~c; y=1"),
    (b'X=a~"x;y"; z', b'X="x;y"; z'),
    (b"y=1; X=~b; X=a~c", b"y=1; X=b; X=c"),
    (b"X=a~ b", b"X= b"),
    (b"X=a; y=1", b"X=a; y=1"),
]
WORDS = st.sampled_from([b"X", b"XX", b"y", b"=", b"; ", b"; ", b";", b",", b" ", b"\t", b'"', b"a", b"~", b"$", b"|"])
LINES = st.lists(WORDS, max_size=14).map(lambda words: b"".join(words).strip(b" \t"))


@pytest.mark.parametrize(("line", "rest"), TAKEN_OUT)
def test_taken_out(line: bytes, rest: bytes | None) -> None:
    _, found = make_cut(b"X", indirect=True)(line)
    assert found == rest
    if rest == line:
        assert found is line


@pytest.mark.parametrize(("line", "rest"), STRIPPED)
def test_stripped(line: bytes, rest: bytes) -> None:
    assert make_cut(b"X", prefixed=True)(line)[1] == rest


def test_values() -> None:
    cut = make_cut(b"X")
    assert cut(b"X=a; y=1; X = b ,X=")[0] == [b"a", b"b", b""]
    assert cut(b"XX=a; y=X")[0] == []
    assert cut(b'X="a;b"')[0] == [b'"a;b"']
    assert make_cut(b"a.b")(b"aXb=1; a.b=2")[0] == [b"2"]


@given(LINES, st.booleans(), st.booleans())
def test_fast_as_slow(line: bytes, indirect: bool, prefixed: bool) -> None:
    if indirect:
        prefixed = False
    fast = make_cut(b"X", indirect=indirect, prefixed=prefixed)(line)
    assert fast == cookie_line._cut(line, b"X", indirect, prefixed)


@given(LINES)
def test_nothing_is_left_of_it(line: bytes) -> None:
    _, rest = make_cut(b"X", indirect=True)(line)
    assert rest is None or make_cut(b"X")(rest)[0] == []
