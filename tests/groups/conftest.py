from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from maniple.tests.groups.proxies import Nursery, Process, Proxy


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    one = Nursery()
    yield one
    one.close()


@pytest.fixture
def start_proxy(tmp_path: Path, nursery: Nursery) -> Iterator[Callable[..., Proxy]]:
    """Starts fake proxies; nothing of them is left after the test."""
    started: list[Proxy] = []

    def start(*, ready: bool = True, pass_fds: tuple[int, ...] = (), **wanted: Any) -> Proxy:
        number = len(started)
        wanted.setdefault("binds", [["inet", "127.0.0.1", 0]])
        wanted["options"] = {"control": [str(tmp_path / f"control-{number}")], **wanted.get("options", {})}
        errors, path = tmp_path / f"stderr-{number}", tmp_path / f"wanted-{number}"
        path.write_text(json.dumps(wanted))
        proxy = Proxy(Process(nursery, path, errors, pass_fds), wanted, path, errors)
        started.append(proxy)
        if ready:
            proxy.wait_ready()
        return proxy

    yield start
    for proxy in started:
        proxy.close()
