#!/usr/bin/python3
"""A whole engine of Atelier in plain Python, to start one of your own from: on a GPU, in another framework.

Set it as the setting `engine` (ATELIER_ENGINE). It learns a concept as the colours of its pictures, on any method and
model, and draws them as a gradient that the seed turns. docs/engine.md is the contract; where your model goes is marked
with HERE. Nothing but the standard library.

A line of JSON, the order, comes on stdin; lines of JSON, the events, go to stdout; everything else goes to stderr."""

import hashlib
import json
import math
import os
import signal
import struct
import sys
import threading
import time
import zlib

PROTOCOL = 1
STEPS = 150


def emit(event, **members):
    print(json.dumps({"event": event, **members}), flush=True)


class Failure(Exception):
    """A job that cannot be done: `rejected` for its own fault, `transient` to be tried again, `fatal` otherwise."""

    def __init__(self, code, consequence, message):
        super().__init__(message)
        self.code, self.consequence = code, consequence


class Interrupted(Exception):
    pass


def write(path, data):
    """Whole or not at all, and on the disk: a checkpoint or an artifact is announced only after that."""
    with open(path + ".new", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


# --- pictures


def pixels(path):
    """Rows of RGB values of a PNG of 8 bits a channel."""
    data = open(path, "rb").read()
    if not data.startswith(b"\x89PNG"):
        raise Failure("input.image", "rejected", f"{os.path.basename(path)} is no PNG, which is all this engine reads")
    place, packed, size, channels = 8, b"", None, 0
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(colour, 0)
            if depth != 8 or not channels or body[12]:
                raise Failure("input.image", "rejected", f"{os.path.basename(path)} is a PNG this engine cannot read")
            size = width, height
        elif kind == b"IDAT":
            packed += body
        place += length + 12
    raw, stride, above, rows = zlib.decompress(packed), size[0] * channels, bytearray(size[0] * channels), []
    for y in range(size[1]):
        line = bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        unfilter(raw[y * (stride + 1)], line, above, channels)
        rows.append([rgb(line[x : x + channels]) for x in range(0, stride, channels)])
        above = line
    return rows


def rgb(values):
    return tuple(values[:3]) if len(values) > 2 else (values[0],) * 3


def unfilter(kind, line, above, channels):
    for x in range(len(line)):
        left = line[x - channels] if x >= channels else 0
        corner = above[x - channels] if x >= channels else 0
        line[x] = (line[x] + (0, left, above[x], (left + above[x]) // 2, paeth(left, above[x], corner))[kind]) & 255


def paeth(left, above, corner):
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    body = b"".join(b"\0" + bytes(value for pixel in row for value in pixel) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def draw(colours, seed, side=64):
    """HERE your model draws."""
    angle, (low, high) = (seed % 360) * math.pi / 180, colours
    rows = []
    for y in range(side):
        row = []
        for x in range(side):
            share = 0.5 + ((x / side - 0.5) * math.cos(angle) + (y / side - 0.5) * math.sin(angle)) * 0.7
            share = min(1, max(0, share))
            row.append(tuple(int(a + (b - a) * share) for a, b in zip(low, high)))
        rows.append(row)
    return rows


# --- adapters, in the form the daemon and everybody else reads: safetensors


def safetensors(colours):
    values = struct.pack("<6f", *colours[0], *colours[1])
    header = json.dumps(
        {"__metadata__": {"format": "pt"}, "colours": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    ).encode()
    return struct.pack("<Q", len(header)) + header + values


def colours_of(path):
    data = open(path, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    values = struct.unpack("<6f", data[start : start + 24])
    return values[:3], values[3:]


# --- jobs


class Engine:
    def __init__(self, order):
        self.order, self.spec, self.begin = order, order["spec"], time.monotonic()
        self.is_asked = False
        signal.signal(signal.SIGTERM, self.ask)

    def ask(self, *_):
        self.is_asked = True

    def run(self):
        emit("started", engine=f"example {PROTOCOL}", backbone=self.spec.get("model", "none"))
        kinds = {"personalize": self.personalize, "generate": self.generate}
        if self.spec["kind"] not in kinds:
            raise Failure("engine.kind", "fatal", f"this engine does not know how to {self.spec['kind']}")
        result = kinds[self.spec["kind"]]()
        peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) << 10
        emit("done", result=result, seconds=time.monotonic() - self.begin, peakMemoryBytes=peak)

    def personalize(self):
        seen = [pixel for path in self.order["images"] for row in pixels(path) for pixel in row]
        wanted = [sorted(seen, key=sum)[len(seen) * share // 10] for share in (2, 8)]
        first, learnt = 0, [[128.0] * 3, [128.0] * 3]
        if self.order.get("resume"):
            first, learnt = json.load(open(self.order["resume"]))
        checkpointed = time.monotonic()
        for step in range(first + 1, STEPS + 1):
            # HERE a training step. All that follows from it must be in the checkpoint: random numbers too.
            learnt = [[a + (b - a) * 0.2 for a, b in zip(*pair)] for pair in zip(learnt, wanted)]
            time.sleep(0.02)
            loss = sum(abs(a - b) for pair in zip(learnt, wanted) for a, b in zip(*pair)) / 6 / 255
            emit("progress", stage="train", step=step, steps=STEPS)
            if step % 5 == 0:
                emit("metric", step=step, values={"loss": loss})
            if self.is_asked or time.monotonic() - checkpointed > self.order["checkpointSeconds"]:
                self.checkpoint(step, learnt)
                checkpointed = time.monotonic()
        name = self.spec["concept"]["name"]
        adapter = write(f"{self.order['workspace']}/{name}.safetensors", safetensors(learnt))
        emit("artifact", role="adapter", name=f"{name}.safetensors", mediaType="application/vnd.safetensors", **adapter)
        self.pictures(self.spec.get("prompts", []), 1, lambda prompt: learnt)
        return {"concept": name, "metrics": {"loss": loss, "steps": STEPS}}

    def checkpoint(self, step, learnt):
        data = json.dumps([step, learnt]).encode()
        emit("checkpoint", step=step, **write(f"{self.order['workspace']}/checkpoint-{step}.json", data))
        if self.is_asked:
            emit("interrupted", step=step)
            raise Interrupted

    def generate(self):
        known = {name: colours_of(path) for name, path in self.order["adapters"].items()}
        grey = (60.0,) * 3, (200.0,) * 3

        def colours(prompt):
            return next((known[name] for name in known if f"<{name}>" in prompt), grey)

        count = self.pictures(self.spec["prompts"], self.spec.get("images_per_prompt", 1), colours)
        return {"metrics": {"pictures": count}}

    def pictures(self, prompts, each, colours):
        number = 0
        for prompt in prompts:
            for _ in range(each):
                if self.is_asked:
                    emit("interrupted", step=number)
                    raise Interrupted
                number += 1
                text = f"{self.spec.get('seed', 0)} {prompt} {number}".encode()
                seed = int.from_bytes(hashlib.sha256(text).digest()[:6], "big")
                name = f"picture-{number:03}.png"
                file = write(f"{self.order['workspace']}/{name}", png(draw(colours(prompt), seed)))
                emit("artifact", role="picture", name=name, mediaType="image/png", prompt=prompt, seed=seed, **file)
                emit("progress", stage="draw", step=number, steps=len(prompts) * each)
        return number


def leave_with_the_daemon():
    """The daemon's death closes stdin: nobody would ever read what is done then."""
    sys.stdin.read()
    os._exit(90)


def main():
    if sys.argv[1:2] == ["protocol"]:
        answer = {"version": PROTOCOL, "engine": "engine.py", "kinds": ["personalize", "generate"]}
        return print(json.dumps(answer), flush=True)
    if sys.argv[1:] != ["work"]:
        sys.exit(f"engine.py: {' '.join(sys.argv[1:]) or 'nothing'} is no word it knows; those are work and protocol")
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=leave_with_the_daemon, daemon=True).start()
    try:
        Engine(order).run()
    except Interrupted:
        pass
    except Failure as failure:
        emit("failed", code=failure.code, consequence=failure.consequence, message=str(failure))
    except Exception as problem:
        emit("failed", code="engine.error", consequence="transient", message=f"{type(problem).__name__}: {problem}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
