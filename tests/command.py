"""`zonewatch …` as a user starts it: a process of its own, with its exit code and outputs.

Most of what a short command takes is the loading of its modules, the same for each. So a process that has loaded them
waits (one for each process of pytest), and each command is a copy of it (fork) that runs the program from its first
line. What is read at the start of an interpreter, such as PYTHONHASHSEED, needs `subprocess` and a new one; and
`tests/sensor/test_cli.py` starts every command so, as there nothing is loaded but by the command itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final, NoReturn

PROGRAM: Final = "zonewatch.sensor.cli"


def octets(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command to its end."""
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as errors:
        words = [str(word) for word in arguments]
        asked = {
            "words": words,
            "cwd": str(cwd or Path.cwd()),
            "env": dict(os.environ if env is None else env),
            "outputs": [out.name, errors.name],
        }
        waiting = _waiting()
        assert waiting.stdin is not None
        assert waiting.stdout is not None
        waiting.stdin.write(f"{json.dumps(asked)}\n")
        waiting.stdin.flush()
        code = int(waiting.stdout.readline())
        written = [Path(file.name).read_bytes() for file in (out, errors)]
    return subprocess.CompletedProcess(words, code, *written)


def run(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same, with outputs as text."""
    done = octets(*arguments, cwd=cwd, env=env)
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    )


@cache
def _waiting() -> subprocess.Popen[str]:
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "tests.command"]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Loads what commands load, then runs each that is asked for until nobody asks any more."""
    sensor = import_module("zonewatch.sensor")
    for module in iter_modules(sensor.__path__):
        import_module(f"{sensor.__name__}.{module.name}")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(words: list[str], cwd: str, env: dict[str, str], outputs: list[str]) -> NoReturn:
    """This copy is the command from now on."""
    for number, name in ((0, os.devnull), *enumerate(outputs, 1)):
        os.dup2(os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    program = sys.modules["__main__"] = sys.modules[PROGRAM]
    sys.argv = [str(program.__file__), *words]
    code: object = 1
    try:
        program.main()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else code is not None)


if __name__ == "__main__":
    main()
