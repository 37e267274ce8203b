"""All actions of maniple: importing this fills the registry; and those that HAProxy has and maniple does not have yet.

Owns: the list of the modules that register some. Must not know: what they register.
"""

from __future__ import annotations

from . import (
    action_answer,
    action_headers,
    action_patterns,
    action_resolve,
    action_stream,
    action_tables,
    action_uri,
    action_variables,
    action_wait,
    failing,
    mapping,
    rule_sets,
)
from .actions import ALL, CONTENT, EARLY, HTTP, REQUEST, RESPONSE, RESPONSE_CONTENT, TCP, missing

MODULES = (
    action_answer,
    action_headers,
    action_patterns,
    action_resolve,
    action_stream,
    action_tables,
    action_uri,
    action_variables,
    action_wait,
    failing,
    mapping,
    rule_sets,
)
"""Each fills the registry when it is imported."""

missing("cache-use", REQUEST, "it needs caches")
missing("cache-store", RESPONSE, "it needs caches")
missing("send-spoe-group", CONTENT | RESPONSE_CONTENT | REQUEST | RESPONSE, "it needs SPOE")
missing("use-service", CONTENT | REQUEST, "it needs services")
missing("lua", ALL, "there is no Lua")
missing("switch-mode", CONTENT, "a TCP frontend cannot become an HTTP one yet")
missing("expect-proxy expect-netscaler-cip", EARLY, "the PROXY protocol is not there yet")
missing("attach-srv", TCP, "reverse HTTP is not there")
missing("wait-for-handshake", REQUEST, "it needs TLS")
missing("disable-l7-retry", REQUEST, "`retry-on` is not there yet")
missing("set-bandwidth-limit", CONTENT | RESPONSE_CONTENT | REQUEST | RESPONSE, "filters are not there yet")
missing("ot-group", CONTENT | RESPONSE_CONTENT | HTTP, "it needs OpenTracing")
missing("do-log", ALL, "log profiles are not there yet")
