"""Maniple in a process of its own, for what concerns a whole process: descriptors, CPU time, what is on stderr.

Arguments: configuration file, descriptor of the listening socket, limit of descriptors (0: none).
"""

from __future__ import annotations

import resource
import socket
import sys

import uvloop
from maniple.core.build import build
from maniple.core.config.parser import load_files


def main(path: str, descriptor: int, limit: int) -> None:
    if limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    configuration, said = load_files([path])
    assert configuration is not None, said.render()
    loop = uvloop.new_event_loop()

    def start() -> None:
        runtime = build(configuration, loop=loop)
        name = next(proxy.name for proxy in configuration.proxies if proxy.has_frontend)
        runtime.listen(name, 0, socket.socket(fileno=descriptor))
        print("ready", flush=True)

    loop.call_soon(start)
    loop.run_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
