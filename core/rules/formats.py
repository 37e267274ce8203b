"""Texts of rules that may hold `%[expression]` and `%variable`: the way from a word to a function of the scope.

Owns: telling constant texts apart. Must not know: the syntax of log formats (text_format).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .catalogue import Needs, Stage
from .expression import compile_expression, parse_start
from .samples import Type

if TYPE_CHECKING:
    from .scope import Site

_CONTROLS = bytes((*range(0x20), 0x7F))


class Constant:
    """A text that is the same for every scope. Called for whoever does not look at `value`."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        self.value = value

    def __call__(self, x: Any) -> bytes:
        return self.value


def constant_of(text: Callable[[Any], bytes]) -> bytes | None:
    """The value of a text that never changes, else None."""
    return text.value if isinstance(text, Constant) else None


def compile_format(text: str, site: Site, stage: Stage, column: int) -> tuple[Callable[[Any], bytes], Needs]:
    """A function of the scope, and what it needs. Raises ConfigError."""
    if "%" not in text:
        return Constant(text.encode("utf-8", "surrogateescape")), Needs.NOTHING
    return _compile_text(text, site, stage, column)


def _compile_text(text: str, site: Site, stage: Stage, column: int) -> tuple[Callable[[Any], bytes], Needs]:
    try:
        compile_text_format = import_module(".text_format", __package__).compile_text_format
    except ModuleNotFoundError:
        return _stand_in(text, site, stage, column)
    return compile_text_format(text, site, stage, column), Needs.HEAD | Needs.CONNECTION


def _stand_in(text: str, site: Site, stage: Stage, column: int) -> tuple[Callable[[Any], bytes], Needs]:
    pieces: list[Callable[[Any], Any]] = []
    needs = Needs.NOTHING
    index = 0
    while index < len(text):
        if text.startswith("%[", index):
            expression, index = parse_start(text, column, index + 2)
            if text[index : index + 1] != "]":
                raise ConfigError("`]` is missing", column=column + index, word=text)
            compiled = compile_expression(expression, site, stage, Type.STR)
            needs |= compiled.needs
            pieces.append(compiled.run)
            index += 1
            continue
        end = text.find("%", index + 1)
        end = len(text) if end < 0 else end
        pieces.append(Constant(text[index:end].encode("utf-8", "surrogateescape")))
        index = end
    return lambda x: b"".join([_encoded(piece(x) or b"") for piece in pieces]), needs


def _encoded(value: bytes) -> bytes:
    if value.isascii() and value.translate(None, _CONTROLS) == value:
        return value
    return b"".join(b"%%%02X" % byte if byte < 0x20 or byte >= 0x7F else bytes((byte,)) for byte in value)
