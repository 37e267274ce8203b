"""Words out of lines: cases as data, random lines against HAProxy, and quoting that reads back."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.environment import Environment
from maniple.core.config.lexer import MAX_WORDS, LexicalError, Line, quote_word, read_lines, split_words

VARIABLES = {"A": "f oo", "L": "a b  c", "E": "", "T": " x ", "Q": "'\"#$A\\n"}

WORDS = [
    ("", []),
    ("   \t", []),
    ("a b", ["a", "b"]),
    ("  a\t\v\f b  ", ["a", "b"]),
    ("a\u00a0b", ["a\u00a0b"]),
    # comments
    ("# all", []),
    ("global#this is the global section", ["global"]),
    ("a # b", ["a"]),
    ("a b#c", ["a", "b"]),
    (r"a \#b", ["a", "#b"]),
    ("a '#' \"#\"", ["a", "#", "#"]),
    # quotes
    ("'a b'", ["a b"]),
    ('"a b"', ["a b"]),
    ("a\"b c\"'d e'f", ["ab cd ef"]),
    ("\"a'b\" 'c\"d'", ["a'b", 'c"d']),
    (r"'a\n\'", [r"a\n" + "\\"]),
    ("a ''", ["a"]),
    ('"" ""', []),
    ("a '' b", ["a", "", "b"]),
    ("a b''", ["a", "b"]),
    # escapes
    (r"a\ b", ["a b"]),
    (r"\"a\' \\", ["\"a'", "\\"]),
    (r"\t\n\r", ["\t\n\r"]),
    (r'"\t\n\r\ \#\\\'\""', ["\t\n\r #\\'\""]),
    (r"\x41\x0a\x7e", ["A\n~"]),
    (r"\xc3\xa9\xff", ["é\udcff"]),
    (r"\1\q\X41\0", [r"\1\q\X41\0"]),
    ("a\\", ["a\\"]),
    (r"\$A", [r"\$A"]),
    (r'"\$A"', ["$A"]),
    # variables
    ("$A ${A}", ["$A", "${A}"]),
    ("'$A'", ["$A"]),
    ('"$A"', ["f oo"]),
    ('"${A}x"', ["f oox"]),
    ('"$A-x"', ["f oo-x"]),
    ('"$Ax"', []),
    ('"${E}"', []),
    ('"${E-x}" a', ["", "a"]),
    ('"${N-x y}"', ["x y"]),
    ('"${N-}" a', ["", "a"]),
    ('"${N-#"$A\\n}"', ['#"$A\\n']),
    ('"${A-x}"', ["f oo"]),
    ('"$Q"', ["'\"#$A\\n"]),
    ('"${L}"', ["a b  c"]),
    ('"${L[*]}"', ["a", "b", "c"]),
    ('"x${L[*]}y" z', ["xa", "b", "cy", "z"]),
    ('"${T[*]}" a', ["", "x", "", "a"]),
    ('"${L[*]}${L[*]}"', ["a", "b", "ca", "b", "c"]),
    ('"${N[*]}" a', ["a"]),
    ('"${N[*]-d e}"', ["d", "e"]),
    ('"${N}" a', ["a"]),
    ('a "$N" b', ["a", "b"]),
    ('a x"$N" b', ["a", "xb"]),
    ('a "$N " b', ["a", " ", "b"]),
    ('"$.LINE ${.FILE} <$.SECTION>"', ["7 f.cfg <web>"]),
    # line ends
    ("a b\rc", ["a", "b"]),
    (" ".join(["w"] * MAX_WORDS), ["w"] * MAX_WORDS),
]

ERRORS = [
    ('a "b', 3, "unmatched double quote"),
    ("a 'b", 3, "unmatched single quote"),
    ("a 'b\rc'", 3, "unmatched single quote"),
    (r'"a\"', 1, "unmatched double quote"),
    (r"a\x4", 2, "hexadecimal"),
    (r"\xgg", 1, "hexadecimal"),
    (r"a \x00", 3, "NUL"),
    ("a\0b", 2, "NUL"),
    ('"$1"', 3, "forbidden first character"),
    ('"${1}"', 4, "forbidden first character"),
    ('"${}"', 4, "forbidden first character"),
    ('"$"', 3, "forbidden first character"),
    ('"a$ b"', 4, "forbidden first character"),
    ('"$é"', 3, "forbidden first character"),
    ('"${A"', 3, "unmatched brace"),
    ('"${A B}"', 3, "unmatched brace"),
    ('"${A-b"', 3, "unmatched brace"),
    ('"${A.b}"', 3, "unmatched brace"),
    ('"${A[1]}"', 5, "word expansion"),
    ('"${A[*}"', 5, "word expansion"),
    ('"$.NOPE"', 3, "unknown pseudo-variable '.NOPE'"),
    (" ".join(["w"] * (MAX_WORDS + 1)), 2 * MAX_WORDS + 1, "too many words"),
]


def environment() -> Environment:
    made = Environment(VARIABLES)
    made.section = "web"
    return made


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_words(text: str, words: list[str]) -> None:
    assert [word.text for word in split_words(text, environment(), "f.cfg", 7)] == words


@pytest.mark.parametrize(("text", "column", "said"), ERRORS)
def test_errors(text: str, column: int, said: str) -> None:
    with pytest.raises(LexicalError, match=said) as caught:
        split_words(text, environment(), "f.cfg", 7)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("  a  b", [3, 6]),
        ("a 'b c' d", [1, 3, 9]),
        ('a "x${L[*]}" b', [1, 3, 5, 5, 14]),
        ('a "$N" b', [1, 8]),
        (r"a\ b c", [1, 6]),
    ],
)
def test_columns_are_those_of_the_source(text: str, columns: list[int]) -> None:
    assert [word.column for word in split_words(text, environment())] == columns


INSIDE = [
    # the line, the word asked for, where its characters and what is behind it stand
    ("a bcd", 1, [3, 4, 5, 6]),
    ('a "b c" d', 1, [4, 5, 6, 7]),
    (r"a b\ c d", 1, [3, 4, 6, 7]),
    (r"a \x41\x42c", 1, [3, 7, 11, 12]),
    (r"a \xc3\xa9c\xff", 1, [3, 11, 12, 16]),
    (r'a "\"\$x"', 1, [4, 6, 8, 9]),
    (r"a \qb", 1, [3, 4, 5, 6]),
    ("a b\"c d\"'e'f", 1, [3, 5, 6, 7, 10, 12, 13]),
    ('a "x$A.y"', 1, [4, 5, 5, 5, 5, 7, 8, 9]),  # a value that is longer than its name
    ('a "x${E-nothing}y"', 1, [4, 17, 18]),
    ('a "${N-de}y"', 1, [4, 4, 11, 12]),
    ('a x"$N" b', 1, [3, 9, 10]),
    ('a "x${L[*]}y" z', 1, [4, 5, 12]),
    ('a "x${L[*]}y" z', 3, [5, 12, 13]),
    ("é 'é' b", 1, [4, 5]),
]


@pytest.mark.parametrize(("text", "index", "columns"), INSIDE)
def test_places_inside_words_are_those_of_the_source(text: str, index: int, columns: list[int]) -> None:
    word = split_words(text, environment())[index]
    assert [word.start + offset for offset in range(len(word.text) + 1)] == columns


def test_no_comments_where_there_are_none() -> None:
    words = split_words("a #b 'c'", environment(), comments=False)
    assert [word.text for word in words] == ["a", "#b", "c"]


def read(text: str) -> tuple[list[Line], Diagnostics]:
    diagnostics = Diagnostics()
    return list(read_lines("f.cfg", text, environment(), diagnostics)), diagnostics


def test_lines_have_numbers_and_places() -> None:
    lines, diagnostics = read("\n# x\n  a b  \r\n\nc\n")
    assert [(line.number, [word.text for word in line.words]) for line in lines] == [(3, ["a", "b"]), (5, ["c"])]
    assert lines[0].place().column == 3
    assert lines[0].place(1).column == 5
    assert lines[0].place(2).column == 6
    assert len(diagnostics) == 0


def test_reading_goes_on_after_an_error() -> None:
    lines, diagnostics = read('a "b\nc\n"$1"\nd\n')
    assert [line.words[0].text for line in lines] == ["c", "d"]
    assert [(report.place.line, report.place.column) for report in diagnostics.errors] == [(1, 3), (3, 3)]


@pytest.mark.parametrize("text", ["a", "a\nb", "a\r\nb\r", "a\n "])
def test_missing_line_feed(text: str) -> None:
    lines, diagnostics = read(text)
    assert [report.message for report in diagnostics.errors] == [
        "the last line does not end with a line feed: the file may be truncated"
    ]
    assert lines[-1].words


@pytest.mark.parametrize("text", ["", "\n", "a\n"])
def test_complete_files(text: str) -> None:
    assert len(read(text)[1]) == 0


def test_byte_order_mark_is_told() -> None:
    lines, diagnostics = read("\ufeffglobal\n")
    assert lines[0].words[0].text == "global"
    assert "byte order mark" in diagnostics.errors[0].message


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [("a '' b\n", 3, "word 2 is empty"), ("a b\rc\n", 4, "carriage return"), ("'' a\n", 1, "word 1 is empty")],
)
def test_warnings(text: str, column: int, said: str) -> None:
    _, diagnostics = read(text)
    (report,) = diagnostics
    assert report.level == "warning"
    assert (report.place.column, said in report.message) == (column, True)


def test_a_line_is_read_only_when_it_is_asked_for() -> None:
    variables = Environment({"X": "1"})
    lines = read_lines("f.cfg", 'a "$X"\nb "$X" "$.SECTION"\n', variables, Diagnostics())
    assert next(lines).words[1].text == "1"
    variables.set("X", "2")
    variables.section = "web"
    assert [word.text for word in next(lines).words] == ["b", "2", "web"]


TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from(" \t\n\r\\\"'#${}[]")
)


@given(TEXTS.filter(bool))
def test_quoted_word_reads_back(text: str) -> None:
    (word,) = split_words(quote_word(text), environment())
    assert word.text == text


@given(st.binary(min_size=1).filter(lambda data: 0 not in data))
def test_quoted_bytes_read_back(data: bytes) -> None:
    (word,) = split_words(quote_word(data.decode("utf-8", "surrogateescape")), environment())
    assert word.text.encode("utf-8", "surrogateescape") == data


@given(st.lists(TEXTS, min_size=1, max_size=10))
def test_line_of_quoted_words_reads_back(texts: list[str]) -> None:
    texts.append("end")
    lines, diagnostics = read(" ".join(quote_word(text) for text in texts) + "\n")
    assert [word.text for word in lines[0].words] == texts
    assert diagnostics.errors == []


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("plain-1.2:80", "plain-1.2:80"), ("", "''"), ("a b", "'a b'"), ("it's", '"it\'s"'), ("a\nb$", r'"a\nb\$"')],
)
def test_only_what_must_be_is_quoted(text: str, quoted: str) -> None:
    assert quote_word(text) == quoted


def test_nul_cannot_be_quoted() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote_word("a\0")


@given(st.text())
def test_any_text_is_words_or_an_error(text: str) -> None:
    read(text)


# --- HAProxy as the oracle

PIECES = [
    "a", "b", "N", "1", "_", "*", "-", ".", "$", "{", "}", "[", "[*]", "#", " ", "  ", "\t", "\v", '"', '"', '"', "'",
    "${A}", "${N}", "$N", "$A", "${L[*]}", "${N[*]}", "${N-", "${A-x}", "${E}", "$.LINE", "${.X}",
    "\\", "\\x41", "\\x4", "\\n", "\\t", "\\ ", "\\#", "\\$", '\\"', "\\'", "\\xe9",
]  # fmt: skip

# A default value in the first lines is lost when HAProxy has to enlarge its buffer and reads the line again.
LONG_FIRST_LINE = "#" + "x" * 4000


def random_lines(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(PIECES, k=chance.randint(1, 8))) for _ in range(count)]


@pytest.mark.parametrize("version", ["haproxy", "haproxy3"])
def test_same_words_and_error_places_as_haproxy(version: str, request: pytest.FixtureRequest) -> None:
    """`.notice` shows its one word, and errors their position; lines of several words would end HAProxy's reading."""
    oracle = request.getfixturevalue(version)
    expected: list[tuple[str, str | int]] = []
    for text in random_lines(seed=1, count=900):
        try:
            words = split_words(".notice " + text, environment(), number=len(expected) % 45 + 2)
        except LexicalError as error:
            expected.append((text, error.column))
        else:
            if len(words) <= 2:
                expected.append((text, words[1].text if len(words) == 2 else ""))
    for start in range(0, len(expected), 45):
        batch = expected[start : start + 45]
        said = oracle.reports("\n".join([LONG_FIRST_LINE, *(".notice " + text for text, _ in batch)]) + "\n", VARIABLES)
        for number, (text, result) in enumerate(batch, start=2):
            (report,) = said[number]
            if isinstance(result, str):
                assert report == ("NOTICE", f"'{result}'."), text
            else:
                assert f"at position {result}:" in report[1], text


