"""Main and backup backends, and sticky sessions: `backup-backend`, `sticky`, `sticky-mode`, `sticky-return`,
`secret-file`. All are ours.

Owns: reading them, what they refer to, the tables in which sessions are kept. Must not know: what is done with them.

Backends that name the same cookie or header share its sessions, and so one table, `sticky/NAME`: what they say of it
must agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ...pools.table_shape import Stored, TableShape
from .diagnostics import Diagnostics
from .drafts import GlobalDraft, ProxyDraft
from .keywords import BACK, GLOBAL, GLOBAL_KEYWORDS, PROXY_KEYWORDS
from .lexer import Word
from .model import ProxySpec
from .statement import Refusal, Statement
from .sticky_spec import ALWAYS, IDLE, NEVER, StickySpec
from .suggest import offer, section
from .table_spec import TableSpec
from .values import Choice, Duration, Integer, Size, Text

SECRET_BYTES = 32
"""A secret has as many at least."""
NAME_LENGTH = 120
FULL = "backup-on-full"
"""The option's name."""
_SHARED = ("source", "lifetime", "size", "bind_ip", "bind_ua", "enforce")
"""What backends that share sessions must agree in."""
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_OWN_WORDS = ("enforce", "max-misses", "bind-ip", "bind-ua", "options")
_WORDS = ("lifetime", "size", *_OWN_WORDS)
_SIZE = Size(1)
_LIFETIME = Duration(1000)


