"""What each fault does. Each one ends with everything whole again, but for what only the daemons can mend."""

import contextlib
import json
import os
import random
import signal
import threading
import time

import pika

from . import load

OF_A_DAEMON = ("daemon", "engine", "link", "models")
MOST_KILLS = 2  # of one job's engines: with a third one the job would be discarded, and rightly
BROKER_PATIENCE = 120  # seconds for the broker to come back from another fault, on a machine that is busy beside


class Faults:
    """Strikes faults, one or two at a time; never two on the same thing."""

    def __init__(self, stage, work, publisher, seed):
        self.stage, self.work, self.publisher = stage, work, publisher
        self.seed = seed
        self.locks = {
            name: threading.Lock() for name in ("rabbitmq", "postgresql", "daemon 0", "daemon 1", "disk", "clock")
        }
        self.unsendable = []  # rows of the outbox that the broker takes from nobody
        self.kills, self.running, self.begin, self.errors = {}, [], time.monotonic(), []

    def strike(self, fault):
        """Begins a fault; waits until there is room for it. Messages are published here and now, everything else goes
        on beside.
        """
        while len([one for one in self.running if one.is_alive()]) > 1:
            time.sleep(0.05)
        if fault.kind.startswith("messages."):
            self.do(fault)
        else:
            thread = threading.Thread(target=self.do, args=(fault,), name=fault.kind)
            thread.start()
            self.running = [one for one in self.running if one.is_alive()] + [thread]

    def wait(self):
        for thread in self.running:
            thread.join()

    def do(self, fault):
        group, act = fault.kind.split(".")
        with contextlib.ExitStack() as held:
            if group != "messages":
                held.enter_context(
                    self.locks[f"daemon {fault.daemon}" if group in OF_A_DAEMON else group]
                )
            self.meet_work(fault, group)
            fault.began = time.monotonic() - self.begin
            try:
                fault.note = getattr(self, f"{group}_{act.replace('-', '_')}")(fault) or ""
            except Exception as problem:  # the harness's own trouble must not look like a quiet run
                self.errors.append(f"fault {fault.number} ({fault.kind}): {problem!r}")
            fault.ended = time.monotonic() - self.begin

    def meet_work(self, fault, group):
        """A fault that meets an idle system finds little: some seconds are given to an engine to appear, where the
        fault is for one daemon there.
        """
        daemons = [self.daemon(fault)] if group in ("daemon", "link") else self.stage.daemons
        end = time.monotonic() + (0 if group in ("messages", "engine") else 3)
        while time.monotonic() < end and not any(daemon.engines() for daemon in daemons):
            time.sleep(0.05)

    def dice(self, fault):
        """Chances of one fault, whatever the others draw."""
        return random.Random(f"strike {self.seed} {fault.number}")

    def daemon(self, fault):
        return self.stage.daemons[fault.daemon]

    # Daemons.

    def daemon_kill(self, fault):
        self.daemon(fault).kill()
        self.daemon(fault).start()
        return f"daemon {fault.daemon}"

    def daemon_freeze(self, fault):
        daemon = self.daemon(fault)
        daemon.signal(signal.SIGSTOP)
        time.sleep(fault.seconds)
        daemon.signal(signal.SIGCONT)
        return f"daemon {fault.daemon} for {fault.seconds} s"

    def daemon_restart(self, fault):
        if problem := self.daemon(fault).drain():
            self.stage.deaths.append(problem)
        self.daemon(fault).start()
        return f"daemon {fault.daemon}"

    def daemon_unheard(self, fault):
        """The service manager does not read what the daemon notifies."""
        manager = self.daemon(fault).manager
        manager.reads.clear()
        time.sleep(fault.seconds)
        manager.reads.set()
        return f"daemon {fault.daemon} for {fault.seconds} s"

    def models_away(self, fault):
        """Only the other host has the model; this one does what it can without."""
        daemon = self.daemon(fault)
        model, aside = daemon.models / "pocket-infinity", daemon.folder / "away"
        model.rename(aside)
        time.sleep(fault.seconds)
        aside.rename(model)
        return f"daemon {fault.daemon} for {fault.seconds} s"

    # Engines.

    def engine(self, fault, can=lambda job: True):
        """An engine of the daemon, the other one's where it has none; waited for."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for daemon in (self.daemon(fault), self.stage.daemons[1 - fault.daemon]):
                engines = [engine for engine in daemon.engines() if can(engine[1])]
                if engines:
                    return self.dice(fault).choice(engines)
            time.sleep(0.02)
        return None

    def engine_kill(self, fault):
        engine = self.engine(fault, lambda job: self.kills.get(job, 0) < MOST_KILLS)
        if engine is None:
            return "no engine came within 20 s"
        pid, job, attempt = engine
        self.kills[job] = self.kills.get(job, 0) + 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return f"attempt {attempt} of job {job[:8]}"

    def engine_freeze(self, fault):
        engine = self.engine(fault)
        if engine is None:
            return "no engine came within 20 s"
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine[0], signal.SIGSTOP)
            time.sleep(fault.seconds)
            os.kill(engine[0], signal.SIGCONT)
        return f"attempt {engine[2]} of job {engine[1][:8]} for {fault.seconds} s"

    # Servers.

    def start(self, server):
        """On a machine with much other work a server may not come up in the time that it is given, and nothing after it
        would mean anything.
        """
        for last in (False, False, True):
            try:
                return self.stage.servers("start", server)
            except RuntimeError:
                if last:
                    raise

    def rabbitmq_restart(self, fault):
        self.stage.servers("stop", "rabbitmq")
        self.start("rabbitmq")

    def rabbitmq_kill(self, fault):
        self.stage.servers("kill", "rabbitmq")
        self.start("rabbitmq")

    def postgresql_restart(self, fault):
        self.stage.servers("stop", "postgresql")
        self.start("postgresql")

    def postgresql_kill(self, fault):
        self.stage.servers("kill", "postgresql")
        self.start("postgresql")

    # Links.

    def link(self, fault):
        return self.daemon(fault).links[fault.server]

    def between(self, fault):
        return f"daemon {fault.daemon} and {fault.server}"

    def link_cut(self, fault):
        return f"{self.link(fault).cut()} connections between {self.between(fault)}"

    def link_stall(self, fault):
        self.link(fault).stall()
        time.sleep(fault.seconds)
        self.link(fault).resume()
        return f"{self.between(fault)} for {fault.seconds} s"

    def link_half_open(self, fault):
        return f"{self.link(fault).half_open()} connections between {self.between(fault)}"

    def link_mute(self, fault):
        count = self.link(fault).mute()
        time.sleep(fault.seconds)
        self.link(fault).cut()
        return f"{count} connections between {self.between(fault)} for {fault.seconds} s, then cut"

    # Disk and clocks.

    def disk_full(self, fault):
        if not self.stage.is_mounted:
            self.stage.artifacts.chmod(0o500)
            time.sleep(fault.seconds)
            self.stage.artifacts.chmod(0o755)
            return f"read-only for {fault.seconds} s"
        ballast = self.stage.disk / "ballast"
        with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * (1 << 20))
        time.sleep(fault.seconds)
        ballast.unlink()
        return f"for {fault.seconds} s"

    def disk_hung(self, fault):
        """Whoever asks for the shared folder's mark waits, as for a mount whose server is away."""
        mark, aside = self.stage.shared / "cluster", self.stage.shared / "cluster.away"
        mark.rename(aside)
        os.mkfifo(mark)
        time.sleep(fault.seconds)
        end = None
        with contextlib.suppress(OSError):  # nobody waits
            end = os.open(mark, os.O_WRONLY | os.O_NONBLOCK)
        aside.rename(mark)
        if end is not None:
            os.close(end)
        return f"for {fault.seconds} s"

    def clock_jump(self, fault):
        clocks = {
            "postgresql": self.stage.database_clock,
            "daemon 0": self.stage.daemons[0].clock,
            "daemon 1": self.stage.daemons[1].clock,
        }
        if not self.stage.database_clock.environment:
            return "not done: libfaketime is not installed"
        chosen = list(clocks.values()) if fault.clock == "all" else [clocks[fault.clock]]
        for clock in chosen:
            clock.set(fault.jump)
        time.sleep(1.2 + fault.seconds)  # a second until it is noticed
        for clock in chosen:
            clock.set(0)
        time.sleep(1.2)
        return f"{fault.clock} by {fault.jump:+d} s for {fault.seconds} s, and back"

    # Messages.

    def messages_duplicated(self, fault):
        """Old ones again and new ones twice, from two clients at once."""
        known = [message for message in self.publisher.accepted.values() if message.is_job and not message.is_poison]
        chosen = self.dice(fault).sample(known, min(len(known), 20))
        other = load.Publisher(self.publisher.url)
        second = threading.Thread(target=lambda: [other.publish(message) for message in reversed(chosen)])
        second.start()
        for message in chosen:
            self.publisher.publish(message)
        second.join()
        other.close()
        return f"{len(chosen)} jobs, twice more each"

    def messages_reordered(self, fault):
        """What comes next comes in another order, the last before the first; the publisher shuffles what is still to be
        published.
        """
        ahead = self.work.jobs[self.publisher.position : self.publisher.position + 20]
        self.work.jobs[self.publisher.position : self.publisher.position + 20] = self.dice(fault).sample(
            ahead, len(ahead)
        )
        return f"the next {len(ahead)} jobs"

    def messages_malformed(self, fault):
        messages = self.work.malformed(fault.number)
        for message in messages:
            self.publisher.publish(message)
        return f"{len(messages)} messages"

    def messages_oversized(self, fault):
        messages = self.work.oversized(fault.number)
        for message in messages:
            self.publisher.publish(message)
        return f"{len(messages)} messages"

    def publish_next(self, count):
        """The load's next jobs, here and now."""
        ahead = self.work.jobs[self.publisher.position : self.publisher.position + count]
        for message in ahead:
            self.publisher.position += 1
            self.publisher.publish(message)
        return len(ahead)

    def messages_unstorable(self, fault):
        """A message that PostgreSQL cannot store for a while, as where a statement times out, among others that it
        can.
        """
        poison = self.work.unstorable(fault.number)
        trigger = f"unstorable_{fault.number}"
        self.stage.sql(
            f"create trigger {trigger} before insert on atelier.jobs for each row"
            f" when (new.message_id = '{poison.id}') execute function chaos.time_out()"
        )
        count = self.publish_next(5)
        self.publisher.publish(poison)
        count += self.publish_next(5)
        time.sleep(fault.seconds)
        self.stage.sql(f"drop trigger {trigger} on atelier.jobs")
        return f"one among {count} for {fault.seconds} s"

    def messages_unsendable(self, fault):
        """An outgoing message that is larger than the broker takes: it closes the channel of whoever sends it."""
        rows = self.stage.sql(
            "insert into atelier.outbox (event, exchange, routing_key, body) select 'rejected', 'events',"
            " 'chaos.probe.rejected', jsonb_build_object('text', repeat('x', 5000000)) from generate_series(1, 2)"
            " returning id"
        )
        self.unsendable += [row[0] for row in rows]
        return f"{len(rows)} of 5 MB"

    def messages_hostile(self, fault):
        """A tenant wants its answers in others' queues, the daemons paused, and others' jobs cancelled."""
        eve = load.Publisher(self.stage.eve, declares=False)
        for message in self.work.hostile(fault.number):
            eve.publish(message)
            self.publisher.accepted[message.id] = message
        jobs = self.stage.sql("select id from atelier.jobs order by created_at desc limit 3")
        orders = [{"action": "pause"}] + [{"action": "cancel", "job": str(row[0])} for row in jobs]
        properties = pika.BasicProperties(content_type="application/json", user_id="eve")
        for order in orders:
            with contextlib.suppress(pika.exceptions.AMQPError, OSError):
                eve.channel.basic_publish("atelier.control", "", json.dumps(order).encode(), properties)
        eve.close()
        return f"{len(orders)} orders"

    def messages_without_postgresql(self, fault):
        """Deliveries that nobody can store, while daemons start again and again: more often than the broker delivers a
        message before it gives it up.
        """
        with contextlib.ExitStack() as held:
            for name in ("postgresql", "daemon 0", "daemon 1"):
                held.enter_context(self.locks[name])
            self.stage.servers("stop", "postgresql")
            count = self.publish_next(60)
            for _ in range(22):
                for daemon in self.stage.daemons:
                    daemon.kill()
                    daemon.start()
                time.sleep(1.2)
            self.stage.servers("start", "postgresql")
        return f"{count} jobs, 22 starts of both"

    def messages_poisoned(self, fault):
        """A message whose every consumer fails: one of the harness that comes before the daemons gives it back until
        the broker gives it up.
        """
        poison = self.work.poison(fault.number)
        end = time.monotonic() + BROKER_PATIENCE
        while time.monotonic() < end:
            try:
                connection = pika.BlockingConnection(pika.URLParameters(self.publisher.url))
                given_back = self.give_back(connection.channel(), poison)
                connection.close()
                return f"given back {given_back} times"
            except (pika.exceptions.AMQPError, OSError):
                time.sleep(2)
        raise RuntimeError(f"the broker did not stay for two seconds in {BROKER_PATIENCE} s")

    def give_back(self, channel, poison):
        """Whatever else comes is held until the channel closes: only the poison may use up its deliveries."""
        channel.basic_qos(prefetch_count=200)
        count = quiet = 0
        for delivery, properties, _ in channel.consume(
            "atelier.jobs", arguments={"x-priority": 10}, inactivity_timeout=0.5
        ):
            if delivery is None and poison.id not in self.publisher.accepted:
                self.publisher.publish(poison)
            elif delivery is None:
                quiet += 1
                if quiet > 2:
                    break
            elif properties.message_id == poison.id:
                channel.basic_nack(delivery.delivery_tag, requeue=True)
                count += 1
        return count
