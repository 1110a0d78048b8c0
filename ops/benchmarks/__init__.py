"""The benchmarks of ops/bench, a file each: its docstring says what it measures and prints, HELP says it in a line,
add_options(parser) what it takes, run(options) does it. Beside them what they share: `programs` runs ours and peers'
and prints figures, `stage` has private servers and full tables.
"""
