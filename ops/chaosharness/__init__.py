"""The parts of ops/chaos: what to break and when (schedule, faults, proxy), what to do meanwhile (load), on what
(stage), and who finds out afterwards what became of it (witness, checker). Nothing here is Atelier's own code: a
mistake there must not hide itself here.
"""
