"""What is published: jobs whose outcome is known beforehand, and messages that are none."""

import base64
import contextlib
import dataclasses
import json
import random
import struct
import time
import uuid
import zlib

import pika

# What answers to a message without a user may go to, and to one of the tenant atelier.
REPLIES = {"default": "reply.default.chaos", "atelier": "reply.atelier.chaos"}
METHODS = (
    ("arbooth", "pocket-infinity"),
    ("lora", "pocket-infinity"),
    ("lora", "pocket-chameleon"),
    ("coar", "pocket-chameleon"),
)


@dataclasses.dataclass
class Message:
    """One message with everything a publisher says of it."""

    id: str | None
    kind: str
    body: bytes
    properties: dict
    is_job: bool = True
    is_poison: bool = False

    @property
    def tenant(self):
        return self.properties.get("user_id", "default")

    @property
    def stored_id(self):
        """What the tables call it: no more than 200 characters of an id that is too long."""
        return self.id and self.id[:200]


def picture(dice, size=16):
    """A PNG of a disc on a ground, written down without anybody's library."""
    disc, ground, radius = [bytes(dice.randrange(256) for _ in range(3)) for _ in range(2)] + [dice.randrange(3, 8)]
    rows = b"".join(
        b"\0" + b"".join(disc if (x - 8) ** 2 + (y - 8) ** 2 < radius**2 else ground for x in range(size))
        for y in range(size)
    )
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def training(dice, number, iterations):
    method, model = METHODS[number % len(METHODS)]
    options = {"iterations": iterations, **({"layers": 1} if method == "coar" else {})}
    return {
        "version": 1,
        "kind": "personalize",
        "concept": {"name": f"c{number}", "role": "subject", "class": "dog"},
        "method": method,
        "model": model,
        "images": [{"png": base64.b64encode(picture(dice)).decode()} for _ in range(2)],
        "prompts": [f"a <c{number}> dog on the beach"],
        "seed": dice.randrange(1 << 32),
        "options": options,
    }


def generation(dice, number):
    return {
        "version": 1,
        "kind": "generate",
        "model": METHODS[number % len(METHODS)][1],
        "prompts": ["a red dog in the snow"],
        "seed": dice.randrange(1 << 32),
    }


def evenly(dice, counts):
    """So many of each kind, each spread over the whole run."""
    places = [((number + dice.random()) / count, kind) for kind, count in counts.items() for number in range(count)]
    return [kind for _, kind in sorted(places)]


