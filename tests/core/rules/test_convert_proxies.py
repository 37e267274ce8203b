"""Look-ups of names that are known at run time only."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from maniple.core.rules.catalogue import Stage


def place(make_site: Callable[..., Any]) -> Any:
    one = SimpleNamespace(name="one", usable=True, waiting=[1, 2, 3])
    two = SimpleNamespace(name="two", usable=False, waiting=[])
    app = one.backend = two.backend = SimpleNamespace(name="app", servers=(one, two))
    return make_site(backends={"app": app})


def test_names(value_of: Callable[..., Any], make_site: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    site = place(make_site)
    route = SimpleNamespace(backend=site.backends["app"])
    x = make_scope(route=route)
    assert value_of("str(app),nbsrv", x, site=site) == 1
    assert value_of("str(none),nbsrv", x, site=site) is None
    for text, here, there in (
        ("app/one", 3, 3),
        ("app/two", 0, 0),
        ("app/none", None, None),
        ("none/one", None, None),
        # A server's name alone is one of the backend's, once that is chosen.
        ("one", None, 3),
        ("none", None, None),
    ):
        assert value_of(f"str({text}),srv_queue", x, site=site) == here
        assert value_of(f"str({text}),srv_queue", x, site=site, stage=Stage.BACK_REQUEST) == there
    assert value_of("str(one),srv_queue", make_scope(), site=site, stage=Stage.BACK_REQUEST) is None
