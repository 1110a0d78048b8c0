"""Our programs and the peers', what they print, and what a benchmark prints."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def built(*words):
    """The folder of our programs, built with these words of `swift build`."""
    # -enable-testing as in ops/test: one build for tests, demo and benchmark.
    build = ["swift", "build", "-c", "release", "-Xswiftc", "-enable-testing", "--package-path", str(ROOT)]
    subprocess.run([*build, *words], check=True, stdout=sys.stderr, stdin=subprocess.DEVNULL)
    return subprocess.run([*build, "--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()


def programs():
    """The folder of all our programs."""
    return os.environ.get("ATELIER_PROGRAMS") or built()


def laboratory():
    folder = os.environ.get("ATELIER_PROGRAMS")
    return os.environ.get("ATELIER_LAB") or (folder or built("--product", "atelier-lab")) + "/atelier-lab"


def peer_script(name):
    """A peer's program, or None, with a message, where it is not there."""
    folder = pathlib.Path(os.environ.get("ATELIER_PEERS") or ROOT.parent / "shared" / "peers")
    script = folder / name
    if script.is_file():
        return str(script)
    say(f"no peer: {script} is not there; set ATELIER_PEERS to its folder")
    return None


def peer_python(name, packages):
    """A Python that has the packages; they are installed once, in an environment of that name."""
    given = os.environ.get("ATELIER_PEER_PYTHON")
    if given:
        return given
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "atelier" / name
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        say(f"installing {', '.join(packages)} into {folder}, once")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, stdout=sys.stderr)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True, stdout=sys.stderr)
        complete.touch()
    return str(python)


def figures(command):
    """The JSON lines that a program prints."""
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def keep_best(best, mode, milliseconds, megabytes):
    """Best time and largest memory of a mode over all rounds."""
    before = best.get(mode, (float("inf"), 0))
    best[mode] = (min(before[0], milliseconds), max(before[1], megabytes))


def rounded(figure, digits):
    return {key: round(value, digits) if isinstance(value, float) else value for key, value in figure.items()}


def load():
    """What the machine does beside us, as a part of a line."""
    return {"load": round(os.getloadavg()[0], 1)}


def show(bench, line):
    print(json.dumps({"bench": bench} | line), flush=True)


def positive(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def add_numbers(parser, *numbers):
    """Options that are positive whole numbers: (name, what it is when left out, help)."""
    for name, value, text in numbers:
        parser.add_argument(f"--{name}", type=positive, default=value, help=text)
