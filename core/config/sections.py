"""The sections of a configuration: which there are, what their lines are read into, and which words they take.

Owns: the names of sections and, for those of a name and lines of their own, what makes their draft. Must not know: how
a line finds its section (parser.py). Invariant: once this module is imported all tables of keywords are full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import bind as _bind
from . import borrowing as _borrowing
from . import cookie as _cookie
from . import error_pages as _error_pages
from . import globals as _globals
from . import logs as _logs
from . import options as _options
from . import peers as _peers
from . import placement as _placement
from . import process_variables as _process_variables
from . import proxies as _proxies
from . import resolvers as _resolvers
from . import rules as _rules
from . import server as _server
from . import status_codes as _status_codes
from . import sticky as _sticky
from . import tables as _tables
from . import timeouts as _timeouts
from . import userlists as _userlists
from .drafts import Reading
from .error_pages import ErrorPagesDraft
from .keywords import Table
from .model import Place
from .peers import PeersDraft
from .resolvers import ResolversDraft
from .userlists import UserlistDraft

TABLES = (
    _bind,
    _borrowing,
    _cookie,
    _globals,
    _logs,
    _options,
    _placement,
    _process_variables,
    _proxies,
    _rules,
    _server,
    _status_codes,
    _sticky,
    _tables,
    _timeouts,
    _userlists,
)
"""The modules that fill the registry by being imported."""

PROXY_SECTIONS = ("frontend", "backend", "listen")
RULE_SECTIONS = ("request-rules", "response-rules")
"""Ours: rules that others enter by `jump`."""
NAMED_SECTIONS: dict[str, tuple[Callable[[Reading, str, Place], Any], Table[Any]]] = {
    "peers": (PeersDraft, _peers.KEYWORDS),
    "resolvers": (ResolversDraft, _resolvers.KEYWORDS),
    "userlist": (UserlistDraft, _userlists.KEYWORDS),
    "http-errors": (ErrorPagesDraft, _error_pages.KEYWORDS),
}
"""Sections of a name and lines of their own -> what makes their draft, and their keywords."""
EXAMPLES = {
    "global": "global",
    "defaults": "defaults base",
    "frontend": "frontend web",
    "backend": "backend app",
    "listen": "listen web",
    "request-rules": "request-rules checks",
    "response-rules": "response-rules headers",
    "peers": "peers cluster",
    "resolvers": "resolvers dns",
    "userlist": "userlist staff",
    "http-errors": "http-errors pages",
}
"""How the line of each section may be written."""
SECTIONS = ("global", "defaults", *PROXY_SECTIONS, *RULE_SECTIONS, *NAMED_SECTIONS)
