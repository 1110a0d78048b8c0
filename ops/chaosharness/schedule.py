"""Which fault strikes when: a list that depends on nothing but the seed and two numbers."""

import dataclasses
import random

# How often a kind comes beside the others, once each has come once.
KINDS = {
    "daemon.kill": 3,
    "daemon.freeze": 3,
    "daemon.restart": 2,
    "engine.kill": 3,
    "engine.freeze": 2,
    "rabbitmq.restart": 1,
    "rabbitmq.kill": 2,
    "postgresql.restart": 1,
    "postgresql.kill": 2,
    "link.cut": 3,
    "link.stall": 3,
    "link.half-open": 2,
    "link.mute": 4,
    "disk.full": 2,
    "disk.hung": 2,
    "models.away": 2,
    "daemon.unheard": 1,
    "clock.jump": 3,
    "messages.duplicated": 2,
    "messages.reordered": 1,
    "messages.malformed": 2,
    "messages.oversized": 1,
    "messages.poisoned": 1,
    "messages.unstorable": 2,
    "messages.unsendable": 2,
    "messages.hostile": 2,
    "messages.without-postgresql": 1,
}
# Of faults that last, one or the other: both sides of the lease.
SECONDS = {
    "daemon.freeze": (1, 9),
    "engine.freeze": (1, 4),
    "link.stall": (1, 9),
    "link.mute": (0.2, 1.5),
    "disk.full": (2, 6),
    "disk.hung": (3, 12),
    "models.away": (3, 10),
    "daemon.unheard": (2, 8),
    "messages.unstorable": (2, 14),
    "clock.jump": (1, 4),
}
JUMPS = (-86_400, -3600, -20, 5, 60, 3600, 86_400)


@dataclasses.dataclass
class Fault:
    number: int
    kind: str
    after: int  # so many jobs were published
    daemon: int  # which of the two, where that matters
    server: str  # which link, where that matters
    seconds: float  # how long it lasts, where it lasts
    jump: int  # by how much a clock is off
    clock: str  # whose
    began: float = 0
    ended: float = 0
    note: str = ""


def plan(seed, jobs, faults):
    """Every kind once, in a random order, before any comes again; spread evenly over the jobs."""
    dice = random.Random(f"faults {seed}")
    kinds = dice.sample(list(KINDS), len(KINDS))
    kinds = (kinds + dice.choices(list(KINDS), list(KINDS.values()), k=max(0, faults - len(kinds))))[:faults]
    return [fault(dice, number, kind, (number + 1) * jobs // (faults + 1)) for number, kind in enumerate(kinds)]


def fault(dice, number, kind, after):
    return Fault(
        number + 1,
        kind,
        after,
        dice.randrange(2),
        dice.choice(("rabbitmq", "postgresql")),
        round(dice.uniform(*SECONDS.get(kind, (0, 0))), 1),
        dice.choice(JUMPS),
        dice.choice(("postgresql", "daemon 0", "daemon 1", "all")),
    )
