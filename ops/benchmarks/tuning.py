"""A step of the pocket-sized unified transformer in which CoAR's context vectors learn beside one in which all weights
do: {"bench":"tuning","tuning":"coar","ms":…,"full_ms":…,"ratio":full_ms/ms,"rss_mb":…,"full_rss_mb":…,
"gradient_bytes":…,"full_gradient_bytes":…,"trainable":…}.
"""

from .programs import add_numbers, figures, keep_best, laboratory, show

HELP = "a training step by what learns: context vectors, or all weights"


def add_options(parser):
    add_numbers(parser, ("rounds", 4, "runs of each; the best counts"))


def run(options):
    program, best, last = laboratory(), {}, {}
    for _ in range(options.rounds):
        for name in ("coar", "full"):
            figure = figures([program, "bench-tuning", "--tuning", name])[0]
            keep_best(best, name, figure["ms"], figure["rss_mb"])
            last[name] = figure
    milliseconds, megabytes = best["coar"]
    full_milliseconds, full_megabytes = best["full"]
    line = {
        "tuning": "coar",
        "ms": round(milliseconds, 2),
        "full_ms": round(full_milliseconds, 2),
        "ratio": round(full_milliseconds / milliseconds, 2),
        "rss_mb": megabytes,
        "full_rss_mb": full_megabytes,
        "gradient_bytes": last["coar"]["gradient_bytes"],
        "full_gradient_bytes": last["full"]["gradient_bytes"],
        "trainable": last["coar"]["trainable"],
    }
    show("tuning", line)
