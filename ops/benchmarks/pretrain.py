"""Pretraining steps of the embedded models (tokenizer and transformer of pocket-infinity and of pocket-chameleon,
unless some are named) beside the fastest matrix product of the same minutes, as bench-pretrain measures them:
{"bench":"pretrain","model":…,"stage":…,"pictures_per_s":…,"gflops":…,"peak_gflops":…,"share_of_peak":…,
"cpu_share_of_peak":…,…}; gflops are counted from the shapes of products, convolutions and attention, forward and
backward. On a busy machine run it with ATELIER_THREADS=1 and quote cpu_share_of_peak.
"""

from .programs import add_numbers, figures, laboratory, load, rounded, show

HELP = "pretraining steps beside the matrix product's peak"
PRETRAINED = [
    f"pocket-{model}:{stage}" for model in ("infinity", "chameleon") for stage in ("tokenizer", "transformer")
]


def add_options(parser):
    add_numbers(parser, ("batch", 16, "pictures per step"), ("rounds", 8, "steps of each; the best counts"))
    parser.add_argument("stages", nargs="*", metavar="MODEL:STAGE", help="what to run; all when left out")


def run(options):
    program = laboratory()
    for name in options.stages or PRETRAINED:
        model, stage = name.split(":")
        sizes = ["--batch", str(options.batch), "--rounds", str(options.rounds)]
        figure = figures([program, "bench-pretrain", stage, "--model", model, *sizes])[0]
        show("pretrain", rounded(figure, 4) | load())
