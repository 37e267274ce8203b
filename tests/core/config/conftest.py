"""Reading a text as a configuration, with a fixed table of host names in place of the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from textwrap import dedent

import pytest
from maniple.core.addresses import Address
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.drafts import Reading
from maniple.core.config.environment import Environment
from maniple.core.config.lexer import split_words
from maniple.core.config.model import Configuration, ProxySpec
from maniple.core.config.parser import load
from maniple.core.config.statement import Statement

HOSTS = {"one.example": "192.0.2.1", "two.example": "192.0.2.2"}


def resolve_name(address: Address) -> Address:
    if address.kind != "name":
        return address
    if address.host not in HOSTS:
        raise ValueError(f"cannot resolve host '{address.host}'")
    return replace(address, kind="inet", host=HOSTS[address.host])


class Outcome:
    """What reading a text gave. Reports are shown as `line:column level message`."""

    def __init__(self, configuration: Configuration | None, diagnostics: Diagnostics) -> None:
        self.configuration = configuration
        self.diagnostics = diagnostics

    @property
    def good(self) -> Configuration:
        assert self.configuration is not None, self.diagnostics.render()
        return self.configuration

    def proxy(self, name: str) -> ProxySpec:
        found = [proxy for proxy in self.good.proxies if proxy.name == name]
        assert len(found) == 1, name
        return found[0]

    def reports(self, *levels: str) -> list[str]:
        return [
            f"{report.place.line}:{report.place.column} {report.message}"
            for report in self.diagnostics.in_order()
            if report.level in levels
        ]

    @property
    def errors(self) -> list[str]:
        return self.reports("error")

    @property
    def warnings(self) -> list[str]:
        return self.reports("warning")

    @property
    def notices(self) -> list[str]:
        return self.reports("notice")


Read = Callable[..., Outcome]


@pytest.fixture
def read() -> Read:
    """read(text, files={path: bytes}, environment={...}) -> Outcome; the text is dedented and named case.cfg."""

    def run(
        text: str, files: Mapping[str, bytes] | None = None, environment: Mapping[str, str] | None = None
    ) -> Outcome:
        def read_file(path: str) -> bytes:
            if files is None or path not in files:
                raise FileNotFoundError(2, "No such file or directory")
            return files[path]

        sources = [("case.cfg", dedent(text).lstrip("\n"))]
        return Outcome(*load(sources, environment or {}, resolve_name=resolve_name, read_file=read_file))

    return run


@pytest.fixture
def statement() -> Callable[[str], Statement]:
    """A line as the function of its first word sees it."""

    def make(text: str) -> Statement:
        words = split_words(text, Environment({}))
        return Statement("case.cfg", 7, words[0].text, words[0], words[1:], Diagnostics())

    return make


@pytest.fixture
def reading() -> Reading:
    return Reading(Diagnostics(), Environment({}), resolve_name)
