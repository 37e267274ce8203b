"""Version numbers as conditions compare them (manual 2.4).

Owns: HAProxy's form (`3.2`, `3.2.1`, `3.2-dev7`, `3.2.1-12`) and OpenSSL's (`3.0.17`, `1.1.1w`, `3.2.0-beta1`), each
to a tuple that compares as the versions do. Must not know: which version this is.
"""

from __future__ import annotations

import re

_HAPROXY = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(dev|alpha|beta|pre|rc)(\d+))?(?:-(\d+)(?=$|-))?", re.ASCII)
_HAPROXY_STAGES = {"dev": 0, "alpha": 1, "beta": 2, "pre": 3, "rc": 4, "": 5}
_OPENSSL = re.compile(r"(\d+)\.(\d+)\.(\d+)([a-z]?)(?:-(dev|alpha|beta|pre)(\d*))?", re.ASCII)
_OPENSSL_STAGES = {"dev": 0, "alpha": 1, "beta": 2, "pre": 2, "": 3}

Version = tuple[int, ...]


def haproxy_version(text: str) -> Version:
    """Missing parts are 0; a development version is older than its release; `-12` counts commits after it. What
    follows, such as a packager's `-1+deb12u4` or our `-maniple`, is not compared. ValueError: no number in front."""
    match = _HAPROXY.match(text)
    if match is None:
        raise ValueError(f"'{text}' is not a version: write it as 3.2, 3.2.1 or 3.2-dev7")
    major, minor, patch, stage, number, commits = match.groups(default="")
    return (
        int(major),
        int(minor or 0),
        int(patch or 0),
        _HAPROXY_STAGES[stage],
        int(number or 0),
        int(commits or 0),
    )


def openssl_version(text: str) -> Version:
    """All three numbers must be there; a letter (`1.1.1w`) counts upwards. ValueError."""
    match = _OPENSSL.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not an OpenSSL version: write it as 3.0.17, 1.1.1w or 3.2.0-beta1")
    major, minor, fix, letter, stage, number = match.groups(default="")
    patch = ord(letter) - ord("a") + 1 if letter else 0
    return (int(major), int(minor), int(fix), patch, _OPENSSL_STAGES[stage], int(number or 0))


def openssl_version_of(library: str) -> Version | None:
    """The version out of a library's full name (`OpenSSL 3.0.17 1 Jul 2025`), or None: another one, or none at all."""
    words = library.split()
    if len(words) < 2 or words[0] != "OpenSSL":
        return None
    try:
        return openssl_version(words[1])
    except ValueError:
        return None
