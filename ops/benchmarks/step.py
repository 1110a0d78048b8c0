"""A training step and a forward pass of a transformer stack beside a peer's, in the same minutes on the same machine,
in single precision and in bfloat16 (beside autocast).

Runs ours and the peer's program in turn (A B A B …), takes the best of each, and prints one JSON line per size, mode
and precision: {"bench":"step","size":"256x8x155","mode":"train","precision":"bf16","ms":…,"peer_ms":…,
"ratio":peer_ms/ms,"rss_mb":…,"peer_rss_mb":…}. Memory is the most that a program had held when the mode ended; both
run the modes in the same order. Single times depend on what else the machine does: quote ratios. Without options of
size a small stack and a large one are measured.

The peer is torch_stack.py (PyTorch, two threads), looked for in $ATELIER_PEERS or ../shared/peers. Without it, our
figures stand alone and peer_ms is null.
"""

import subprocess
import sys

from .programs import add_numbers, figures, keep_best, laboratory, load, peer_python, peer_script, say, show

HELP = "a forward pass and a training step of a transformer stack"
SMALL = {"width": 256, "depth": 8, "heads": 8, "tokens": 155, "batch": 2, "context": 16}
LARGE = SMALL | {"width": 768, "depth": 12, "heads": 12, "tokens": 521}


def add_options(parser):
    add_numbers(parser, *((name, None, f"{value}, {LARGE[name]} in the large stack") for name, value in SMALL.items()))
    add_numbers(parser, ("rounds", 4, "runs of each program; the best counts"))


def peer():
    """The peer's command without sizes, or None, with a message, where it cannot run."""
    script = peer_script("torch_stack.py")
    if script is None:
        return None
    try:
        python = peer_python("peers", ["torch", "numpy"])
        subprocess.run([python, "-c", "import torch"], check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as problem:
        say(f"no peer: {problem}")
        return None
    return [python, script]


def measure(sizes, rounds, theirs):
    """One line per mode and precision of a stack."""
    ours = [laboratory(), "bench-step", *(word for name, value in sizes.items() for word in (f"--{name}", str(value)))]
    our_best, peer_best = {}, {}
    for _ in range(rounds):
        for figure in figures(ours):
            keep_best(our_best, (figure["mode"], figure["precision"]), figure["ms"], figure["rss_mb"])
        for figure in figures([*theirs, *map(str, sizes.values())]) if theirs else []:
            keep_best(peer_best, (figure["mode"], figure["dtype"]), figure["ms"], figure["peak_rss_mb"])
    for (mode, precision), (milliseconds, megabytes) in our_best.items():
        peer_milliseconds, peer_megabytes = peer_best.get((mode, precision), (None, None))
        line = {
            "size": "{width}x{depth}x{tokens}".format(**sizes),
            "mode": mode,
            "precision": precision,
            "ms": round(milliseconds, 2),
            "peer_ms": peer_milliseconds,
            "ratio": round(peer_milliseconds / milliseconds, 2) if peer_milliseconds else None,
            "rss_mb": megabytes,
            "peer_rss_mb": peer_megabytes,
        }
        show("step", line | load())


def run(options):
    given = {name: getattr(options, name) for name in SMALL if getattr(options, name) is not None}
    theirs = peer()
    for sizes in [SMALL | given] if given else [SMALL, LARGE]:
        measure(sizes, options.rounds, theirs)
