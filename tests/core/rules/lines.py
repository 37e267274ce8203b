"""Rule lines read, compiled and run without a running proxy around them."""

from __future__ import annotations

from typing import Any

from maniple.core.config.model import Configuration
from maniple.core.config.parser import load
from maniple.core.errors import ConfigError
from maniple.core.rules.proxy_rules import Findings, ProxyRules, check_rules, compile_proxy
from maniple.core.rules.rule_sets import RuleSets
from maniple.core.rules.site import LiveSite, checked_site
from maniple.core.rules.verdicts import Answer, Verdict

WHOLE = """defaults
    mode {mode}
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:80
{front}
    default_backend b
backend b
{back}
    server s1 127.0.0.1:1
    server s2 127.0.0.1:2
    server s3 127.0.0.1:3 disabled
backend c
    server s1 127.0.0.1:1
listen l
    bind 127.0.0.1:81
{both}
    server s1 127.0.0.1:1
{more}
"""
FRONT_LINE = 8
"""Where `front` begins."""


def read(front: str = "", back: str = "", both: str = "", more: str = "", mode: str = "http") -> Configuration:
    """A configuration with these lines in a frontend, a backend, a listen section, and `more` at its end."""
    text = WHOLE.replace("{mode}", mode)
    for name, lines in (("front", front), ("back", back), ("both", both)):
        text = text.replace("{" + name + "}", "\n".join(f"    {line.strip()}" for line in lines.strip().split("\n")))
    configuration, said = load([("case.cfg", text.replace("{more}", more))], {})
    assert configuration is not None, said.render()
    return configuration


def compile_lines(
    front: str = "", back: str = "", both: str = "", more: str = "", mode: str = "http", proxy: str = ""
) -> ProxyRules:
    """The rules of the section that has lines (or of `proxy`); all of them must be right."""
    return compile_at(front, back, both, more, mode, proxy)[0]


def compile_at(
    front: str = "", back: str = "", both: str = "", more: str = "", mode: str = "http", proxy: str = ""
) -> tuple[ProxyRules, LiveSite]:
    """The same, and the site that they were compiled for."""
    configuration = read(front, back, both, more, mode)
    site = checked_site(configuration, {})
    found = Findings()
    sets = RuleSets(configuration.rule_sets, site, found.errors)
    name = proxy or ("b" if back else "l" if both else "f")
    (spec,) = [one for one in configuration.proxies if one.name == name]
    rules = compile_proxy(spec, site, sets, found)
    assert found.errors == []
    return rules, site


def mistakes(front: str = "", back: str = "", both: str = "", more: str = "", mode: str = "http") -> list[ConfigError]:
    """What a check finds."""
    return check_rules(read(front, back, both, more, mode)).errors


def mistake(front: str = "", back: str = "", both: str = "", more: str = "", mode: str = "http") -> str:
    """The one thing that is wrong: its column and text."""
    (error,) = mistakes(front, back, both, more, mode)
    assert error.file == "case.cfg" and error.line
    return f"{error.column} {error.message}"


def run_request(line: str, x: Any, **where: str) -> Verdict | None:
    """Run `http-request <line>`, of a frontend if nothing else is said."""
    return compile_lines(f"http-request {line}", **where).request.run(x)


def run_response(line: str, x: Any) -> Verdict | None:
    """Run `http-response <line>` of a frontend."""
    return compile_lines(f"http-response {line}").response.run(x)


def sent(x: Any) -> bytes:
    """The request's head as it would go on."""
    return sealed(x.head)


def sent_back(x: Any) -> bytes:
    """The response's head as it would go on."""
    return sealed(x.answer)


def sealed(head: Any) -> bytes:
    if head.block.edited:
        head.block.seal()
    wire: bytes = head.start + head.block.wire
    return wire


def reply_of(verdict: Verdict | None, x: Any = None) -> bytes:
    """The answer that a rule gives, which is not one of the error pages."""
    assert isinstance(verdict, Answer) and not verdict.page and verdict.render is not None
    return verdict.render(x)
