"""Interim: serves files, and reads them again on reload."""

from __future__ import annotations

import sys

from maniple.core.config.model import Configuration
from maniple.core.config.parser import load_files
from maniple.groups.supervisor import Supervisor, SupervisorOptions


def main(paths: list[str]) -> int:
    configuration, said = load_files(paths)
    assert configuration is not None, said.render()

    def reload() -> tuple[Configuration | None, str]:
        configuration, said = load_files(paths)
        return configuration, said.render() if len(said) else ""

    return Supervisor(configuration, SupervisorOptions(reload=reload, files=tuple(paths))).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
