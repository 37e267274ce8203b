"""Quiet steps of plans: those after which nothing has to be put right before the next request.

Owns: what that means, and who says it of himself. Must not know: the steps.

A quiet step of a request, or of a response, waits for nothing and looks at no body. It may answer the request, or let
it pass; else it gives no verdict. Of the exchange it changes nothing but `head`, `answer`, `route`, `wanted`,
`persistence`, `cookie_state`, `cookie_dates`, `stores`, `visit` and `tracked`. So ways that are made of quiet steps
restore a few fields instead of all (relay/straight), and hand a response on in the ordinary way (relay/closing).

A set of rules for requests is quiet if all its actions are, and nothing that it evaluates is LOUD (ruleset). Of an
exchange it changes `head` and `tracked` only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .catalogue import Needs

S = TypeVar("S", bound=Callable[..., Any])

LOUD = Needs.BODY | Needs.RESPONSE_BODY | Needs.PAYLOAD | Needs.LEAVES
"""Who evaluates what needs one of these is not quiet."""


def quiet(step: S, *, edits: bool = False) -> S:
    """Note that the step is quiet. Also for methods. `edits`: of a set of rules, that it may change the head."""
    step.__dict__["quiet"] = True
    step.__dict__["edits"] = edits
    return step


def is_quiet(step: Callable[..., Any]) -> bool:
    """Has that been noted?"""
    return getattr(step, "quiet", False)


def may_edit(step: Callable[..., Any]) -> bool:
    """May a quiet action, or a quiet set, change the head?"""
    return getattr(step, "edits", False)
