"""Both origins answer the same."""

from __future__ import annotations

import http.client
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from maniple.perf.origin import Origin
from maniple.perf.scenarios import KIB, MIB, SMALL_BODY


@pytest.mark.parametrize("kind", ["nginx", "own"])
def test_origin(kind: str, tmp_path: Path, need: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "nginx":
        need("nginx")
    else:
        monkeypatch.setattr(shutil, "which", lambda *arguments, **words: None)
    with Origin(tmp_path, None) as origin:
        assert origin.alive()
        assert ("nginx is not installed" in origin.kind) == (kind == "own")
        connection = http.client.HTTPConnection("127.0.0.1", origin.port, timeout=5)
        for path, size in (("/small", SMALL_BODY), ("/64k", 64 * KIB), ("/1m", MIB), ("/small", SMALL_BODY)):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status, len(answer.read())) == (200, size)
        connection.request("POST", "/upload", body=b"x" * MIB)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"read")
        connection.close()
    assert not origin.alive()