@PROXY_KEYWORDS.keyword(
    "backup-backend", BACK, "<backend>", "Ours: where requests go while this one has no usable server.", reader="relay"
)
def _backup(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("backup_backend", statement.value(0, Text("backend")))
    draft.written["backup-backend"] = statement.place_of(statement.arguments[0])


@PROXY_KEYWORDS.keyword(
    "sticky",
    BACK,
    "{cookie|learn cookie|learn header|header} <name> [<option>...]",
    "Ours: sessions stay on their servers.",
    reader="sticky",
    arity=(2, -1),
    http_only=True,
)
def _sticky(statement: Statement, draft: ProxyDraft) -> None:
    if draft.kind != "defaults" and "sticky" in draft.written:
        raise Refusal("a backend has one `sticky` line at most")
    words = list(statement.arguments)
    source = words.pop(0)
    name = source.text
    if name == "learn":
        source = words.pop(0)
        if source.text not in ("cookie", "header"):
            raise Refusal("`sticky learn` expects cookie or header, and a name", source)
        name = f"learn {source.text}"
    elif name not in ("cookie", "header"):
        raise Refusal(f"`sticky`: unknown word '{name}'", source, offer(name, ("cookie", "header", "learn"), "words"))
    if not words:
        raise Refusal(f"`sticky {name}` expects <name>", source)
    named = words.pop(0)
    if not named.text or len(named.text) > NAME_LENGTH or not _TOKEN.issuperset(named.text):
        raise Refusal(f"`sticky {name} {named.text}`: not the name of a {source.text}", named)
    text = named.text.lower() if source.text == "header" else named.text
    draft.set("sticky", _with_options(StickySpec(name, text), words, statement))
    draft.written["sticky"] = statement.place


def _with_options(spec: StickySpec, words: list[Word], statement: Statement) -> StickySpec:
    written = set()
    while words:
        word = words.pop(0)
        name = word.text
        if name not in _WORDS:
            raise Refusal(f"`sticky`: unknown word '{name}'", word, offer(name, _WORDS, "words"))
        if name in _OWN_WORDS and not spec.own:
            raise Refusal(f"`sticky {spec.source}` has no '{name}'", word, "only `sticky cookie` has")
        written.add(name)
        if name in ("enforce", "bind-ip", "bind-ua"):
            flags: dict[str, Any] = {name.replace("-", "_"): True}
            spec = replace(spec, **flags)
            continue
        if not words:
            raise Refusal(f"`sticky ... {name}` expects a value", word)
        value = words.pop(0)
        if name == "lifetime":
            spec = replace(spec, lifetime=0 if value.text == "0" else statement.read(value, _LIFETIME))
        elif name == "size":
            spec = replace(spec, size=statement.read(value, _SIZE))
        elif name == "max-misses":
            spec = replace(spec, max_misses=statement.read(value, Integer(1)))
        else:
            if any(ord(one) < 32 or ord(one) == 127 for one in value.text):
                raise Refusal("`sticky ... options`: control characters are not permitted", value)
            spec = replace(spec, options=value.text)
    if "max-misses" in written and not spec.enforce:
        raise Refusal("`sticky ... max-misses` needs 'enforce'")
    return spec


@PROXY_KEYWORDS.keyword(
    "sticky-mode",
    BACK,
    "{strict|failover}",
    "Ours: whether a session may leave a server that is down.",
    reader="sticky",
)
def _mode(statement: Statement, draft: ProxyDraft) -> None:
    draft.set("sticky_strict", statement.value(0, Choice(("strict", "failover"))) == "strict")
    draft.written["sticky-mode"] = statement.place


@PROXY_KEYWORDS.keyword(
    "sticky-return",
    BACK,
    "{never|always|idle <time>}",
    "Ours: when a session leaves the backup backend again.",
    reader="sticky",
    arity=(1, 2),
)
def _return(statement: Statement, draft: ProxyDraft) -> None:
    word = statement.value(0, Choice(("never", "always", "idle")))
    if (word == "idle") != (len(statement) == 2):
        raise Refusal("`sticky-return` expects never, always, or idle and a time")
    value = {"never": NEVER, "always": ALWAYS}.get(word)
    draft.set("sticky_return", statement.value(1, Duration(1)) if value is None else value)
    draft.written["sticky-return"] = statement.place


@GLOBAL_KEYWORDS.keyword(
    "secret-file", GLOBAL, "<path>", "Ours: file with the secret that sticky cookies are signed with.", reader="sticky"
)
def _secret(statement: Statement, draft: GlobalDraft) -> None:
    word = statement.arguments[0]
    try:
        content = draft.reading.read_file(word.text)
    except OSError as error:
        raise Refusal(f"`secret-file`: cannot read '{word.text}': {error.strerror or error}", word) from None
    if len(content) < SECRET_BYTES:
        hint = f"head -c {SECRET_BYTES} /dev/urandom makes a secret"
        raise Refusal(f"`secret-file`: '{word.text}' has {len(content)} bytes, a secret {SECRET_BYTES}", word, hint)
    draft.set("secret_file", word.text)
    draft.set("secret", content)


def sticky_tables(proxies: Iterable[ProxySpec]) -> Iterator[TableSpec]:
    """The tables of all sessions, one for each name."""
    seen = set()
    for proxy in proxies:
        spec = proxy.sticky
        if spec is None or proxy.disabled or spec.table in seen:
            continue
        seen.add(spec.table)
        # Eight pins, and when each was used last (balance/pins).
        shape = TableShape("binary", 16, spec.size, spec.lifetime or IDLE, True, (Stored("gpt", 16),))
        yield TableSpec(spec.table, proxy.place, shape)
        if spec.enforce:
            counted = TableShape("ipv6", 16, spec.size, 10_000, True, (Stored("gpc0_rate", 1, 1000),))
            yield TableSpec(spec.misses, proxy.place, counted)


def check_sticky(drafts: Sequence[ProxyDraft], secret: bytes, diagnostics: Diagnostics) -> None:
    """What backends refer to is there; those that share sessions agree."""
    serving = [draft for draft in drafts if draft.kind in ("backend", "listen") and not draft.spec.disabled]
    backends = {draft.spec.name: draft for draft in serving}
    shared: dict[str, ProxyDraft] = {}
    for draft in serving:
        _check_backup(draft, backends, diagnostics)
        spec = draft.spec.sticky
        if spec is None:
            _warn_of_idle_words(draft, diagnostics)
            continue
        place = draft.written.get("sticky", draft.spec.place)
        if draft.spec.mode != "http":
            hint = "write `mode http` in it, or in its defaults section"
            diagnostics.error(place, f"`sticky` in {draft.label} needs mode http", "sticky", hint)
        if draft.spec.cookie is not None and draft.spec.cookie.name == spec.name and "cookie" in spec.source:
            diagnostics.error(
                place, f"{draft.label}: `cookie` and `sticky` name the same cookie", spec.name, "keep one of the lines"
            )
        other = shared.setdefault(spec.name, draft)
        theirs = other.spec.sticky
        assert theirs is not None
        for field in _SHARED:
            if getattr(spec, field) != getattr(theirs, field):
                what = field.replace("_", "-")
                message = f"{draft.label} and {other.label} share the sessions of '{spec.name}' and differ in {what}"
                diagnostics.error(place, message, spec.name, "say the same in both, or name them differently")
    if not secret and any(draft.spec.sticky is not None and draft.spec.sticky.own for draft in serving):
        first = next(draft for draft in serving if draft.spec.sticky is not None and draft.spec.sticky.own)
        place = first.written.get("sticky", first.spec.place)
        message = "without a `secret-file` no sticky cookie is valid after a restart, or in another instance"
        diagnostics.warning(place, message, "sticky", "it outlives reloads and upgrades")


def _check_backup(draft: ProxyDraft, backends: dict[str, ProxyDraft], diagnostics: Diagnostics) -> None:
    name = draft.spec.backup_backend
    place = draft.written.get("backup-backend", draft.spec.place)
    if not name:
        if FULL in draft.spec.options:
            diagnostics.warning(place, f"`option {FULL}` in {draft.label} needs a `backup-backend`", FULL)
        return
    target = backends.get(name)
    if target is None:
        diagnostics.error(
            place, f"{draft.label}: there is no backend '{name}'", name, section("backend", name, backends)
        )
    elif target is draft:
        diagnostics.error(place, f"{draft.label} cannot be its own backup", name, "name another backend")
    elif target.spec.mode != draft.spec.mode:
        message = f"{draft.label} has mode {draft.spec.mode} and its backup '{name}' mode {target.spec.mode}"
        diagnostics.error(place, message, name, "write the same `mode` in both, or in a defaults section")


def _warn_of_idle_words(draft: ProxyDraft, diagnostics: Diagnostics) -> None:
    for name in ("sticky-mode", "sticky-return"):
        if name in draft.written:
            diagnostics.warning(draft.written[name], f"`{name}` in {draft.label} needs a `sticky` line", name)
