"""A token of a transformer of Lumina-mGPT 7B's width and random weights, some of its 32 layers, beside reading the same
weights in the same minutes: {"bench":"generate","layers":…,"sequences":…,"gb":…,"ms":…,"gb_per_s":…,"read_gb_per_s":…,
"share":…,"ms_of_7b":…}.
"""

from .programs import add_numbers, figures, laboratory, load, rounded, show

HELP = "a token of a 7B-shaped transformer beside reading its weights"
NUMBERS = {"layers": 8, "sequences": 2, "rounds": 5}


def add_options(parser):
    add_numbers(parser, *((name, value, None) for name, value in NUMBERS.items()))


def run(options):
    words = [word for name in NUMBERS for word in (f"--{name}", str(getattr(options, name)))]
    show("generate", rounded(figures([laboratory(), "bench-generate", *words])[0], 2) | load())
