"""Everything real: private servers, two daemons behind links of their own, a small disk for the artifacts, models far
too small to paint.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import psycopg2

from . import proxy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
LEASE = 4
DISK_MIB = 192
MESSAGE_BYTES = 4_000_000  # the most that RabbitMQ takes; the outbox's larger ones are set aside


class Clock:
    """The wall clock of some processes: libfaketime adds what a file says. Monotonic clocks go on as they are, as when
    a real clock is set.
    """

    def __init__(self, folder, name):
        self.file = folder / f"clock-{name.replace(' ', '-')}"
        self.set(0)

    def set(self, seconds):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.chmod(0o644)
        fresh.rename(self.file)

    @property
    def environment(self):
        if not FAKETIME.exists():
            return {}
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


class Manager:
    """What a daemon takes for systemd: a socket whose notifications are read, or not."""

    def __init__(self, path):
        self.path, self.reads = path, threading.Event()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o777)
        self.reads.set()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            self.reads.wait()
            self.socket.recv(4096)


class Daemon:
    """One atelierd: state folder, name, links, models and clock of its own."""

    def __init__(self, stage, number):
        self.number, self.folder, self.log = (
            number,
            stage.folder / f"daemon-{number}",
            stage.folder / f"daemon-{number}.log",
        )
        self.folder.mkdir()
        self.manager = Manager(self.folder / "notify")
        self.models = self.folder / "models"
        shutil.copytree(stage.models, self.models)
        self.links = {
            "rabbitmq": stage.proxies.link(stage.amqp.port),
            "postgresql": stage.proxies.link(stage.postgres.port),
        }
        self.clock = Clock(stage.folder, f"daemon {number}")
        self.program = f"{stage.programs}/atelierd"
        self.environment = {
            **stage.settings,
            **self.clock.environment,
            "ATELIER_WORKER_NAME": f"daemon-{number}",
            "ATELIER_STATE_DIRECTORY": str(self.folder),
            "ATELIER_MODELS": str(self.models),
            "NOTIFY_SOCKET": str(self.manager.path),
            "WATCHDOG_USEC": "1000000",
            "ATELIER_SHARED_DIRECTORY": str(stage.shared),
            "ATELIER_AMQP_URL": stage.amqp.through(self.links["rabbitmq"].port),
            "ATELIER_POSTGRES_URL": stage.postgres.through(
                self.links["postgresql"].port, user="chaos_daemon", password="chaos"
            ),
        }
        self.lock, self.is_wanted, self.process = threading.RLock(), False, None

    def start(self):
        with self.lock, open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [self.program, "run"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            self.is_wanted, self.born = True, time.monotonic()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        with self.lock:
            self.is_wanted = False
            self.process.kill()
            self.process.wait()

    def drain(self):
        """A stop as an operator asks for it; gives what is wrong with how it ended, if anything."""
        self.is_wanted = False
        self.process.terminate()
        try:
            status = self.process.wait(120)
            is_young = (
                status == -signal.SIGTERM and time.monotonic() - self.born < 10
            )  # it did not listen yet, and had done nothing
            return (
                f"daemon {self.number} was asked to stop and ended with status {status}"
                if status and not is_young
                else None
            )
        except subprocess.TimeoutExpired:
            self.kill()
            return f"daemon {self.number} was asked to stop and had to be killed after 120 s"

    def has_died(self):
        return self.is_wanted and self.process.poll() is not None

    def engines(self):
        """Its running engines: pid, job, attempt."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError, IndexError, ValueError):
                if (
                    entry.name.isdigit()
                    and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == self.process.pid
                ):
                    folder = os.readlink(entry / "cwd").split("/")
                    if folder[-3] == "work":
                        found.append((int(entry.name), folder[-2], int(folder[-1])))
        return found


