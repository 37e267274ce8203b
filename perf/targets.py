"""The programs that are compared, and the same scenario in the language of each.

Owns how each is found, configured and started; knows nothing of load or figures. maniple and haproxy read the *same*
file, but for the groups. Invariants: as many threads, workers or processes as the scenario has groups; no access log,
no added field and no buffering on disk unless the scenario says so; timeouts and pools of nginx as near to haproxy's
keywords as its own allow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from .origin import run_as_user
from .processes import module_command
from .scenarios import Kind, Scenario

MAXCONN = 4000
"""Client connections that a target must bear, where a scenario does not ask for more."""
SPARE_DESCRIPTORS = 100


@dataclass(frozen=True)
class Setting:
    """Everything that a configuration is written from."""

    scenario: Scenario
    folder: Path
    port: int
    origin_port: int
    maxconn: int = MAXCONN
    log_port: int = 0


@dataclass(frozen=True)
class Launch:
    """How to start a configured target."""

    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A program. `find` gives the command's first words or None; `write` the files and the command line.
    `missing` says what to install, `skips` why it does not take part in a scenario ("" when it does)."""

    name: str
    title: str
    missing: str
    find: Callable[[], list[str] | None]
    write: Callable[[list[str], Setting], Launch]
    version: Callable[[list[str]], str]
    skips: Callable[[Scenario], str] = lambda scenario: ""


HAPROXY_CFG = Template(
    """\
global
    maxconn $maxconn
    nbthread $groups
$tuning$log_global
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout http-keep-alive 300s
    http-reuse $reuse
$log_proxy
frontend clients
    bind 127.0.0.1:$port
$rules    default_backend origin

backend origin
    balance roundrobin
    server one 127.0.0.1:$origin_port
"""
)

HAPROXY_TUNING = "    tune.pool-high-fd-ratio 100\n    tune.pool-low-fd-ratio 100\n"
"""Only for haproxy, only beside 10,000 idle clients: they hold half of the descriptors, and haproxy keeps no idle
server connection once a quarter is used. Left alone it dials for every request there, and the figure would say nothing
about idle clients (measured: 64 us instead of 22)."""

NGINX_CONF = Template(
    """\
daemon off;
worker_processes $groups;
worker_rlimit_nofile $descriptors;
pid $folder/nginx.pid;
error_log stderr crit;
$user
events { worker_connections $connections; }
http {
    $log
    keepalive_timeout 300s;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path $folder/nginx-body;
    proxy_temp_path $folder/nginx-proxy;
    fastcgi_temp_path $folder/nginx-fastcgi;
    uwsgi_temp_path $folder/nginx-uwsgi;
    scgi_temp_path $folder/nginx-scgi;
    upstream origin {
        server 127.0.0.1:$origin_port;
        $pool
    }
    server {
        listen 127.0.0.1:$port backlog=4096$reuseport;
        location / {
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Host $$http_host;
            proxy_set_header Connection $connection;
            proxy_request_buffering off;
            proxy_buffer_size 16k;
            proxy_buffers 8 16k;
            proxy_max_temp_file_size 0;
            proxy_connect_timeout 5s;
            proxy_read_timeout 300s;
            proxy_send_timeout 300s;
        }
    }
}
"""
)

NGINX_LOG = (
    "log_format proxied '$remote_addr:$remote_port [$time_local] $server_name $upstream_addr $request_time "
    '$upstream_connect_time $upstream_header_time $status $bytes_sent $connections_active "$request"\';\n'
    "    access_log syslog:server=127.0.0.1:{port},facility=local0,tag=nginx,nohostname proxied;"
)


def haproxy_cfg(setting: Setting, tuning: str = "") -> str:
    """The file that haproxy and maniple read; `tuning` are more lines for its global section."""
    scenario = setting.scenario
    logged = scenario.httplog and setting.log_port
    return HAPROXY_CFG.substitute(
        maxconn=setting.maxconn,
        groups=scenario.groups,
        reuse=scenario.reuse,
        port=setting.port,
        origin_port=setting.origin_port,
        tuning=tuning,
        log_global=f"    log 127.0.0.1:{setting.log_port} local0\n" if logged else "",
        rules="".join(f"    {line}\n" for line in scenario.rules),
        log_proxy="    log global\n    option httplog\n" if logged else "",
    )


def nginx_conf(setting: Setting) -> str:
    scenario = setting.scenario
    pooled = scenario.reuse != "safe" or scenario.keep_alive
    return NGINX_CONF.substitute(
        folder=setting.folder,
        groups=scenario.groups,
        reuseport=" reuseport" if scenario.groups > 1 else "",
        port=setting.port,
        origin_port=setting.origin_port,
        descriptors=2 * setting.maxconn + SPARE_DESCRIPTORS,
        connections=2 * setting.maxconn,
        user=run_as_user(),
        log=NGINX_LOG.format(port=setting.log_port) if scenario.httplog else "access_log off;",
        pool="keepalive 256; keepalive_requests 1000000000; keepalive_timeout 300s;" if pooled else "",
        connection='""' if pooled else "close",
    )


def write_haproxy(program: list[str], setting: Setting) -> Launch:
    path = setting.folder / "haproxy.cfg"
    path.write_text(haproxy_cfg(setting, HAPROXY_TUNING if setting.scenario.idle else ""))
    return Launch([*program, "-db", "-q", "-f", str(path)])


