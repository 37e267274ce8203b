"""What `-v` and `-vv` of HAProxy's command line, and `maniple --version`, say.

Owns: these texts, in the form that scripts read out of HAProxy's. Must not know: flags. Invariant: nothing is claimed
that is not so; the first line begins as HAProxy's, because scripts cut the version out of it, and names maniple.
"""

from __future__ import annotations

import os
import platform
import sys

from .. import __version__
from ..core.config.environment import LANGUAGE_VERSION
from ..core.config.features import feature_list
from ..core.config.global_spec import TuneSpec

RELEASE_DATE = "2026/11/22"
"""Of `__version__`, as HAProxy writes dates."""

SPOKEN_VERSION = f"{LANGUAGE_VERSION}-maniple"


def version_line() -> str:
    return f"HAProxy version {SPOKEN_VERSION} {RELEASE_DATE} - maniple {__version__}, not HAProxy itself"


def version_text() -> str:
    """`-v`: the version, its status, the running system."""
    system = os.uname()
    return (
        f"{version_line()}\n"
        f"Status: development version; answers the configuration language of HAProxy {LANGUAGE_VERSION}.\n"
        f"Running on: {system.sysname} {system.release} {system.version} {system.machine}\n"
    )


def build_text() -> str:
    """`-vv`: what follows `-v`'s lines."""
    tune = TuneSpec()
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    usable = len(os.sched_getaffinity(0))
    return f"""Build options :
  TARGET  = {_target()}
  CC      = {python} ({"with the GIL" if gil else "free-threaded"})
  CFLAGS  =
  OPTIONS =
  DEBUG   =

Feature list : {feature_list()}

Default settings :
  bufsize = {tune.bufsize}, maxrewrite = {tune.maxrewrite}, maxpollevents = 1024

Built with multi-threading support (a group is a process; default={usable}).
Running on uvloop version : {_installed("uvloop")}
Built without TLS support.
Built without compression support.
Built without PCRE support (Python's re is used).

Available polling systems :
      epoll : pref=300,  test result OK
Total: 1 (1 usable), will use epoll.

Available multiplexer protocols :
(protocols marked as <default> cannot be specified using 'proto' keyword)
  <default> : mode=HTTP  side=FE|BE  mux=H1    flags=
  <default> : mode=TCP   side=FE|BE  mux=PASS  flags=

Available services : none
Available filters :
	none

"""


def _target() -> str:
    """HAProxy's names: linux-glibc, linux-musl, or the system's own."""
    if sys.platform != "linux":
        return sys.platform
    return "linux-glibc" if platform.libc_ver()[0] == "glibc" else "linux-musl"


def _installed(package: str) -> str:
    # Imported here: it costs 30 ms, and only -vv asks.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
