"""All fetches and converters of maniple: importing this fills the catalogue.

Owns: the list of the modules that register some. Must not know: what they register.
"""

from __future__ import annotations

from . import (
    convert_address,
    convert_date,
    convert_debug,
    convert_digest,
    convert_encoding,
    convert_forwarded,
    convert_hash,
    convert_json,
    convert_language,
    convert_map,
    convert_number,
    convert_proxies,
    convert_regsub,
    convert_text,
    convert_token,
    convert_variables,
    convert_when,
    convert_words,
    fetch_acl,
    fetch_body,
    fetch_connection,
    fetch_cookies,
    fetch_headers,
    fetch_internal,
    fetch_load,
    fetch_proxies,
    fetch_request,
    fetch_response,
)

MODULES = (
    convert_address,
    convert_date,
    convert_debug,
    convert_digest,
    convert_encoding,
    convert_forwarded,
    convert_hash,
    convert_json,
    convert_language,
    convert_map,
    convert_number,
    convert_proxies,
    convert_regsub,
    convert_text,
    convert_token,
    convert_variables,
    convert_when,
    convert_words,
    fetch_acl,
    fetch_body,
    fetch_connection,
    fetch_cookies,
    fetch_headers,
    fetch_internal,
    fetch_load,
    fetch_proxies,
    fetch_request,
    fetch_response,
)
"""Each fills the catalogue when it is imported."""
