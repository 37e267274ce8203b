"""crypt(3): known answers (those of `openssl passwd`), unknown formats, and systems that have none."""

from __future__ import annotations

import ctypes
import threading

import pytest
from maniple.core import passwords

HASHES = [
    b"$1$abcdefgh$IQtUouv7y7Q9dRWkQEPCc.",
    b"$5$abcdefgh$ijtOJ//yvc/9bq1g0llFn9dB688BwBDRD90DlKKSKE1",
    b"$6$abcdefgh$KQeXafAQAaOoKTevphVU215RvJdgzyfASRasIOuh12hO8u0r1bGW92ZnTmC9IjsiQ8VPiTXBiZF49dFL1U4wX/",
]
"""Of the password `pw`, in the formats that every system's library has."""


@pytest.mark.parametrize("hashed", HASHES)
def test_known_answers(hashed: bytes) -> None:
    assert passwords.is_password(b"pw", hashed)
    assert not passwords.is_password(b"pW", hashed)
    assert not passwords.is_password(b"", hashed)
    assert not passwords.is_password(b"pw\0x", hashed)
    assert not passwords.is_password(b"pw", hashed[:-1])
    assert passwords.complaint(hashed) == ""


@pytest.mark.parametrize("hashed", [b"", b"*", b"plain:", b"$9$abc$def", b"!", b"$6$abc\0def"])
def test_what_is_no_hash(hashed: bytes) -> None:
    assert not passwords.is_password(b"pw", hashed)
    assert "does not know" in passwords.complaint(hashed)


def test_threads_have_a_work_area_each() -> None:
    found: list[bool] = []

    def check(hashed: bytes) -> None:
        found.extend([passwords.is_password(b"pw", hashed) for _ in range(5)])

    threads = [threading.Thread(target=check, args=(hashed,)) for hashed in HASHES]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [True] * 15


def test_without_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str | None) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    passwords._library.cache_clear()
    try:
        with pytest.raises(passwords.NoCryptError, match="no libcrypt"):
            passwords.is_password(b"pw", HASHES[0])
    finally:
        passwords._library.cache_clear()
