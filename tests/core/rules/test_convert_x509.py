"""Names of results: each once, and what has none (some beside HAProxy: protocols.txt)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maniple.core.rules.convert_x509 import NAMES


def test_names(value_of: Callable[..., Any]) -> None:
    assert len(set(NAMES.values())) == len(NAMES) == 95
    assert value_of("int(0),x509_v_err_str", None) == b"X509_V_OK"
    assert value_of("int(10),x509_v_err_str", None) == b"X509_V_ERR_CERT_HAS_EXPIRED"
    assert value_of("int(95),x509_v_err_str", None) == b"95"
