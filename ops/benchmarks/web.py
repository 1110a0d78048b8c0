"""The time of each page of atelier-web, a page at a time over a connection that is kept, with --finished and --waiting
jobs in the tables: {"bench":"web","page":…,"ms":…,"p95_ms":…,"worst_ms":…,"first_ms":…,"bytes":…}; `ms` is the middle
one.
"""

import contextlib
import http.client
import statistics
import subprocess
import sys
import time

from . import stage as stages
from .programs import ROOT, add_numbers, show

HELP = "the time of each page of the web program with full tables"


def add_options(parser):
    add_numbers(parser, ("rounds", 30, "times each page is asked for"))
    stages.add_table_options(parser)


def run(options):
    with stages.started() as stage:
        stage.fill(options)
        with served(stage) as connection:
            for page in pages(stage):
                show("web", measure(connection, page, options.rounds))


@contextlib.contextmanager
def served(stage):
    """A connection to a web program of its own, which reads as those do who only look on."""
    stage.sql("create role bench_reader login password 'bench' in role atelier_reader")
    server = stage.environment["ATELIER_POSTGRES_URL"].split("@", 1)[1]
    port = stage.folder / "port"
    environment = stage.environment | {
        "ATELIER_POSTGRES_URL": f"postgresql://bench_reader:bench@{server}",
        "ATELIER_WEB_PORT": "0",
    }
    with open(stage.folder / "atelier-web.log", "w") as log:
        program = subprocess.Popen(
            [f"{stage.programs}/atelier-web", "run", "--port-file", str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=ROOT,
        )
    try:
        while not port.exists():
            time.sleep(0.05)
        yield http.client.HTTPConnection("127.0.0.1", int(port.read_text()), timeout=30)
    finally:
        program.terminate()
        program.wait(30)


def measure(connection, page, rounds):
    """The line of one page."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        connection.request("GET", page, headers={"Accept": "text/html"})
        answer = connection.getresponse()
        body = answer.read()
        times.append(1000 * (time.perf_counter() - begin))
        if answer.status != 200:
            sys.exit(f"bench: {page} answers {answer.status}: {body[:300]}")
    return {
        "page": page,
        "ms": round(statistics.median(times), 1),
        "p95_ms": round(sorted(times)[int(0.95 * (len(times) - 1))], 1),
        "worst_ms": round(max(times), 1),
        "first_ms": round(times[0], 1),
        "bytes": len(body),
    }


def pages(stage):
    """Every page, and the lists that are narrowed in every way: by what is frequent, rare and not there."""
    job = stage.sql("select id from atelier.jobs where kind = 'personalize' limit 1").strip()
    middle = stage.sql(
        "select replace(replace(to_jsonb(created_at)#>>'{}', '+', '%2B'), ':', '%3A') || '_' || number"
        " from atelier.jobs order by created_at offset 50000 limit 1"
    ).strip()
    plain = "/ /?part=live /jobs /concepts /playground /compare /failures /rejections /dead /models /new /runbook"
    lists = [
        "state=discarded", "state=available", "state=running", "kind=personalize", "tenant=tenant%207", "text=c777",
        "text=nothing-like-it", "error=engine.crash", "error=engine.hang", "since=2020-01-01&until=2020-02-01",
        f"before={middle}",
    ]  # fmt: skip
    return (
        plain.split() + [f"/jobs?{one}" for one in lists] + [f"/jobs/{job}", "/api/jobs", "/api/queue", "/metrics"]
    )
