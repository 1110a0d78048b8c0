"""What the benchmarks of the control plane stand on: private servers, a daemon, tables full of jobs."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from .programs import ROOT, add_numbers, programs, say

FULL_TABLES = """
    insert into atelier.workers (id, name, host, state_directory, pid, slots, gone_at)
        values ('00000000-0000-0000-0000-000000000001', 'gone', 'gone', '/gone', 1, 1, now());
    with jobs as (
        insert into atelier.jobs (message_id, tenant, kind, spec, state, attempt, created_at, started_at, finalized_at,
                result, error_code, error_message)
            select 'finished ' || n, 'tenant ' || n % 20, case when n % 3 = 0 then 'personalize' else 'generate' end,
                jsonb_build_object('concept', jsonb_build_object('name', 'c' || n)),
                case when n % 50 = 0 then 'discarded' else 'completed' end::atelier.job_state, 1,
                t, t + interval '2 seconds', t + interval '30 seconds',
                case when n % 50 <> 0 then '{{"metrics":{{"loss":0.1,"clip_t":0.3}}}}'::jsonb end,
                case when n % 50 = 0 then 'engine.crash' end, case when n % 50 = 0 then 'as planned' end
            from generate_series(1, {finished}) n, lateral (select now() - n * interval '6 seconds' as t) w
            returning *),
    tries as (
        insert into atelier.attempts (job, attempt, worker, started_at, ended_at, outcome, error_code, error_message)
            select id, 1, '00000000-0000-0000-0000-000000000001', started_at, finalized_at,
                case state when 'completed' then 'completed' else 'crashed' end::atelier.attempt_outcome,
                error_code, error_message from jobs),
    pictures as (
        insert into atelier.artifacts (job, name, role, media_type, sha256, bytes)
            select id, 'picture-1.png', 'picture', 'image/png', encode(sha256(id::text::bytea), 'hex'), 10000
            from jobs where state = 'completed'),
    sent as (
        insert into atelier.outbox (job, event, exchange, routing_key, body, created_at, confirmed_at)
            select id, 'completed', 'events', 'x.y.completed', '{{}}', finalized_at, finalized_at from jobs)
    insert into atelier.job_events (job, event)
        select id, e from jobs, unnest(array['accepted', 'started', 'completed']) e;
    insert into atelier.jobs (message_id, tenant, kind, spec, priority)
        select 'waiting ' || n, 'tenant ' || n % 20, 'generate',
            '{{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a dog"]}}', n % 10
        from generate_series(1, {waiting}) n;
"""


def add_table_options(parser):
    add_numbers(
        parser,
        ("finished", 100_000, "finished jobs in full tables"),
        ("waiting", 10_000, "waiting jobs in full tables"),
    )


@contextlib.contextmanager
def started():
    """A stage that is ended afterwards; what its daemon said last is shown where a program failed."""
    with tempfile.TemporaryDirectory(prefix="atelier-bench.") as folder:
        stage = Stage(folder)
        try:
            stage.start()
            yield stage
        except subprocess.CalledProcessError:
            if stage.log.exists():
                say("the daemon's last lines:\n" + "\n".join(stage.log.read_text().splitlines()[-20:]))
            raise
        finally:
            stage.end()


class Stage:
    """Private servers with a daemon on them, whose engine only sleeps: engines are not what is measured."""

    def __init__(self, folder):
        self.folder, self.programs, self.daemon = pathlib.Path(folder), programs(), None
        self.log = self.folder / "atelierd.log"

    def start(self):
        self.folder.chmod(0o755)
        servers = self.folder / "servers"
        subprocess.run([str(ROOT / "ops" / "servers"), "start", str(servers)], check=True, stdout=sys.stderr)
        lines = (servers / "servers.env").read_text().splitlines()
        engine = self.folder / "engine"
        engine.write_text("#!/bin/sh\n[ $1 = work ] || exit 64\nexec sleep 1000000\n")
        engine.chmod(0o755)
        self.environment = {
            **os.environ,
            **dict(line.split("=", 1) for line in lines),
            "ATELIER_STATE_DIRECTORY": str(self.folder / "state"),
            "ATELIER_MODELS": str(ROOT / "models"),
            "ATELIER_ENGINE": str(engine),
            "ATELIER_FREE_DISK_MIB": "0",
            "ATELIER_GRACE_SECONDS": "1",
        }
        self.control("migrate")
        with open(self.log, "w") as log:
            self.daemon = subprocess.Popen(
                [f"{self.programs}/atelierd", "run"], env=self.environment, stderr=log, stdin=subprocess.DEVNULL
            )
        self.control("probe", "--timeout", "30", attempts=30)

    def control(self, *words, attempts=1):
        for attempt in range(attempts):
            run = subprocess.run(
                [f"{self.programs}/atelierctl", *words], env=self.environment, capture_output=True, text=True
            )
            if run.returncode == 0 or attempt == attempts - 1:
                run.check_returncode()
                return run.stdout
            time.sleep(0.5)

    def sql(self, text):
        return subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.environment["ATELIER_POSTGRES_URL"]],
            input=text,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def probe(self, *words):
        return json.loads(self.control("probe", "--json", "--timeout", "120", *words))

    def fill(self, options):
        """Puts --finished and --waiting jobs into the tables."""
        self.sql(FULL_TABLES.format(finished=options.finished, waiting=options.waiting) + "; analyze;")

    def end(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(90)
        subprocess.run([str(ROOT / "ops" / "servers"), "stop", str(self.folder / "servers")], stdout=subprocess.DEVNULL)
