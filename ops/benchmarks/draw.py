"""A picture of each model, alone and among eight, with the guidance that jobs have:
{"bench":"draw","model":…,"family":…,"parameters_m":…,"ms":…,"ms_of_eight":…}.
"""

import json

from .programs import ROOT, add_numbers, figures, laboratory, load, rounded, show

HELP = "a picture of each model that draws"


def add_options(parser):
    add_numbers(parser, ("rounds", 5, "pictures of each; the best counts"))
    parser.add_argument("models", nargs="*", metavar="MODEL", help="folders of models/; all when left out")


def run(options):
    program = laboratory()
    folders = options.models or sorted(
        path.parent.name
        for path in (ROOT / "models").glob("*/model.json")
        if json.loads(path.read_text())["family"] in ("infinity", "chameleon", "llamagen", "diffusion")
    )
    for folder in folders:
        figure = figures([program, "bench-draw", str(ROOT / "models" / folder), "--rounds", str(options.rounds)])[0]
        show("draw", rounded(figure, 2) | load())