class Load:
    """All jobs of a run, by seed: a tenth trainings (of a short run more), a twentieth drawings, the rest probes."""

    def __init__(self, seed, jobs, iterations):
        dice = random.Random(f"load {seed}")
        self.dice, self.run = dice, uuid.UUID(int=dice.getrandbits(128)).hex[:8]
        trainings, drawings = max(jobs // 10, min(jobs // 2, 40)), jobs // 20
        self.trainings = [
            json.dumps(training(dice, number, iterations)).encode()
            for number in range(min(trainings, max(8, jobs // 80)))
        ]
        self.drawings = [json.dumps(generation(dice, number)).encode() for number in range(min(drawings, 4))]
        probe = json.dumps({"version": 1, "kind": "probe"}).encode()
        kinds = evenly(dice, {"personalize": trainings, "generate": drawings, "probe": jobs - trainings - drawings})
        bodies = {"personalize": self.trainings, "generate": self.drawings, "probe": [probe]}
        seen = dict.fromkeys(bodies, 0)
        self.jobs = []
        for number, kind in enumerate(kinds):
            self.jobs.append(self.job(number, kind, bodies[kind][seen[kind] % len(bodies[kind])]))
            seen[kind] += 1

    def job(self, number, kind, body):
        properties = {
            "content_type": "application/json",
            "type": kind,
            "delivery_mode": 2,
            "priority": self.dice.randrange(10),
        }
        if self.dice.random() < 0.5:
            properties["user_id"] = "atelier"
        if self.dice.random() < 0.25:
            properties["reply_to"] = REPLIES[properties.get("user_id", "default")]
        return Message(f"{self.run}-{number}", kind, body, properties)

    def malformed(self, number):
        """Messages with mistakes of every sort; each body is one of its kind, so that its rejection can be found."""
        name = f"{self.run}-bad-{number}"
        good = {"version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": [name], "seed": 1}
        deep = "[" * 5000 + "]" * 5000
        picture = {
            "version": 1,
            "kind": "personalize",
            "concept": {"name": "bad", "role": "subject", "class": "dog"},
            "method": "arbooth",
            "model": "pocket-infinity",
            "prompts": [name],
            "seed": 1,
        }
        bodies = [
            b"{" + name.encode(),
            f'{{"{name}": {deep}}}'.encode(),
            b"\xff\xfe" + name.encode(),
            json.dumps([name]).encode(),
            json.dumps({**good, "kind": "<script>"}).encode(),
            json.dumps({**good, "version": 2}).encode(),
            json.dumps({**good, "seed": -1}).encode(),
            json.dumps({**good, "model": "'; drop table atelier.jobs; --"}).encode(),
            json.dumps({**good, "prompts": ["\u0000" + name]}).encode(),
            json.dumps({**picture, "images": [{"png": "bm90IGEgcGljdHVyZQ=="}]}).encode(),
            json.dumps({**picture, "images": [{"artifact": "../../etc/passwd"}]}).encode(),
        ]
        properties = {"content_type": "application/json", "delivery_mode": 2}
        messages = [
            Message(f"{name}-{place}", "bad", body, dict(properties), False) for place, body in enumerate(bodies)
        ]
        good = json.dumps(good).encode()
        messages += [
            Message(None, "bad", good, dict(properties), False),
            Message(name + "x" * 200, "bad", good, dict(properties), False),
            Message(f"{name}-priority", "bad", good, {**properties, "priority": 200}, False),
            Message(f"{name}-type", "bad", good, {**properties, "type": "probe"}, False),
            Message(f"{name}-content", "bad", good, {**properties, "content_type": "text/html"}, False),
            Message(f"{name}-time", "bad", good, {**properties, "headers": {"deadline": "tomorrow"}}, False),
        ]
        return self.dice.sample(messages, len(messages))

    def oversized(self, number):
        return [
            Message(
                f"{self.run}-huge-{number}-{size}",
                "huge",
                b" " * size,
                {"content_type": "application/json", "delivery_mode": 2},
                False,
            )
            for size in ((1 << 20) + 1, 3 << 20)
        ]

    def unstorable(self, number):
        """A job like any other, but for what PostgreSQL is told of its id."""
        return Message(
            f"{self.run}-unstorable-{number}",
            "probe",
            b'{"version":1,"kind":"probe"}',
            {"content_type": "application/json", "delivery_mode": 2},
        )

    def hostile(self, number):
        """What a tenant may publish and must not get: answers into other queues, a pointer without end."""
        name = f"{self.run}-hostile-{number}"
        properties = {"content_type": "application/json", "delivery_mode": 2, "user_id": "eve"}
        probe = {"version": 1, "kind": "probe"}
        good = json.dumps(probe).encode()
        queues = ("atelier.jobs", "atelier.results", REPLIES["atelier"])
        messages = [
            Message(f"{name}-{place}", "bad", good, {**properties, "reply_to": queue}, False)
            for place, queue in enumerate(queues)
        ]
        long = json.dumps({**probe, name + "/~" * 200_000: 1}).encode()
        many = json.dumps({**probe, **{f"{name}-{field}": 0 for field in range(5000)}}).encode()
        return messages + [
            Message(f"{name}-long", "bad", long, dict(properties), False),
            Message(f"{name}-many", "bad", many, dict(properties), False),
        ]

    def poison(self, number):
        return Message(
            f"{self.run}-poison-{number}",
            "probe",
            b'{"version":1,"kind":"probe"}',
            {"content_type": "application/json", "delivery_mode": 2},
            True,
            True,
        )


class Publisher:
    """An ordinary client with confirms: what is not confirmed is published again under its id, until it is."""

    def __init__(self, url, declares=True):
        self.url, self.connection, self.declares = url, None, declares
        self.accepted = {}  # what the broker confirmed, by id
        self.position = 0  # the next of the load's jobs

    def connect(self):
        self.connection = pika.BlockingConnection(
            pika.URLParameters(self.url + "?heartbeat=10&socket_timeout=10&blocked_connection_timeout=30")
        )
        self.channel = self.connection.channel()
        for queue in REPLIES.values() if self.declares else ():
            self.channel.queue_declare(queue, durable=True)
        self.channel.confirm_delivery()

    def publish(self, message, patience=300):
        end = time.monotonic() + patience
        while True:
            try:
                if self.connection is None:
                    self.connect()
                self.channel.basic_publish(
                    "atelier",
                    "jobs",
                    message.body,
                    pika.BasicProperties(message_id=message.id, **message.properties),
                    mandatory=True,
                )
                break
            except (pika.exceptions.AMQPError, OSError) as problem:
                self.connection = None
                if time.monotonic() > end:
                    raise RuntimeError(f"{message.id} could not be published: {problem!r}") from problem
                time.sleep(0.2)
        self.accepted[message.id or message.body] = message

    def waiting(self, queue):
        """How many messages a queue has to give."""
        if self.connection is None:
            self.connect()
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def close(self):
        if self.connection:
            with contextlib.suppress(pika.exceptions.AMQPError, OSError):
                self.connection.close()
        self.connection = None
