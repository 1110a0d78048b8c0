"""A job of each kind on the embedded models, on one thread: what `atelierctl estimate` counted beside what it took:
{"bench":"estimates","job":…,"seconds":…,"took":…,"ratio":took/seconds,"mb":…,"took_mb":…,"load":…}; `took` is processor
time, which whatever else runs stretches less than the clock's. Nothing is corrected by earlier jobs.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from .programs import ROOT, load, programs, show

HELP = "what a job of each kind was counted to take beside what it took"


def add_options(parser):
    parser.add_argument("only", nargs="*", metavar="JOB", help="jobs by name; all when left out")


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


class Workspace:
    """A folder in which jobs are estimated and done, each in a folder of its own name, with no server."""

    def __init__(self, folder):
        self.folder, self.programs = pathlib.Path(folder), pathlib.Path(programs())
        self.environment = {**os.environ, "ATELIER_MODELS": str(ROOT / "models"), "ATELIER_ENGINE_THREADS": "1"}
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
        """Does the job that was estimated last; gives what it used of the machine."""
        command = self.control("run", str(self.job), "--out", str(self.folder / name), *self.given(adapters))
        run = subprocess.Popen(command, env=self.environment, stdout=sys.stderr)
        _, status, usage = os.wait4(run.pid, 0)
        if status:
            sys.exit(f"bench: {name} failed")
        return usage


def run(options):
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder)
        jobs = sample_jobs(workspace.paint_references())
        strange = [job for job in options.only if job not in jobs]
        if strange:
            sys.exit(f"bench: no job is called {', '.join(strange)}; there are {', '.join(jobs)}")
        needed = {earlier for job in options.only or jobs for earlier in jobs[job][1].values()}
        for job, (body, adapters) in jobs.items():
            if options.only and job not in {*options.only, *needed}:
                continue
            estimate, usage = workspace.estimate(body, adapters), workspace.do(job, adapters)
            took = usage.ru_utime + usage.ru_stime
            line = {
                "job": job,
                "seconds": round(estimate["seconds"], 1),
                "took": round(took, 1),
                "ratio": round(took / estimate["seconds"], 2),
                "mb": estimate["memory_bytes"] >> 20,
                "took_mb": usage.ru_maxrss >> 10,
            }
            show("estimates", line | load())
