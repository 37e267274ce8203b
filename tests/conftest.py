"""What all tests share."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(scope="module", autouse=True)
def small_heap() -> None:
    """What is there before a module's tests, all test modules among it, is none of the collector's business any more: a
    full collection, which tests and build() ask for, takes half a second otherwise."""
    gc.collect()
    gc.freeze()
