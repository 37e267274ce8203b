"""Answers that rules make: status, headers and body of deny, return and tarpit (manual: `http-request return`).

Owns: the words after such an action, and the bytes of the answer in HAProxy's order (our headers, content-length,
content-type). Must not know: `connection` and what the relay makes of a HEAD request. Invariant: values that depend on
the exchange can put no line end into a head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config import suggest
from ..config.model import RuleWord
from ..http.fields import TOKENS
from ..http.reasons import reason_of
from .actions import Text, Use
from .formats import Constant, constant_of
from .verdicts import ANSWER, Answer, Kind

PAGES = frozenset(
    (200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504)
)
"""Statuses that have an error page."""
_BODIES = ("file", "lf-file", "string", "lf-string")
_WITHOUT_BODY = (204, 304)


def read_answer(
    use: Use, status: int, *, kind: Kind = ANSWER, termination: bytes = b"LR", denied: bool = False, pages: bool = False
) -> Answer:
    """The rest of the action's words. `status` is the default; `pages`: with nothing but a status the proxy's error
    page is meant, as `default-errorfiles` says."""
    code, content_type, source, body, headers = _read(use)
    if code is not None:
        status = code[1]
    only_status = source is None and content_type is None and not headers
    if source == "default-errorfiles" or (source is None and only_status and pages):
        if status in PAGES:
            return Answer(use.place, status, kind=kind, page=True, termination=termination, denied=denied)
        # As in HAProxy the older word stands for a page, unless there is more; `status` for an answer without a body.
        if code is not None and (source is not None or code[2]):
            hint = "say what the body is, such as `content-type text/plain string no`"
            raise use.error(f"no error page has status {status}", code[0], hint)
    page = _page(use, source, status, body)
    if page is not None:
        raw = page
        return Answer(
            use.place, status, kind=kind, render=lambda x: raw, constant=True, termination=termination, denied=denied
        )
    text = None if source == "errorfiles" else _body_text(use, source, body)
    constant_body = constant_of(text) if text is not None else b""
    if constant_body != b"" and content_type is None and source is not None and source.endswith("string"):
        raise use.error("a body needs a content-type", body)
    if status in _WITHOUT_BODY and source not in (None, "errorfiles"):
        raise use.error(f"a response with status {status} has no body", body)
    render, constant = _renderer(status, content_type, text, headers)
    return Answer(
        use.place, status, kind=kind, render=render, constant=constant, termination=termination, denied=denied
    )


def _read(
    use: Use,
) -> tuple[tuple[RuleWord, int, bool] | None, bytes | None, str | None, RuleWord | None, list[tuple[bytes, Text]]]:
    code: tuple[RuleWord, int, bool] | None = None
    content_type: bytes | None = None
    source: str | None = None
    body: RuleWord | None = None
    headers: list[tuple[bytes, Text]] = []
    while not use.ended():
        word = use.take("a word")
        if word.text in ("status", "deny_status"):
            place = use.rest[0] if use.rest else word
            code = place, use.number("a status", 200, 599), word.text == "deny_status"
        elif word.text == "content-type":
            content_type = _plain_value(use, "a content type")
        elif word.text in ("default-errorfiles", "errorfile", "errorfiles", *_BODIES):
            if source is not None:
                raise use.error(f"there is a body already, by `{source}`", word)
            source = word.text
            if source != "default-errorfiles":
                body = use.take(f"an argument of {source}")
        elif word.text == "hdr":
            name_word, name = use.text("the name of a header")
            name = name.lower()
            if not name or name.translate(TOKENS) != name:
                raise use.error(f"'{name_word.text}' is no name of a header", name_word)
            headers.append((name, use.format("a value")))
        else:
            raise use.error(f"unknown word '{word.text}'", word, use.usage())
    return code, content_type, source, body, headers


def _plain_value(use: Use, what: str) -> bytes:
    word, text = use.text(what)
    if not text or any(byte < 0x20 for byte in text):
        raise use.error(f"'{word.text}' cannot stand in a header", word)
    return text


def _content(use: Use, word: RuleWord) -> bytes:
    content = use.files.get(word.text)
    if content is None:
        raise use.error(f"cannot read '{word.text}'", word)
    return content


def _page(use: Use, source: str | None, status: int, word: RuleWord | None) -> bytes | None:
    """The whole response of `errorfile`, or of a section of pages; None where that has none of this status, which is
    answered without a body then, as in HAProxy."""
    if word is None or source not in ("errorfile", "errorfiles"):
        return None
    if source == "errorfile":
        return _whole(use, word, _content(use, word))
    section = use.ground.site.error_pages.get(word.text)
    if section is None:
        raise use.error(
            f"there is no section http-errors '{word.text}'",
            word,
            suggest.section("http-errors", word.text, use.ground.site.error_pages),
        )
    page = section.pages.get(status)
    if page is None:
        acls = getattr(use.ground.site, "acls", None)
        if acls is not None:
            acls.warnings.append(
                use.error(
                    f"section http-errors '{word.text}' has no page for status {status}: the answer is empty", word
                )
            )
        return None
    return _whole(use, word, page.content)


def _whole(use: Use, word: RuleWord, content: bytes) -> bytes:
    """A file that holds a whole response."""
    if content and not content.startswith(b"HTTP/1."):
        raise use.error(f"'{word.text}' is not a whole HTTP response", word)
    head, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    for blank in (b"\r\n\r\n", b"\n\n"):
        _, found, rest = content.partition(blank)
        if found:
            body = rest
            break
    return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body if content else b""


def _body_text(use: Use, source: str | None, word: RuleWord | None) -> Text | None:
    if word is None:
        return None
    if source in ("file", "lf-file"):
        content = _content(use, word)
        if source == "lf-file":
            return use.format_of(content.decode("utf-8", "surrogateescape"), word.column)
    elif source == "lf-string":
        return use.format_of(word.text, word.column)
    else:
        content = word.text.encode("utf-8", "surrogateescape")
    return Constant(content)


def _renderer(
    status: int, content_type: bytes | None, text: Text | None, headers: list[tuple[bytes, Text]]
) -> tuple[Callable[[Any], bytes], bool]:
    """(scope -> whole response, is it the same for all)."""
    start = b"HTTP/1.1 %d %b\r\n" % (status, reason_of(status))

    def render(x: Any) -> bytes:
        body = b"" if text is None else text(x)
        lines = [start]
        for name, value in headers:
            text_now = value(x)
            if text_now:
                lines.append(b"%b: %b\r\n" % (name, text_now))
        if status not in _WITHOUT_BODY:
            lines.append(b"content-length: %d\r\n" % len(body))
        if body and content_type is not None:
            lines.append(b"content-type: %b\r\n" % content_type)
        lines += (b"\r\n", body)
        return b"".join(lines)

    texts = [value for _, value in headers] + ([] if text is None else [text])
    if any(constant_of(value) is None for value in texts):
        return render, False
    whole = render(None)
    return lambda x: whole, True
