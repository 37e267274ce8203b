"""Columns of characters of words that were not copied from their source."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.columns import Column, Trail
from maniple.core.config.environment import Environment
from maniple.core.config.lexer import split_words


def test_offsets_go_along_the_word() -> None:
    column = Column((3, 5, 6, 9))
    assert [column + offset for offset in (-1, 0, 1, 2, 3, 4, 6)] == [2, 3, 5, 6, 9, 10, 12]
    assert (column + 1) + 2 == 9
    assert column + 4 - 2 == 6
    assert 2 + column == 6
    again = pickle.loads(pickle.dumps(column + 1))
    assert (again, again + 1) == (5, 6)
    assert f"{column + 1}:{column + 2!r}" == "5:6"


def test_a_copied_word_has_plain_columns() -> None:
    trail = Trail()
    trail.copied("ab", 4)
    trail.copied("c", 6)
    assert type(trail.first("abc", 3)) is int
    assert trail.first("abc", 3) == 4
    assert Trail().first("", 7) == 7


PIECES = st.lists(
    st.sampled_from(
        [
            ("ab", "ab"),
            (r"\ ", " "),
            (r"\x41", "A"),
            ('"c d"', "c d"),
            ("'$'", "$"),
            ('"$LONG"', "0123456789"),
            ("é", "é"),
        ]
    ),
    min_size=1,
    max_size=8,
)


@given(PIECES)
def test_each_character_stands_where_its_piece_does(pieces: list[tuple[str, str]]) -> None:
    word = split_words("".join(source for source, _ in pieces), Environment({"LONG": "0123456789"}))[0]
    assert word.text == "".join(text for _, text in pieces)
    at, begin = 0, 1
    for source, text in pieces:
        for index in range(len(text)):
            assert begin <= word.start + at + index < begin + len(source)
        at += len(text)
        begin += len(source)