class Address:
    """A server's URL, taken apart as far as links need it."""

    def __init__(self, url):
        self.url, self.scheme = url, url.split("://")[0]
        credentials, place = url.split("://")[1].split("@")
        self.user, self.password = credentials.split(":")
        self.port, self.path = int(place.split("/")[0].split(":")[1]), place.split("/", 1)[1]

    def through(self, port, user=None, password=None):
        return f"{self.scheme}://{user or self.user}:{password or self.password}@127.0.0.1:{port}/{self.path}"


class Stage:
    def __init__(self, folder, programs, say):
        self.folder, self.programs, self.say = pathlib.Path(folder), programs, say
        self.folder.chmod(0o755)
        self.database_clock = Clock(self.folder, "postgresql")
        self.proxies = proxy.Proxies()
        self.disk, self.is_mounted = self.folder / "disk", False
        self.daemons, self.deaths = [], []

    def begin(self):
        self.make_disk()
        self.servers("start", "rabbitmq")
        self.servers("start", "postgresql")
        values = dict(line.split("=", 1) for line in (self.folder / "servers" / "servers.env").read_text().splitlines())
        self.amqp, self.postgres = Address(values["ATELIER_AMQP_URL"]), Address(values["ATELIER_POSTGRES_URL"])
        self.models = self.folder / "models"
        subprocess.run([f"{self.programs}/tiny-models", str(self.models)], check=True)
        self.make_tenant()
        self.settings = {
            "PATH": "/usr/bin:/bin",
            "ATELIER_ENGINE": f"{self.programs}/atelier-engine",
            "ATELIER_MODELS": str(self.models),
            "ATELIER_USER_ID": "optional",
            "ATELIER_ENGINE_THREADS": "1",
            "ATELIER_ENGINE_NICE": "0",
            "ATELIER_CHECKPOINT_SECONDS": "1",
            "ATELIER_LEASE_SECONDS": str(LEASE),
            "ATELIER_HEARTBEAT_SECONDS": "0.5",
            "ATELIER_POLL_SECONDS": "0.5",
            "ATELIER_GRACE_SECONDS": "20",
            "ATELIER_DRAIN_SECONDS": "60",
            "ATELIER_MESSAGE_MIB": "1",
            "ATELIER_FREE_DISK_MIB": "8",
            "ATELIER_TRAINING_SLOTS": "1",
            # A clock that jumps by a day must not make history of what is to be checked.
            **{
                f"ATELIER_KEEP_{what}_DAYS": "0"
                for what in ("COMPLETED", "DISCARDED", "PROBES", "MESSAGES", "REJECTIONS")
            },
        }
        self.control("migrate", ATELIER_POSTGRES_URL=self.postgres.url)
        self.sql((ROOT / "ops" / "chaosharness" / "witness.sql").read_text())
        self.sql("create role chaos_daemon login password 'chaos' in role atelier_daemon")
        self.daemons = [Daemon(self, number) for number in (0, 1)]
        for daemon in self.daemons:
            daemon.start()

    def make_disk(self):
        """A file system of the artifacts' own, small enough to be filled; without the right to mount one, a folder that
        can be locked.
        """
        self.disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "chaos", str(self.disk)]
        self.is_mounted = subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
        if not self.is_mounted:
            self.say("no right to mount a small disk: instead of filling it the artifact folder is made read-only")
        self.artifacts = self.disk / "artifacts"
        self.artifacts.mkdir()
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        (self.shared / "artifacts").symlink_to(self.artifacts)

    def make_tenant(self):
        """A RabbitMQ user with a tenant's rights, as docs/installation.md has them, who means no good."""
        own = r"reply\.eve(\..*)?"
        write = rf"^(atelier|atelier\.control|{own})$"
        for words in (
            ("add_user", "eve", "eve"),
            ("set_permissions", "eve", f"^{own}$", write, rf"^(atelier\.events|{own})$"),
        ):
            program = [str(ROOT / "ops" / "servers"), "rabbitmqctl", str(self.folder / "servers"), *words]
            subprocess.run(program, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        self.eve = self.amqp.through(self.amqp.port, user="eve", password="eve")

    def servers(self, command, server=None, check=True):
        words = [str(ROOT / "ops" / "servers"), command, str(self.folder / "servers"), *([server] if server else [])]
        environment = {
            **os.environ,
            "ATELIER_RABBITMQ_MESSAGE_BYTES": str(MESSAGE_BYTES),
            **({"ATELIER_POSTGRES_PROGRAM": str(self.make_postgres())} if self.database_clock.environment else {}),
        }
        run = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if check and run.returncode != 0:
            raise RuntimeError(f"ops/servers {command} {server}: {run.stderr}")

    def make_postgres(self):
        """PostgreSQL under its bent clock. Nothing of ops/servers itself runs under it."""
        program, real = self.folder / "postgres", sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))[-1]
        if not program.exists():
            words = " ".join(f"{name}='{value}'" for name, value in self.database_clock.environment.items())
            program.write_text(f'#!/bin/sh\nexec env {words} {real} "$@"\n')
            program.chmod(0o755)
        return program

    def control(self, *words, **environment):
        run = subprocess.run(
            [f"{self.programs}/atelierctl", *words],
            env={**self.settings, **environment},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if run.returncode != 0:
            raise RuntimeError(f"atelierctl {' '.join(words)}: {run.stderr}")
        return run.stdout

    def sql(self, text, values=None, patience=120):
        """Rows of one script, by a connection of its own to the server itself; asked again while the server is away."""
        end = time.monotonic() + patience
        while True:
            try:
                with contextlib.closing(psycopg2.connect(self.postgres.url, connect_timeout=5)) as connection:
                    with connection, connection.cursor() as cursor:
                        cursor.execute(text, values)
                        return cursor.fetchall() if cursor.description else []
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def undisturbed(self, body):
        """What the engine alone makes of a job, without servers and faults: SHA-256 of the bytes by name."""
        name = hashlib.sha256(body).hexdigest()[:16]
        out, file = self.folder / "undisturbed" / name, self.folder / "undisturbed" / f"{name}.json"
        out.mkdir(parents=True)
        file.write_bytes(body)
        events = [json.loads(line) for line in self.control("run", str(file), "--out", str(out), "--json").splitlines()]
        return {
            event["name"]: hashlib.sha256(pathlib.Path(event["path"]).read_bytes()).hexdigest()
            for event in events
            if event["event"] == "artifact"
        }

    def revive(self):
        """As systemd would: whoever died by himself is started again, and that is a finding."""
        for daemon in self.daemons:
            if daemon.has_died():
                self.deaths.append(f"daemon {daemon.number} ended by itself with status {daemon.process.returncode}")
                daemon.start()

    def left_behind(self):
        """Processes that still work in the folder of a daemon that is gone."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.readlink(entry / "cwd").startswith(f"{self.shared}/work/"):
                    found.append(f"process {entry.name} still runs in {os.readlink(entry / 'cwd')}")
        return found

    def calm(self):
        """Nothing is broken any more."""
        for daemon in self.daemons:
            for link in daemon.links.values():
                link.resume()
            daemon.manager.reads.set()
            daemon.clock.set(0)
        self.database_clock.set(0)

    def end(self):
        for daemon in self.daemons:
            if daemon.process and daemon.process.poll() is None:
                daemon.signal(signal.SIGCONT)
                daemon.kill()
        if (self.folder / "servers").exists():
            self.servers("stop", check=False)
        for left in (
            *pathlib.Path("/dev/shm").glob("faketime_shm_*"),
            *pathlib.Path("/dev/shm").glob("sem.faketime_sem_*"),
        ):
            if not pathlib.Path("/proc", left.name.rsplit("_", 1)[1]).exists():
                left.unlink(missing_ok=True)  # what libfaketime leaves of killed processes
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.disk)])
