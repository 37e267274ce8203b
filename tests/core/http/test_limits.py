"""The defaults are HAProxy's."""

from __future__ import annotations

import dataclasses

import pytest
from maniple.core.http.limits import Limits


def test_defaults() -> None:
    limits = Limits()
    assert (limits.max_head, limits.max_headers) == (16384 - 1024, 101)
    assert not limits.accept_unsafe_request
    assert not limits.accept_unsafe_response


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_head = 1  # type: ignore[misc]
