"""Persistence cookies in a configuration (manual 4.2): `cookie` and `dynamic-cookie-key`.

Owns: reading them. Must not know: what is done with cookies. A later `cookie` line replaces an earlier one as a whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..units import parse_time
from .cookie_spec import CookieSpec
from .drafts import ProxyDraft
from .keywords import BACK, PROXY_KEYWORDS, setter
from .lexer import Word
from .statement import Refusal, Statement
from .suggest import offer
from .values import Text

MODES = ("rewrite", "insert", "prefix")
FLAGS = ("indirect", "nocache", "postonly", "preserve", "httponly", "secure", "dynamic")
VALUED = ("domain", "maxidle", "maxlife", "attr")


@PROXY_KEYWORDS.keyword(
    "cookie",
    BACK,
    "<name> [<word>...]",
    "Cookie that keeps a client on its server.",
    reader="persistence",
    arity=(1, -1),
)
def _cookie(statement: Statement, draft: ProxyDraft) -> None:
    name = statement.text(0)
    if not name:
        raise Refusal("`cookie` expects <name>", statement.arguments[0])
    spec = CookieSpec(name)
    words = list(statement.arguments[1:])
    while words:
        word = words.pop(0)
        if word.text in MODES:
            if spec.mode not in ("", word.text):
                raise Refusal(f"`cookie`: '{spec.mode}' and '{word.text}' exclude each other", word)
            spec = replace(spec, mode=word.text)
        elif word.text in FLAGS:
            changes: dict[str, Any] = {word.text: True}
            spec = replace(spec, **changes)
        elif word.text in VALUED:
            if not words or not words[0].text:
                raise Refusal(f"`cookie ... {word.text}` expects a value", word)
            spec = _with_value(spec, word, words.pop(0), statement)
        else:
            hint = offer(word.text, [*MODES, *FLAGS, *VALUED], "words")
            raise Refusal(f"`cookie`: unknown word '{word.text}'", word, hint)
    if spec.mode == "rewrite" and spec.indirect:
        raise Refusal("`cookie`: 'rewrite' and 'indirect' exclude each other")
    if spec.preserve and spec.mode != "insert" and not spec.indirect:
        raise Refusal("`cookie ... preserve` needs 'insert' or 'indirect'")
    draft.set("cookie", spec)


def _with_value(spec: CookieSpec, name: Word, value: Word, statement: Statement) -> CookieSpec:
    text = value.text
    if name.text == "domain":
        if "." not in text.strip("."):
            # A browser takes no cookie for all of `com`.
            statement.warn(f"`cookie ... domain {text}`: a domain without a dot inside is refused by browsers", value)
        _refuse_characters(text, value, spaces=True)
        return replace(spec, domains=(*spec.domains, text))
    if name.text == "attr":
        _refuse_characters(text, value, spaces=False)
        return replace(spec, attributes=(*spec.attributes, text))
    try:
        seconds = parse_time(text, "s", "s")
    except ValueError as error:
        raise Refusal(f"`cookie ... {name.text} {text}`: {error}", value) from None
    limits: dict[str, Any] = {name.text: seconds}
    return replace(spec, **limits)


def _refuse_characters(text: str, word: Word, spaces: bool) -> None:
    """What would end the attribute, or the header."""
    bad = next((one for one in text if one == ";" or ord(one) < 32 or ord(one) == 127 or (spaces and one == " ")), "")
    if bad:
        raise Refusal(f"`cookie`: character {bad!r} is not permitted in '{text}'", word)


PROXY_KEYWORDS.keyword(
    "dynamic-cookie-key",
    BACK,
    "<key>",
    "Secret of the cookies that `cookie ... dynamic` makes.",
    reader="persistence",
)(setter("dynamic_cookie_key", Text("key")))
