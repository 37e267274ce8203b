"""A Configuration written back as HAProxy text, with everything in force spelt out. Defaults sections hold only the
rules that see ACLs of their own.

Owns: the sections, and the lines of those that are short. Must not know: how a line is read. Invariant: reading the
text gives the same configuration, places in the files aside. The dump of a configuration with host names holds their
addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..units import format_time
from .dump_global import global_lines
from .dump_line import error_lines, line_of, rule_line, table_words
from .dump_proxy import proxy_lines
from .dump_socket import bind_line, source_text
from .model import Configuration, ProxySpec, RuleSpec, UserlistSpec
from .peers_spec import PeersSpec
from .resolver_spec import HOLDS, ResolversSpec


def dump(configuration: Configuration) -> str:
    """The text; it ends with a line feed."""
    blocks = [("global", global_lines(configuration.globals))]
    shared = _shared_rules(configuration)
    blocks += [(f"defaults {name}", map(rule_line, rules)) for name, rules in shared.items()]
    if shared:
        # For all that do not say `from`.
        blocks.append(("defaults", iter(())))
    blocks += [(_heading(proxy), proxy_lines(proxy)) for proxy in configuration.proxies]
    blocks += [(f"{one.kind} {one.name}", map(rule_line, one.rules)) for one in configuration.rule_sets.values()]
    blocks += [(f"peers {found.name}", _peers(found)) for found in configuration.peers.values()]
    blocks += [(f"resolvers {found.name}", _resolvers(found)) for found in configuration.resolvers.values()]
    blocks += [(f"http-errors {pages.name}", error_lines(pages.pages)) for pages in configuration.error_pages.values()]
    blocks += [(f"userlist {found.name}", _userlist(found)) for found in configuration.userlists.values()]
    return "\n".join(f"{head}\n" + "".join(f"    {line}\n" for line in lines) for head, lines in blocks)


def _shared_rules(configuration: Configuration) -> dict[str, list[RuleSpec]]:
    """Lines of defaults sections, which see ACLs of their own, by the name of the section."""
    shared: dict[str, list[RuleSpec]] = {}
    for proxy in configuration.proxies:
        for scope in {rule.scope for rule in proxy.rules} - {""}:
            shared.setdefault(scope, [rule for rule in proxy.rules if rule.scope == scope])
    return shared


def _heading(proxy: ProxySpec) -> str:
    scope = next((rule.scope for rule in proxy.rules if rule.scope), "")
    return f"{proxy.kind} {proxy.name}{f' from {scope}' if scope else ''}"


def _userlist(userlist: UserlistSpec) -> Iterator[str]:
    for group in userlist.groups:
        yield line_of("group", group)
    for user in userlist.users.values():
        words: list[str] = ["user", user.name]
        if user.password is not None:
            words += ("password" if user.hashed else "insecure-password", user.password)
        if user.groups:
            words += ("groups", ",".join(user.groups))
        yield line_of(*words)


def _peers(spec: PeersSpec) -> Iterator[str]:
    if spec.bind is not None:
        yield bind_line(spec.bind)
        yield line_of("server", spec.local)
    for peer in spec.remotes:
        source = () if peer.source is None else ("source", source_text(peer.source))
        tcp_ut = () if peer.tcp_ut is None else ("tcp-ut", format_time(peer.tcp_ut))
        yield line_of("server", peer.name, peer.address, *source, *tcp_ut)
    for table in spec.tables:
        yield line_of("table", table.name[len(spec.name) + 1 :], *table_words(replace(table, peers="")))
    yield from ["mode sum"] * spec.sums
    yield from ["disabled"] * spec.disabled


def _resolvers(spec: ResolversSpec) -> Iterator[str]:
    for server in spec.nameservers:
        host = f"[{server.host}]" if ":" in server.host else server.host
        yield line_of("nameserver", server.name, f"{'tcp@' if server.stream else ''}{host}:{server.port}")
    yield line_of("resolve_retries", spec.retries)
    yield line_of("accepted_payload_size", spec.payload)
    yield line_of("timeout", "resolve", format_time(spec.timeout_resolve))
    yield line_of("timeout", "retry", format_time(spec.timeout_retry))
    for status in HOLDS:
        yield line_of("hold", status, format_time(getattr(spec, f"hold_{status}")))
