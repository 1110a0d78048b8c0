"""A training step and a forward pass of a transformer stack beside a peer's, in the same minutes on the same machine.

Runs ours and the peer's program in turn (A B A B …), takes the best of each, and prints one JSON line per mode:
{"bench":"step","mode":"train","ms":…,"peer_ms":…,"ratio":peer_ms/ms,"rss_mb":…,"peer_rss_mb":…}. Single times depend on
what else the machine does: quote ratios.

The peer is torch_stack.py (PyTorch, two threads, fp32), looked for in $ATELIER_PEERS or ../shared/peers. Without it,
our figures stand alone and peer_ms is null.
"""

import subprocess
import sys

from .programs import add_numbers, figures, keep_best, laboratory, peer_python, peer_script, say, show

HELP = "a forward pass and a training step of a transformer stack"
SIZES = {"width": 256, "depth": 8, "heads": 8, "tokens": 155, "batch": 2, "context": 16}


def add_options(parser):
    add_numbers(parser, *((name, value, None) for name, value in SIZES.items()))
    add_numbers(parser, ("rounds", 4, "runs of each program; the best counts"))


def peer(options):
    """The peer's command, or None, with a message, where it cannot run."""
    script = peer_script("torch_stack.py")
    if script is None:
        return None
    try:
        command = [peer_python("peers", ["torch", "numpy"]), script, *(str(getattr(options, name)) for name in SIZES)]
        subprocess.run([command[0], "-c", "import torch"], check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as problem:
        say(f"no peer: {problem}")
        return None
    return command


def run(options):
    sizes = [word for name in SIZES for word in (f"--{name}", str(getattr(options, name)))]
    ours = [laboratory(), "bench-step", *sizes]
    theirs = peer(options)
    our_best, peer_best = {}, {}
    for _ in range(options.rounds):
        for figure in figures(ours):
            keep_best(our_best, figure["mode"], figure["ms"], figure["rss_mb"])
        for figure in figures(theirs) if theirs else []:
            if figure["dtype"] == "fp32":
                keep_best(peer_best, figure["mode"], figure["ms"], figure["peak_rss_mb"])
    for mode, (milliseconds, megabytes) in our_best.items():
        peer_milliseconds, peer_megabytes = peer_best.get(mode, (None, None))
        line = {
            "mode": mode,
            "ms": round(milliseconds, 2),
            "peer_ms": peer_milliseconds,
            "ratio": round(peer_milliseconds / milliseconds, 2) if peer_milliseconds else None,
            "rss_mb": megabytes,
            "peer_rss_mb": peer_megabytes,
        }
        show("step", line)
