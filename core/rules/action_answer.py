"""Actions that end a pass: the request goes on, or is answered, or the connection is closed (manual 4.2: allow, deny,
return, redirect, auth, tarpit, reject, silent-drop).

Owns: which verdict each gives. Must not know: how answers are sent. The words of answers are read by `answers`,
those of redirections by `redirects`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config import suggest
from ..session import FORCED
from .actions import CONTENT, EARLY, REQUEST, RESPONSE, RESPONSE_CONTENT, RESPONSES, Act, Use, action
from .answers import read_answer
from .catalogue import Stage
from .formats import constant_of
from .redirects import read_redirect
from .verdicts import DROP, REJECT, STOP, TARPIT, Answer, Switch, Verdict

if TYPE_CHECKING:
    from ..config.model import RuleWord


def giving(verdict: Verdict) -> Act:
    """The action that always gives this verdict."""

    def act(x: Any) -> Verdict:
        return verdict

    return act


@action("allow", REQUEST | RESPONSES, "", "No further rule of this section and kind", quiet=True)
def _allow(use: Use) -> Act:
    return giving(Verdict(STOP, use.place))


@action("accept", EARLY | CONTENT | RESPONSE_CONTENT, "", "No further rule of this section and kind", quiet=True)
def _accept(use: Use) -> Act:
    return giving(Verdict(STOP, use.place))


@action("reject", EARLY | CONTENT | RESPONSE_CONTENT | REQUEST, "", "Close the connection without a word", quiet=True)
def _reject(use: Use) -> Act:
    return giving(Verdict(REJECT, use.place, _before_request(use)))


@action("close", RESPONSE_CONTENT, "", "Do not use the server connection again")
def _close(use: Use) -> Act:
    verdict = Verdict(STOP, use.place)

    def act(x: Any) -> Verdict:
        x.upstream.keep = False
        return verdict

    return act


@action(
    "silent-drop",
    EARLY | CONTENT | RESPONSE_CONTENT | REQUEST | RESPONSE,
    "[rst-ttl <ttl>]",
    "Make the connection vanish without telling the client",
    quiet=True,
)
def _silent_drop(use: Use) -> Act:
    if use.skip("rst-ttl"):
        use.number("a TTL", 1, 255)
    return giving(Verdict(DROP, use.place, _before_request(use)))


def _before_request(use: Use) -> bool:
    """HAProxy runs the content rules of a frontend before it reads the request."""
    return use.ground.kind == "tcp-request content" and bool(use.ground.stage & Stage.FRONT_CONTENT)


REPLY = (
    "[{status|deny_status} <code>] [content-type <type>] [{default-errorfiles|errorfile <file>|errorfiles <section>|"
    "file <file>|lf-file <file>|string <text>|lf-string <format>}] [hdr <name> <format>]..."
)


@action("deny", REQUEST | RESPONSE, REPLY, "Refuse: 403 for requests, 502 for responses", quiet=True)
def _deny(use: Use) -> Act:
    status = 403 if use.ground.request else 502
    return giving(read_answer(use, status, termination=b"PR", denied=True, pages=True))


@action("return", REQUEST | RESPONSE, REPLY, "Answer", quiet=True)
def _return(use: Use) -> Act:
    return giving(read_answer(use, 200))


@action("tarpit", REQUEST, REPLY, "Refuse after `timeout tarpit`; 500 by default", quiet=True)
def _tarpit(use: Use) -> Act:
    return giving(read_answer(use, 500, kind=TARPIT, termination=b"PT", denied=True, pages=True))


@action("auth", REQUEST, "[realm <realm>]", "Ask for a name and a password by a 401", quiet=True)
def _auth(use: Use) -> Act:
    realm = use.ground.spec.name.encode() if use.ground.spec is not None else b"maniple"
    if use.skip("realm"):
        word, realm = use.text("a realm")
        if not realm or any(byte < 0x20 for byte in realm):
            raise use.error("a realm is a text without controls", word)
    challenge = b'Basic realm="%b"\r\n' % realm.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return giving(Answer(use.place, 401, page=True, extra=b"www-authenticate: " + challenge))


@action(
    "redirect",
    REQUEST | RESPONSE,
    "{location|prefix|scheme} <format> [<option>...]",
    "Answer with a redirection",
    quiet=True,
)
def _redirect(use: Use) -> Act:
    return read_redirect(use, formats=True)


# What stands on lines of its own.

USE_BACKEND = frozenset({"use_backend", "http-request"})


@action("use_backend", USE_BACKEND, "<backend>", "Choose the backend; no further rule of this section")
def _use_backend(use: Use) -> Act:
    word = use.take("a backend")
    text = use.format_of(word.text, word.column, encoded=False)
    name = constant_of(text)
    if name is not None and word.text not in use.ground.site.backends:
        hint = suggest.section("backend", word.text, use.ground.site.backends)
        raise use.error(f"there is no backend '{word.text}'", word, hint)
    if name is not None:
        _refuse_mode(use, word)
    return giving(Switch(use.place, text))


def _refuse_mode(use: Use, word: RuleWord) -> None:
    """HTTP does not go to backends of mode tcp."""
    spec = use.ground.spec
    if spec is not None and spec.mode == "http" and use.ground.site.backends[word.text].spec.mode == "tcp":
        message = f"{spec.kind} '{spec.name}' has mode http and backend '{word.text}' mode tcp"
        raise use.error(message, word, "set `mode http` in both, or in a defaults section")


@action("use-server", frozenset({"use-server"}), "<server>", "Choose the server, if it is up")
def _use_server(use: Use) -> Act:
    word = use.take("a server")
    text = use.format_of(word.text, word.column, encoded=False)
    spec = use.ground.spec
    assert spec is not None
    servers = {server.name.encode(): server for server in use.ground.site.backends[spec.name].servers}
    constant = constant_of(text)
    if constant is not None and constant not in servers:
        raise use.error(
            f"backend '{spec.name}' has no server '{word.text}'",
            word,
            suggest.offer(word.text, [server.name for server in spec.servers], "servers"),
        )
    chosen = Verdict(STOP, use.place)
    persists = "persist" in spec.options

    def act(x: Any) -> Verdict | None:
        server = servers.get(text(x))
        if server is None or not (server.usable or persists or x.persistence & FORCED):
            return None
        x.wanted = server
        return chosen

    return act
