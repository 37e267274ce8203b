from __future__ import annotations

import socket

from maniple.groups.steering import MAX_ANSWER, Answer


def test_lines_are_kept_until_the_end_and_the_end_comes_once() -> None:
    ended: list[tuple[list[str], bool]] = []
    answer = Answer(lambda lines, ok: ended.append((lines, ok)))
    answer.line("a")
    answer.line("b\n\nc\n")
    assert not ended and not answer.ended
    answer.end(False)
    answer.end()
    answer.line("late")
    assert ended == [(["a", "b", " ", "c"], False)] and answer.ended


def test_length_is_bounded() -> None:
    ended: list[list[str]] = []
    answer = Answer(lambda lines, ok: ended.append(lines))
    for _ in range(20):
        answer.line("x" * (MAX_ANSWER // 10))
    answer.end()
    assert sum(map(len, ended[0])) <= MAX_ANSWER + 100 and ended[0][-1] == "[the rest is too long]"


def test_hand_over() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answer = Answer(lambda lines, ok: None, lambda: ours)
        assert answer.hand_over() is ours and answer.ended
        assert answer.hand_over() is None
    assert Answer(lambda lines, ok: None).hand_over() is None


def test_portions_are_poured_where_that_is_possible_and_kept_where_not() -> None:
    poured: list[list[list[str]]] = []
    ended: list[tuple[list[str], bool]] = []
    answer = Answer(
        lambda lines, ok: ended.append((lines, ok)), None, lambda portions: poured.append([[*one] for one in portions])
    )
    answer.pour(iter([["a", "b"], [], ["c"]]))
    answer.pour(iter([["late"]]))
    assert answer.ended and poured == [[["a", "b"], [], ["c"]]] and ended == []
    Answer(lambda lines, ok: ended.append((lines, ok))).pour(iter([["a"], [], ["b"]]))
    assert ended == [(["a", "b"], True)]
