"""Sites and scopes made of facts, for tests of rules without a proxy."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.config.global_spec import ERROR_CODES, FAILURE_CODES
from maniple.core.http.head import HeadReader
from maniple.core.http.limits import Limits
from maniple.core.rules.levels import Levels
from maniple.core.rules.pattern_files import PatternFiles
from maniple.core.rules.samples import pack_ip
from maniple.core.rules.trackers import Trackers
from maniple.core.rules.variables import Limits as VariableLimits


@pytest.fixture(scope="session")
def make_site() -> Callable[..., Any]:
    """A site without proxies; keyword arguments replace its facts."""

    def make(**facts: Any) -> Any:
        site = SimpleNamespace(
            frontends={},
            backends={},
            process=SimpleNamespace(connections=3, draining=False, date=lambda: 1234567890.75, clock=lambda: 1.25),
            thread=0,
            threads=1,
            variables={},
            environment={"COLOUR": "red"},
            limits=VariableLimits(),
            levels=Levels(),
            pattern_files=PatternFiles(),
            userlists={},
            resolvers={},
            trackers=Trackers(),
            proxy="",
            error_pages={},
            error_codes=ERROR_CODES,
            failure_codes=FAILURE_CODES,
        )
        for name, value in facts.items():
            assert hasattr(site, name), f"a site has no '{name}'"
            setattr(site, name, value)
        return site

    return make


@pytest.fixture
def site(make_site: Callable[..., Any]) -> Any:
    return make_site()


CLIENT_FACTS: dict[str, Any] = {
    "accept_at": 1000.0,
    "accept_date": 1234567890.25,
    "client_host": "192.0.2.7",
    "client_port": 40000,
    "frontend_host": "192.0.2.1",
    "frontend_port": 80,
    "frontend_name": "web",
    "listener_name": "1",
    "number": 1,
    "tls": False,
    "source": pack_ip(b"192.0.2.7"),
    "source_port": 40000,
    "destination": pack_ip(b"192.0.2.1"),
    "destination_port": 80,
    "tracked": None,
    "variables": None,
}

SCOPE_FACTS: dict[str, Any] = {
    "route": None,
    "server": None,
    "upstream": None,
    "head": None,
    "answer": None,
    "request_number": 0,
    "method": b"GET",
    "status": -1,
    "termination": b"--",
    "retries": 0,
    "redispatched": False,
    "idle_since": 1000.0,
    "first_byte_at": 1010.0,
    "first_byte_date": 1234567890.26,
    "head_at": 1011.0,
    "slot_at": -1.0,
    "connect_at": -1.0,
    "response_at": -1.0,
    "bytes_from_client": 70,
    "bytes_to_client": 0,
    "request_captures": [],
    "response_captures": [],
    "variables": None,
    "request_variables": None,
    "response_variables": None,
    "priority_class": 0,
    "priority_offset": 0,
    "unique_id": None,
    "last_rule": None,
    "end_at": -1.0,
    "backend_queue": 0,
    "server_queue": 0,
    "dirty": False,
    "hints": None,
    "lenient": False,
    "log_level": None,
    "mirrors": None,
    "payload": (None, None),
    "steps": None,
    "uncertain": 0,
    "tracked": None,
    "unsure": False,
    "wanted": None,
}


@pytest.fixture(scope="session")
def value_of(make_site: Callable[..., Any]) -> Callable[..., Any]:
    """(expression, scope) -> its value, with maniple's catalogue; `stage`, `site` and `each` where they matter."""
    from maniple.core.rules import keywords
    from maniple.core.rules.catalogue import Stage
    from maniple.core.rules.expression import compile_text

    assert keywords.MODULES

    def value(text: str, x: Any, *, stage: Any = Stage.FRONT_REQUEST, site: Any = None, each: bool = False) -> Any:
        compiled = compile_text(text, site or make_site(), stage)
        if each:
            assert compiled.each is not None
            return list(compiled.each(x))
        return compiled.run(x)

    return value


@pytest.fixture(scope="session")
def make_scope() -> Callable[..., Any]:
    """An exchange made of facts. `request` and `response` are whole heads (bytes), `body` and `answered` their bodies;
    other keyword arguments replace facts of the exchange or of its session."""
    reader = HeadReader(Limits())

    def make(
        *, request: bytes = b"", response: bytes = b"", body: bytes = b"", answered: bytes = b"", **facts: Any
    ) -> Any:
        session = SimpleNamespace(**CLIENT_FACTS)
        scope = SimpleNamespace(**SCOPE_FACTS, session=session, body=lambda: body, now=lambda: 2000.0)
        scope.request_payload = lambda: scope.payload[0]
        scope.response_payload = lambda: scope.payload[1]

        scope.response_body = lambda: answered

        def capture(request: bool, slot: int, value: bytes) -> None:
            slots = scope.request_captures if request else scope.response_captures
            if slot < len(slots):
                slots[slot] = value.decode("latin-1")

        scope.capture = capture
        for name, value in facts.items():
            target = scope if hasattr(scope, name) else session
            assert hasattr(target, name), f"no such fact: {name}"
            setattr(target, name, value)
        if request:
            scope.head = reader.read_request(request)
        if response:
            scope.answer = reader.read_response(response, b"GET")
        return scope

    return make
