"""`http-error` lines, put into one thread's frontends and routes.

Owns: whose answers win: a backend's over the frontend's, either over the built-in ones; `default-errorfiles` of a
backend brings the frontend's back, that of a frontend the built-in ones. Must not know: how a line is compiled. Runs in
`build`, after the rules were installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .http.replies import EARLY_REPLIES, REPLIES
from .relay.route import Frontend, Reply
from .rules.catalogue import Needs
from .rules.reply_format import ErrorReply, error_replies
from .rules.scope import Site
from .rules.site import site_of


def install_errors(frontends: Sequence[Frontend], site: Site) -> None:
    """Raises ConfigError, the first one found."""
    for frontend in frontends:
        own = error_replies(frontend.spec, site_of(site, frontend.name))
        needs = Needs.NOTHING
        for error in own.values():
            needs |= error.needs
        for status, error in own.items():
            _set(frontend.replies, error, Reply(status, REPLIES[status]))
            if error.file and error.render is not None:
                frontend.early_replies[status] = Reply(status, error.render(None), early=True)
            elif error.render is None:
                frontend.early_replies[status] = Reply(status, EARLY_REPLIES[status], early=True)
        for route in frontend.routes:
            # What a backend says itself goes before.
            theirs = {} if route.spec is frontend.spec else route.spec.error_files
            _set_all(route.replies, [error for error in own.values() if error.status not in theirs], REPLIES)
            if route.spec is not frontend.spec:
                for status, error in error_replies(route.spec, site_of(site, route.spec.name)).items():
                    needs |= error.needs
                    _set(route.replies, error, frontend.replies[status])
        if needs & Needs.CONNECTION:
            frontend.wants_source = frontend.wants_packed = True


def _set_all(replies: dict[int, Reply], errors: Iterable[ErrorReply], built_in: Mapping[int, bytes]) -> None:
    for error in errors:
        _set(replies, error, Reply(error.status, built_in[error.status]))


def _set(replies: dict[int, Reply], error: ErrorReply, default: Reply) -> None:
    """`default`: what the built-in answer is here."""
    if error.render is None:
        replies[error.status] = default
    elif error.constant:
        replies[error.status] = Reply(error.status, error.render(None))
    else:
        made = Reply(error.status, b"")
        made.render = error.render
        replies[error.status] = made
