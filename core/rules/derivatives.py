"""Names that only ACLs know, or know differently: `path_beg`, `hdr_dom(host)` and their kin (manual 7.3).

Owns: the table. Must not know: how ACLs are compiled.
"""

from __future__ import annotations

_TEXT_METHODS = ("beg", "dir", "dom", "end", "len", "reg", "sub")


def _families() -> dict[str, tuple[str, str]]:
    table = {
        "http_auth_group": ("http_auth_group", "str"),
        "method": ("method", "meth"),
        "payload": ("req.payload", "bin"),
        "payload_lv": ("req.payload_lv", "bin"),
        "req.payload": ("req.payload", "bin"),
        "req.payload_lv": ("req.payload_lv", "bin"),
        "req_rdp_cookie": ("req.rdp_cookie", "str"),
        "req_rdp_cookie_cnt": ("req.rdp_cookie_cnt", "int"),
        "req_ssl_sni": ("req.ssl_sni", "str"),
        "req_ver": ("req.ver", "str"),
        "resp_ver": ("res.ver", "str"),
        "ssl_fc_sni_end": ("ssl_fc_sni", "end"),
        "ssl_fc_sni_reg": ("ssl_fc_sni", "reg"),
    }
    # `hdr` and `cook` are the request's here, although the fetch `hdr` is of whichever message is under way.
    for family, fetch in (
        ("base", "base"),
        ("cook", "req.cook"),
        ("hdr", "req.hdr"),
        ("path", "path"),
        ("scook", "res.cook"),
        ("shdr", "res.hdr"),
        ("url", "url"),
        ("urlp", "urlp"),
    ):
        table[family] = (fetch, "str")
        for method in _TEXT_METHODS:
            table[f"{family}_{method}"] = (fetch, method)
    # The manual has these, HAProxy has not.
    for fetch in ("req.cook", "req.hdr", "res.cook", "res.hdr"):
        for method in _TEXT_METHODS:
            table[f"{fetch}_{method}"] = (fetch, method)
    return table


DERIVATIVES: dict[str, tuple[str, str]] = _families()
"""Names that only ACLs know, or know differently: the fetch and the method that they mean."""
