"""Drawing with weights in bfloat16, random ones of a released width, in the same minutes as what bounds it.

A token of a transformer of Lumina-mGPT 7B's width, some of its 32 layers, beside reading the same weights:
{"bench":"generate","model":"lumina-7b","layers":…,"sequences":…,"gb":…,"ms":…,"gb_per_s":…,"read_gb_per_s":…,"share":…,
"ms_of_7b":…}. A picture of 256² by the transformer of Infinity 2B, some of its 32 blocks, beside the most operations a
second that the kernel of products reaches: {"bench":"generate","model":"infinity-2b","blocks":…,"pictures":…,"ms":…,
"gflops":…,"peak_gflops":…,"share":…,"ms_of_2b":…}.
"""

from .programs import add_numbers, figures, laboratory, load, rounded, show

HELP = "a token of a 7B-shaped transformer beside reading its weights, and a picture of a 2B-shaped one"


def add_options(parser):
    add_numbers(
        parser,
        ("layers", 8, "of the 7B"),
        ("sequences", 2, "that share each read of a weight: two a picture, for guidance"),
        ("blocks", 4, "of the 2B"),
        ("pictures", 1, "drawn together by the 2B"),
        ("rounds", 5, "the best counts"),
    )


def measure(options, model, command, *names):
    words = [word for name in (*names, "rounds") for word in (f"--{name}", str(getattr(options, name)))]
    show("generate", {"model": model} | rounded(figures([laboratory(), command, *words])[0], 2) | load())


def run(options):
    measure(options, "lumina-7b", "bench-generate", "layers", "sequences")
    measure(options, "infinity-2b", "bench-next-scale", "blocks", "pictures")