def test_same_lists_of_words_as_haproxy(haproxy3: Any) -> None:
    """Its dump of the lines that it has read shows all words, each with a blank after it."""
    texts = [text for text in ("description " + line for line in random_lines(seed=2, count=900)) if is_plain(text)]
    haproxy3.path.write_text("\n".join(["global", LONG_FIRST_LINE, *texts]) + "\n")
    dump = haproxy3.run(["-dC", "-c", "-f", str(haproxy3.path)], VARIABLES).stdout.decode("utf-8", "surrogateescape")
    dumped = [line[1:] for line in dump.split("\n") if line.startswith("\tdescription")]
    read = [[word.text for word in split_words(text, environment(), number=3 + n)] for n, text in enumerate(texts)]
    assert len(texts) > 200
    assert [line.rstrip() for line in dumped] == [" ".join(words).rstrip() for words in read]


def is_plain(text: str) -> bool:
    """Without an error, and without a line feed that would tear the dump."""
    try:
        return all("\n" not in word.text for word in split_words(text, environment()))
    except LexicalError:
        return False


@pytest.mark.parametrize(
    "text", ["global", "global\r", "# x", "global\n ", "global\n a\0b\n", "global\r\n", "global\n", ""]
)
def test_same_verdict_on_files_as_haproxy(text: str, haproxy3: Any) -> None:
    assert bool(haproxy3.refused(text)) == bool(read(text)[1].errors)
