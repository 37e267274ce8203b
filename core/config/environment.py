"""The variables that a configuration sees (manual 2.3; `setenv` and its kin: 3.1).

Owns: a private copy of the process environment, the variables that HAProxy defines, and their alteration from the
global section. Must not know: the process's own environment (whoever starts a program hands this mapping on), nor how
quoting works. Invariant: an alteration is seen from the next line on, since the lexer asks only when it reads a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

LANGUAGE_VERSION = "3.2.0"
"""The HAProxy version whose configuration language is answered."""

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_]*)\}|([A-Za-z0-9_]*))", re.ASCII)

_DEFINED_FORMATS = {
    # Formats that log-format lines build upon: "${HAPROXY_HTTP_LOG_FMT} %[src]" (manual 8.2).
    "HAPROXY_TCP_LOG_FMT": "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq",
    "HAPROXY_HTTP_LOG_FMT": (
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
    ),
    "HAPROXY_HTTPS_LOG_FMT": (
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r "
        "%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc"
    ),
}


class Environment(Mapping[str, str]):
    """Variables by name. `section` is what `$.SECTION` reads: the parser sets it when a section starts (its name, or
    its type where it has none); "" before the first."""

    __slots__ = ("_variables", "local_peer_forced", "peers_seen", "section")

    def __init__(
        self,
        process: Mapping[str, str],
        *,
        files: Iterable[str] = (),
        local_peer: str = "",
        local_peer_forced: bool = False,
        workers: bool = False,
    ) -> None:
        """`process` is copied; `files` are the configuration's files, `local_peer` this host's name or `-L` (`forced`:
        the latter), `workers` whether a supervisor with children runs (-W)."""
        self._variables = dict(process)
        self.section = ""
        self.local_peer_forced = local_peer_forced
        self.peers_seen = False
        """Whether a peers section was read: `localpeer` comes too late then."""
        defined = self._variables
        defined.update(_DEFINED_FORMATS)
        defined["HAPROXY_BRANCH"] = LANGUAGE_VERSION.rpartition(".")[0]
        defined.setdefault("HAPROXY_STARTUP_VERSION", LANGUAGE_VERSION)
        defined["HAPROXY_CFGFILES"] = ";".join(files)
        defined["HAPROXY_LOCALPEER"] = local_peer
        if workers:
            defined["HAPROXY_MWORKER"] = "1"

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def set(self, name: str, value: str) -> None:
        """`setenv`. ValueError: no system could hold a variable of that name."""
        self._variables[_checked(name)] = value

    def preset(self, name: str, value: str) -> None:
        """`presetenv`: only where the variable does not exist yet."""
        self._variables.setdefault(_checked(name), value)

    def unset(self, names: Iterable[str]) -> None:
        """`unsetenv`; names that do not exist are ignored."""
        for name in names:
            self._variables.pop(name, None)

    def reset(self, kept: Iterable[str] = ()) -> None:
        """`resetenv`: forget all but `kept`."""
        keep = set(kept)
        self._variables = {name: value for name, value in self._variables.items() if name in keep}

    def expand(self, text: str) -> str:
        """`text` with `$NAME` and `${NAME}` replaced: what addresses allow outside quotes as well; unknown: nothing."""
        if "$" not in text:
            return text
        return _VARIABLE.sub(lambda match: self._variables.get(match[1] or match[2], ""), text)


def _checked(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise ValueError(f"'{name}' cannot name an environment variable (letters, digits and _, no digit first)")
    return name
