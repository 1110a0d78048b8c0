"""Probes (durable jobs without an engine) through a daemon on private servers, and no-op tasks through Celery on the
same servers, in turn:
{"bench":"queue","tables":"empty","jobs_per_s":…,"peer_jobs_per_s":…,"ratio":…,"p50_ms":…,"p99_ms":…,"peer_p50_ms":…,
"peer_p99_ms":…,"load":…}; rates are the best of all rounds, latencies of one job at a time the best round's, `load` is
the machine's beside us. Then again with --finished and --waiting jobs in the tables ("tables":"full","share":rate/rate
with empty tables), once more while a message is delivered again and again that PostgreSQL cannot store
("tables":"poisoned","idle_p99_ms":…), and one line for each view of the dashboard: {"bench":"queue","view":…,"ms":…}.
Celery's program is celery_noop/drive.py in $ATELIER_PEERS or ../shared/peers; without it, our figures stand alone.
"""

import json
import subprocess

from . import stage as stages
from .programs import ROOT, add_numbers, load, peer_python, peer_script, show

HELP = "durable jobs a second and the latency of one, beside Celery"
POISON = """
create function public.time_out() returns trigger language plpgsql as $$
begin
    perform pg_sleep(1);
    raise query_canceled;
end $$;
create trigger time_out before insert on atelier.jobs for each row
    when (new.message_id = 'poison') execute function public.time_out();
"""


def add_options(parser):
    add_numbers(parser, ("jobs", 5000, "jobs at once"), ("rounds", 3, "runs of each; the best counts"))
    stages.add_table_options(parser)


def run(options):
    peers = peer_script("celery_noop/drive.py")
    command = [peer_python("celery", ["celery", "sqlalchemy", "psycopg2-binary"]), peers] if peers else None
    with stages.started() as stage:
        empty = measure(stage, options, command, "empty", None)
        stage.fill(options)
        measure(stage, options, None, "full", empty)
        poisoned(stage, options)
        views(stage)


def measure(stage, options, command, tables, empty):
    """One line: the best of some rounds, ours and the peer's in turn. Gives our rate."""
    rate, latency, peer_figure, peer_latency = 0, None, None, None
    for _ in range(options.rounds):
        rate = max(rate, stage.probe("--together", "--count", str(options.jobs))["per_second"])
        figure = stage.probe("--count", "500")
        latency = min(latency or (1e9, 0), (figure["p99_ms"], figure["p50_ms"]))
        if command:
            peer = celery(stage, command, max(500, options.jobs // 5))
            peer_figure = max(peer_figure or 0, peer["jobs_per_s"])
            peer_latency = min(peer_latency or (1e9, 0), (peer["p99_ms"], peer["p50_ms"]))
    line = {"tables": tables, "jobs_per_s": round(rate), "p50_ms": latency[1], "p99_ms": latency[0]} | load()
    if command:
        line |= {
            "peer_jobs_per_s": peer_figure,
            "ratio": round(rate / peer_figure, 2),
            "peer_p50_ms": peer_latency[1],
            "peer_p99_ms": peer_latency[0],
        }
    if empty:
        line |= {"share": round(rate / empty, 2)}
    show("queue", line)
    return rate


def celery(stage, command, jobs):
    """Celery's own figures, on a virtual host and in tables of its own."""
    amqp = stage.environment["ATELIER_AMQP_URL"].rstrip("/") + "//"
    database = stage.environment["ATELIER_POSTGRES_URL"].replace("postgresql://", "postgresql+psycopg2://")
    output = subprocess.run([*command, str(jobs), amqp, database], check=True, capture_output=True, text=True).stdout
    # Its worker talks on the same stdout.
    return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])


def poisoned(stage, options):
    """One line: latencies of one job at a time beside a message whose insertion takes a second and then times out."""
    idle = min(stage.probe("--count", "500")["p99_ms"] for _ in range(options.rounds))
    stage.sql(POISON)
    message = stage.folder / "poison.json"
    message.write_text('{"version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["a red cat"]}')
    client = [str(ROOT / "ops" / "amqp-client"), "publish", str(message), "--id", "poison"]
    subprocess.run(client, env=stage.environment, check=True, stdout=subprocess.DEVNULL)
    figure = stage.probe("--count", "2000")
    line = {"tables": "poisoned", "p50_ms": figure["p50_ms"], "p99_ms": figure["p99_ms"], "idle_p99_ms": idle}
    show("queue", line)
    stage.sql("drop trigger time_out on atelier.jobs; drop function public.time_out()")


def views(stage):
    """One line for each view of the dashboard: the best of three times."""
    names = stage.sql(
        "select table_name from information_schema.views where table_schema = 'dashboard' order by 1"
    ).split()
    for view in names:
        output = stage.sql("\\timing on\n\\o /dev/null\n" + f"select * from dashboard.{view} limit 1000;\n" * 3)
        times = [float(line.split()[1]) for line in output.splitlines() if line.startswith("Time:")]
        show("queue", {"view": view, "ms": min(times)})
