from __future__ import annotations

import pytest
from maniple.core.rules.format_variables import STEPS, VARIABLES, path_only, query

# The manual's table (8.2.6), `%o` excepted.
MANUAL = (
    "B CC CS H HM HP HPO HQ HU HV ID ST T Ta Tc Td Tl Th Ti Tq TR Tr Ts Tt Tu Tw U ac b bc bi bp bq ci cp f fc fi fp "
    "ft lc hr hrl hs hsl ms pid r rc rt s sc si sp sq sslc sslv t tr trg trl ts tsc"
)


def test_every_variable_of_the_manual_is_there() -> None:
    assert set(VARIABLES) == set(MANUAL.split()) | {"OG"}


def test_steps_use_only_steps_above_them() -> None:
    known = {"x", "int", "len"}
    for name, expression in STEPS.items():
        code = compile(expression, name, "eval")
        assert set(code.co_names) - known <= {
            *("session", "idle_since", "request_number", "accept_at", "accept_date", "first_byte_at"),
            *("first_byte_date", "head_at", "slot_at", "connect_at", "response_at", "end_at", "request_line", "split"),
        }
        known.add(name)


@pytest.mark.parametrize(
    ("target", "path", "questioned"),
    [
        (b"/a/b?c=d?e", b"/a/b", b"?c=d?e"),
        (b"/", b"/", b""),
        (b"/?", b"/", b"?"),
        (b"http://h:80/p/q?r", b"/p/q", b"?r"),
        (b"http://h", b"", b""),
        (b"/redirect?to=http://h/x", b"/redirect", b"?to=http://h/x"),
        (b"*", b"", b""),
        (b"<BADREQ>", b"<BADREQ>", b"<BADREQ>"),
    ],
)
def test_target_parts(target: bytes, path: bytes, questioned: bytes) -> None:
    assert path_only(target) == path
    assert query(target) == questioned
