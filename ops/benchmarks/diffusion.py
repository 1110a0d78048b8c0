"""A LoRA training step of pocket-diffusion's network and the same in diffusers with PEFT (ops/peers), in turn, in
single precision and in bfloat16 (beside autocast): {"bench":"diffusion","precision":…,"ms":…,"peer_ms":…,
"ratio":peer_ms/ms,"rss_mb":…,"peer_rss_mb":…}.
"""

from .programs import ROOT, add_numbers, figures, keep_best, laboratory, load, peer_python, show

HELP = "a LoRA training step beside diffusers with PEFT"


def add_options(parser):
    add_numbers(
        parser,
        ("rounds", 4, "runs of each program; the best counts"),
        ("batch", 4, "pictures a step"),
        ("rank", 16, "of the changes"),
    )


def run(options):
    program, model = laboratory(), str(ROOT / "models" / "pocket-diffusion")
    python = peer_python("diffusers", ["torch", "numpy", "diffusers", "peft"])
    sizes = [str(options.batch), str(options.rank), "6"]
    ours, theirs = {}, {}
    for _ in range(options.rounds):
        for precision in ("fp32", "bf16"):
            words = ["--precision", precision, "--batch", sizes[0], "--rank", sizes[1], "--rounds", sizes[2]]
            figure = figures([program, "bench-diffusion", model, *words])[0]
            keep_best(ours, precision, figure["ms"], figure["rss_mb"])
            peer_program = str(ROOT / "ops" / "peers" / "diffusers_lora.py")
            peer_figure = figures([python, peer_program, model, precision, *sizes])[0]
            keep_best(theirs, precision, peer_figure["ms"], peer_figure["rss_mb"])
    for precision, (milliseconds, megabytes) in ours.items():
        peer_milliseconds, peer_megabytes = theirs[precision]
        line = {
            "precision": precision,
            "ms": round(milliseconds, 2),
            "peer_ms": peer_milliseconds,
            "ratio": round(peer_milliseconds / milliseconds, 2),
            "rss_mb": megabytes,
            "peer_rss_mb": peer_megabytes,
        }
        show("diffusion", line | load())