def write_maniple(program: list[str], setting: Setting) -> Launch:
    path = setting.folder / "haproxy.cfg"
    scenario = setting.scenario
    tuning = f"    nbgroup {scenario.groups}\n" if scenario.groups > 1 else ""
    tuning += f"    tune.listener.balance {scenario.balance}\n" if scenario.balance else ""
    path.write_text(haproxy_cfg(setting, tuning))
    return Launch([*program, "run", "-f", str(path)])


def write_nginx(program: list[str], setting: Setting) -> Launch:
    path = setting.folder / "nginx.conf"
    path.write_text(nginx_conf(setting))
    return Launch([*program, "-p", str(setting.folder), "-e", "stderr", "-c", str(path)])


def write_pump(program: list[str], setting: Setting) -> Launch:
    return Launch([*program, str(setting.port), str(setting.origin_port), str(setting.scenario.groups)])


def write_mitmproxy(program: list[str], setting: Setting) -> Launch:
    words = ["--mode", f"reverse:http://127.0.0.1:{setting.origin_port}", "--listen-host", "127.0.0.1"]
    words += ["--listen-port", str(setting.port), "--quiet", "--set", f"confdir={setting.folder}"]
    # Streaming from the first byte on, and no look at versions or certificates: what a reverse proxy would do.
    words += ["--set", "stream_large_bodies=1", "--set", "keep_host_header=true", "--set", "http2=false"]
    return Launch([*program, *words])


def _which(name: str) -> Callable[[], list[str] | None]:
    def find() -> list[str] | None:
        # Debian keeps haproxy and nginx where only root's PATH looks.
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
        return [path] if path else None

    return find


def _from_environment(variable: str) -> Callable[[], list[str] | None]:
    def find() -> list[str] | None:
        path = os.environ.get(variable)
        return [path] if path and shutil.which(path) else None

    return find


def find_maniple() -> list[str] | None:
    """The console script beside this interpreter first: it is the one under test."""
    beside = Path(sys.executable).with_name("maniple")
    path = str(beside) if beside.exists() else shutil.which("maniple")
    return [path] if path else None


def find_mitmproxy() -> list[str] | None:
    """mitmdump named by MITMDUMP, beside this interpreter, or on the path."""
    beside = Path(sys.executable).with_name("mitmdump")
    path = os.environ.get("MITMDUMP") or (str(beside) if beside.exists() else shutil.which("mitmdump"))
    return [path] if path else None


def _says(*arguments: str) -> Callable[[list[str]], str]:
    """Version from the first line that the program prints for these arguments."""

    def version(program: list[str]) -> str:
        try:
            said = subprocess.run(
                [*program, *arguments], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired):
            return "unknown"
        lines = (said.stdout + said.stderr).splitlines() if said.returncode == 0 else []
        return lines[0].removesuffix("- https://haproxy.org/").strip() if lines else "unknown"

    return version


def _uvloop_version(program: list[str]) -> str:
    from importlib.metadata import version

    return f"uvloop {version('uvloop')}, Python {sys.version.split()[0]}"


def _nginx_skips(scenario: Scenario) -> str:
    return "its language for rules is another one" if scenario.rules else ""


def _pump_skips(scenario: Scenario) -> str:
    return "" if scenario.tunnel else "a byte pump does not do this"


def _mitmproxy_skips(scenario: Scenario) -> str:
    if scenario.httplog or scenario.kind is not Kind.REQUESTS or scenario.groups > 1 or scenario.rules:
        return "for scale only: plain requests, one process"
    return ""


TARGETS: tuple[Target, ...] = (
    Target("maniple", "maniple", "pip install maniple", find_maniple, write_maniple, _says("--version")),
    Target("haproxy", "HAProxy", "apt install haproxy", _which("haproxy"), write_haproxy, _says("-v")),
    Target(
        "haproxy3",
        "HAProxy named by HAPROXY3",
        "set HAPROXY3 to the path of a haproxy of your own",
        _from_environment("HAPROXY3"),
        write_haproxy,
        _says("-v"),
    ),
    Target("nginx", "nginx", "apt install nginx-light", _which("nginx"), write_nginx, _says("-v"), _nginx_skips),
    Target(
        "pump",
        "bare uvloop byte pump",
        "pip install uvloop",
        lambda: module_command("pump"),
        write_pump,
        _uvloop_version,
        _pump_skips,
    ),
    Target(
        "mitmproxy",
        "mitmproxy, a Python proxy from PyPI (for scale)",
        "not installed: pip install mitmproxy",
        find_mitmproxy,
        write_mitmproxy,
        _says("--version"),
        _mitmproxy_skips,
    ),
)

BY_NAME: dict[str, Target] = {target.name: target for target in TARGETS}
DEFAULT_TARGETS = ("maniple", "haproxy", "nginx", "pump", "mitmproxy")


def maxconn_for(scenario: Scenario, descriptors: int) -> int:
    """Client connections that a target is told to bear: two descriptors each must fit below the limit."""
    wanted = max(MAXCONN, scenario.idle + scenario.connections + SPARE_DESCRIPTORS)
    return min(wanted, (descriptors - SPARE_DESCRIPTORS) // 2)
