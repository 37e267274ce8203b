"""Quiet steps of plans: those after which nothing has to be put right before the next request.

Owns: what that means, and who says it of himself. Must not know: the steps.

A quiet step of a request, or of a response, waits for nothing and looks at no body. It may answer the request; else it
gives no verdict. Of the exchange it changes nothing but `head`, `answer`, `route`, `wanted`, `persistence`,
`cookie_state`, `cookie_dates`, `stores` and `visit`. So ways that are made of quiet steps restore a few fields instead
of all (relay/straight), and hand a response on in the ordinary way (relay/closing).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

S = TypeVar("S", bound=Callable[..., Any])


def quiet(step: S) -> S:
    """Note that the step is quiet. Also for methods."""
    step.__dict__["quiet"] = True
    return step


def is_quiet(step: Callable[..., Any]) -> bool:
    """Has that been noted?"""
    return getattr(step, "quiet", False)
