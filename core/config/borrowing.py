"""`use_filters_from` and `use_backend_from`: a proxy with the rules, or with the servers, of another one (BK6-BK8).

Owns: what each borrows, and the warning for everything that is masked by it. Must not know: what the borrowed is for.
HAProxy has no such thing. A proxy has its own or borrows: what it says besides is ignored, and each such line is told.
Requests are still counted and logged as the borrowing proxy's (BK7); its servers are its own copies, with queues and
limits of their own. Whoever borrows cannot be borrowed from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .diagnostics import Diagnostics
from .drafts import ProxyDraft
from .keywords import ANY, BACK, PROXY_KEYWORDS
from .model import Place
from .rules import KINDS
from .statement import Statement
from .suggest import offer
from .timeouts import TIMEOUTS

FILTERS = "use_filters_from"
BACKEND = "use_backend_from"

_BACK_TIMEOUTS = tuple(name for name, (sections, _, _) in TIMEOUTS.items() if sections == BACK)
_BACK_FIELDS = (
    "balance",
    "retries",
    "redispatch",
    "http_reuse",
    "source",
    "cookie",
    "dynamic_cookie_key",
    "fullconn",
    "backup_backend",
    "sticky",
    "sticky_strict",
    "sticky_return",
)
_BACK_KEYWORDS = (
    "balance",
    "retries",
    "option redispatch",
    "http-reuse",
    "source",
    "cookie",
    "dynamic-cookie-key",
    "fullconn",
    "backup-backend",
    "sticky",
    "sticky-mode",
    "sticky-return",
    "default-server",
    *(f"timeout {name}" for name in _BACK_TIMEOUTS),
)


def _read(statement: Statement, draft: ProxyDraft) -> None:
    word = statement.arguments[0]
    draft.borrowed[statement.name] = (word.text, statement.place_of(word))


PROXY_KEYWORDS.keyword(
    FILTERS,
    ANY - {"defaults"},
    "<proxy>",
    "Ours: all rules are those of another proxy; own ones are ignored.",
    reader="build",
    strict=True,
)(_read)
PROXY_KEYWORDS.keyword(
    BACKEND,
    BACK - {"defaults"},
    "<proxy>",
    "Ours: servers, balancing and timeouts towards them are those of another proxy; own ones are ignored.",
    reader="build",
    strict=True,
)(_read)


def borrow(drafts: Sequence[ProxyDraft], diagnostics: Diagnostics) -> None:
    """Give all borrowers what they borrow."""
    for draft in drafts:
        for keyword, (name, place) in draft.borrowed.items():
            lender = _find(draft, keyword, name, place, drafts, diagnostics)
            if lender is None:
                continue
            if keyword == FILTERS:
                _borrow_filters(draft, lender, diagnostics)
            else:
                _borrow_backend(draft, lender, diagnostics)


def _find(
    draft: ProxyDraft,
    keyword: str,
    name: str,
    place: Place,
    drafts: Sequence[ProxyDraft],
    diagnostics: Diagnostics,
) -> ProxyDraft | None:
    """The lender: of two proxies of that name the one with the sides that are asked for."""
    wanted = ("backend", "listen") if keyword == BACKEND else (draft.kind, "listen", "frontend", "backend")
    found = [other for kind in wanted for other in drafts if other.kind == kind and other.spec.name == name]
    found = [other for other in found if other is not draft]
    if not found:
        known = {other.spec.name for other in drafts if other is not draft and other.kind in wanted}
        what = "backend" if keyword == BACKEND else "other proxy"
        hint = (
            offer(name, sorted(known), "backends" if keyword == BACKEND else "proxies")
            or f"name a section that there is, such as `{wanted[0]} {name}`"
        )
        diagnostics.error(place, f"`{keyword}`: there is no {what} '{name}'", name, hint)
        return None
    lender = found[0]
    if keyword in lender.borrowed:
        other = lender.borrowed[keyword][0]
        message = f"`{keyword} {name}`: {lender.label} itself borrows from '{other}'"
        diagnostics.error(place, message, name, f"write `{keyword} {other}`")
        return None
    return lender


def _mask(places: Iterable[tuple[str, Place]], draft: ProxyDraft, lender: ProxyDraft, said: Diagnostics) -> None:
    for name, place in places:
        said.warning(place, f"`{name}` is ignored: {draft.label} takes it from {lender.label}", name.split()[0])


def _borrow_filters(draft: ProxyDraft, lender: ProxyDraft, diagnostics: Diagnostics) -> None:
    delays = ("tcp-request inspect-delay", "tcp-response inspect-delay")
    _mask([(rule.kind, rule.place) for rule in draft.rules], draft, lender, diagnostics)
    _mask([(name, draft.written[name]) for name in delays if name in draft.written], draft, lender, diagnostics)
    here = draft.kind
    useless = sorted({rule.kind for rule in lender.rules if here not in KINDS[rule.kind][0]})
    if useless:
        listed = ", ".join(f"`{kind}`" for kind in useless)
        message = f"{listed} of {lender.label} means nothing in {draft.label}"
        diagnostics.warning(draft.borrowed[FILTERS][1], message, lender.spec.name)
    draft.rules = [rule for rule in lender.rules if here in KINDS[rule.kind][0]]
    draft.spec = replace(
        draft.spec,
        request_inspect_delay=lender.spec.request_inspect_delay,
        response_inspect_delay=lender.spec.response_inspect_delay,
    )


def _borrow_backend(draft: ProxyDraft, lender: ProxyDraft, diagnostics: Diagnostics) -> None:
    _mask([("server", server.spec.place) for server in draft.servers], draft, lender, diagnostics)
    written = [(name, draft.written[name]) for name in _BACK_KEYWORDS if name in draft.written]
    _mask(written, draft, lender, diagnostics)
    draft.servers = list(lender.servers)
    draft.server_base = lender.server_base
    draft.pools = dict(lender.pools)
    times = {name.replace("-", "_"): getattr(lender.spec.timeouts, name.replace("-", "_")) for name in _BACK_TIMEOUTS}
    taken = {field: getattr(lender.spec, field) for field in _BACK_FIELDS}
    draft.spec = replace(draft.spec, timeouts=replace(draft.spec.timeouts, **times), **taken)
