"""A job of each kind on the embedded models: what `atelierctl estimate` counted beside what it took:
{"bench":"estimates","job":…,"threads":…,"seconds":…,"took":…,"ratio":took/seconds,"mb":…,"took_mb":…,"disk_mb":…,
"took_disk_mb":…,"load":…}. On one thread `took` is processor time, which whatever else runs stretches less than the
clock's; on several it is the clock's. Disk is the most that lay in the job's folder at a time. Nothing is corrected by
earlier jobs.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from .programs import ROOT, add_numbers, load, programs, show

HELP = "what a job of each kind was counted to take beside what it took"


def add_options(parser):
    parser.add_argument("only", nargs="*", metavar="JOB", help="jobs by name; all when left out")
    add_numbers(parser, ("threads", 1, "of the engine; of more than one the clock's time is compared"))


def sample_jobs(noun):
    """Jobs by name, each with the adapters that earlier ones leave: {concept: job}."""
    references = [{"file": f"references/{number}.png"} for number in (1, 2, 3, 4)]
    subject = {"name": "rex", "role": "subject", "class": noun}
    prompts = [f"a red {noun} on the beach", "a blue cat in the snow", "a watercolour painting of a cat", "a dog"]

    def generate(model, pictures):
        return {"kind": "generate", "model": model, "prompts": prompts, "images_per_prompt": pictures // 4}, {}

    def personalize(method, model, **options):
        job = {"kind": "personalize", "method": method, "model": model, "concept": subject, "images": references}
        return job | {"options": options}, {}

    jobs = {
        "generate infinity": generate("pocket-infinity", 16),
        "generate chameleon": generate("pocket-chameleon", 8),
        "generate llamagen": generate("pocket-llamagen", 8),
        "generate diffusion": generate("pocket-diffusion", 8),
        "arbooth": personalize("arbooth", "pocket-infinity", iterations=60),
        "coar": personalize("coar", "pocket-chameleon", iterations=60),
    }
    for model in ("infinity", "chameleon", "llamagen", "diffusion"):
        jobs[f"lora {model}"] = personalize("lora", f"pocket-{model}", iterations=60)
    jobs["proxy-tuning"] = personalize(
        "proxy-tuning",
        "pocket-chameleon",
        supervisor="pocket-diffusion",
        proxies=16,
        supervisor_iterations=40,
        iterations=20,
    )
    style = {"name": "print", "role": "style", "class": "rabbit"}
    jobs["coar style"] = (
        personalize("coar", "pocket-chameleon", iterations=30)[0]
        | {"concept": style, "images": [{"file": "references/style.png"}]},
        {},
    )
    places = {"prompts": ["on the beach", "in the snow"], "images_per_prompt": 4}
    jobs["compose"] = (
        {"kind": "compose", "model": "pocket-chameleon", "subject": "rex", "style": "print"} | places,
        {"rex": "coar", "print": "coar style"},
    )
    wanted = {"prompts": [f"a <rex> {noun} on the beach", f"a <rex> {noun} in the snow"], "images_per_prompt": 4}
    jobs["evaluate"] = (
        {"kind": "evaluate", "model": "pocket-infinity", "concepts": ["rex"], "images": references} | wanted,
        {"rex": "arbooth"},
    )
    return jobs


def size(folder):
    """Bytes of all files in a folder from which files may go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def megabytes(count):
    return round(count / (1 << 20), 1)


class Workspace:
    """A folder in which jobs are estimated and done, each in a folder of its own name, with no server."""

    def __init__(self, folder, threads):
        self.folder, self.programs, self.threads = pathlib.Path(folder), pathlib.Path(programs()), threads
        places = {"ATELIER_MODELS": str(ROOT / "models"), "ATELIER_ENGINE_THREADS": str(threads)}
        self.environment = {**os.environ, **places}
        self.job = self.folder / "job.json"

    def control(self, *words):
        return [str(self.programs / "atelierctl"), *words]

    def paint_references(self):
        """Paints the pictures that the jobs learn from, and gives what they show."""
        references = self.folder / "references"
        painted = [str(self.programs / "atelier-lab"), "world", "--references", str(references)]
        subprocess.run([*painted, "--subject", "1"], check=True, stdout=sys.stderr)
        return (references / "class.txt").read_text().strip()

    def given(self, adapters):
        """The options that name what earlier jobs learnt."""
        return [
            word
            for concept, earlier in adapters.items()
            for word in ("--adapter", f"{concept}={self.folder / earlier / concept}.safetensors")
        ]

    def estimate(self, body, adapters):
        self.job.write_text(json.dumps({"version": 1, "seed": 7} | body))
        command = self.control("estimate", "--json", str(self.job), *self.given(adapters))
        run = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True)
        return json.loads(run.stdout)

    def do(self, name, adapters):
        """Does the job that was estimated last; gives seconds, bytes of memory and bytes of disk that it took."""
        out, largest, began = self.folder / name, 0, time.monotonic()
        command = self.control("run", str(self.job), "--out", str(out), *self.given(adapters))
        run = subprocess.Popen(command, env=self.environment, stdout=sys.stderr)
        ended = 0
        while not ended:
            time.sleep(0.05)
            ended, status, usage = os.wait4(run.pid, os.WNOHANG)
            largest = max(largest, size(out))
        if status:
            sys.exit(f"bench: {name} failed")
        processor, clock = usage.ru_utime + usage.ru_stime, time.monotonic() - began
        return processor if self.threads == 1 else clock, usage.ru_maxrss << 10, largest


def run(options):
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder, options.threads)
        jobs = sample_jobs(workspace.paint_references())
        strange = [job for job in options.only if job not in jobs]
        if strange:
            sys.exit(f"bench: no job is called {', '.join(strange)}; there are {', '.join(jobs)}")
        needed = {earlier for job in options.only or jobs for earlier in jobs[job][1].values()}
        for job, (body, adapters) in jobs.items():
            if options.only and job not in {*options.only, *needed}:
                continue
            estimate = workspace.estimate(body, adapters)
            took, memory, disk = workspace.do(job, adapters)
            line = {
                "job": job,
                "threads": options.threads,
                "seconds": round(estimate["seconds"], 1),
                "took": round(took, 1),
                "ratio": round(took / estimate["seconds"], 2),
                "mb": estimate["memory_bytes"] >> 20,
                "took_mb": memory >> 20,
                "disk_mb": megabytes(estimate["disk_bytes"]),
                "took_disk_mb": megabytes(disk),
            }
            show("estimates", line | load())
