"""Compares what two runs of kernels.c print: compare.py OWN OTHER NAME.

Numbers may differ by a hundred-thousandth of the largest of their line, for sums are added in another order; those of
attention that rounds by a hundredth, for probabilities and gradients are rounded to bfloat16 (eight bits) between sums,
those of a processor without it are not, and one that lies between two may become either.
"""
import math
import sys

own, other, name = sys.argv[1:]
ROUNDED_BETWEEN = {"attention_bfloat16", "attention_bfloat16_backward"}
lines, worst, numbers = 0, 0.0, 0
for mine, theirs in zip(open(own), open(other), strict=True):
    label, *expected = mine.split()
    same, *got = theirs.split()
    if label != same or len(expected) != len(got):
        sys.exit(f"{name}: {label} and {same} are no pair")
    expected, got = [float(x) for x in expected], [float(x) for x in got]
    largest = max((abs(x) for x in expected if math.isfinite(x)), default=0)
    error = max((abs(a - b) for a, b in zip(expected, got)), default=0) / max(largest, 1e-30)
    if not error <= (1e-2 if label in ROUNDED_BETWEEN else 1e-5):
        sys.exit(f"{name}: {label} differs by {error:.3g} of its largest number")
    lines, worst, numbers = lines + 1, max(worst, error), numbers + len(got)
if lines == 0:
    sys.exit(f"{name}: nothing was printed")
print(f"{name}: {lines} results, {numbers} numbers, the largest difference {worst:.1e} of a line's largest number")
