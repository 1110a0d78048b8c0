"""Finds out what became of everything, from queues, tables and files alone."""

import collections
import hashlib
import json

import pika
import psycopg2

from .load import REPLIES

FINAL = ("completed", "discarded", "cancelled")


class Checker:
    """Each check gives what it found wrong, in words. `checks` is the order they are told in."""

    def __init__(self, stage, publisher, expected, faults):
        self.stage, self.expected, self.faults = stage, expected, faults
        self.accepted = list(publisher.accepted.values())
        self.jobs_sent = [message for message in self.accepted if message.is_job and not message.is_poison]
        self.bad = [message for message in self.accepted if not message.is_job]
        self.poison = [message for message in self.accepted if message.is_poison]

    checks = (
        ("every accepted job has one row, in a final state", "jobs_are_final"),
        ("every job ended as it does undisturbed", "jobs_completed"),
        ("no row is stuck", "nothing_is_stuck"),
        ("every job has one outcome in the outbox", "outbox_has_one_outcome"),
        ("every outcome arrived, repeated ids counted once", "outcomes_arrived"),
        ("every reply arrived likewise", "replies_arrived"),
        ("artifacts exist and match their SHA-256", "artifacts_are_whole"),
        ("artifacts equal the undisturbed run's", "artifacts_are_the_same"),
        ("every concept has its adapter and its version", "concepts_are_right"),
        ("attempts are numbered and ended, the last one completed", "attempts_are_in_order"),
        ("nothing was written by an attempt that did not own its job", "writes_were_owned"),
        ("failures are those the harness caused", "failures_are_ours"),
        ("what the broker takes from nobody is set aside, with its reason", "unsendable_is_set_aside"),
        ("every malformed message has its rejection", "bad_messages_are_rejected"),
        ("what the broker gave up is in atelier.dead, and nothing else", "dead_are_dead"),
        ("queues are empty", "queues_are_empty"),
        ("no daemon ended by itself, no engine was left behind", "processes_are_gone"),
        ("the harness did what it had planned", "harness_worked"),
    )

    def run(self):
        """Reads everything, then gives (what is guaranteed, how much was looked at, what was found) for each check."""
        self.read()
        for guarantee, name in self.checks:
            looked_at, found = getattr(self, name)()
            yield guarantee, looked_at, found

    # Reading.

    def read(self):
        with psycopg2.connect(self.stage.postgres.url) as connection:

            def rows(text):
                with connection.cursor() as cursor:
                    cursor.execute(text)
                    names = [column.name for column in cursor.description]
                    return [dict(zip(names, row)) for row in cursor.fetchall()]

            self.jobs = {
                (row["tenant"], row["message_id"]): row
                for row in rows(
                    "select id, tenant, message_id, kind, state::text, attempt, failures, rescues, finalized_at,"
                    " error_code from atelier.jobs"
                )
            }
            self.attempts = grouped(
                rows(
                    "select job, attempt, ended_at, outcome::text, error_code from atelier.attempts order by job,"
                    " attempt"
                ),
                "job",
            )
            self.artifacts = grouped(rows("select job, name, role, sha256, bytes from atelier.artifacts"), "job")
            self.concepts = rows("select tenant, name, version, adapter_sha256, job from atelier.concepts")
            self.outbox = rows(
                "select id, event_id, job, event, exchange, confirmed_at, set_aside_at, last_error from atelier.outbox"
            )
            self.rejections = rows("select message_id, problems, sha256(body) as digest from atelier.rejections")
            self.workers = rows("select id, name, gone_at from atelier.workers")
            self.seen = grouped(
                rows(
                    "select number, transaction::text, what, job, attempt, before, after from chaos.seen order by"
                    " number"
                ),
                "job",
            )
        self.results, self.dead = (self.drain(queue) for queue in ("atelier.results", "atelier.dead"))
        self.replies = [reply for queue in REPLIES.values() for reply in self.drain(queue)]
        self.names = {row["id"]: row["message_id"] for row in self.jobs.values()}

    def drain(self, queue):
        """Everything in a queue, acknowledged."""
        with pika.BlockingConnection(pika.URLParameters(self.stage.amqp.url)) as connection:
            channel, found = connection.channel(), []
            while True:
                method, properties, body = channel.basic_get(queue)
                if method is None:
                    return found
                channel.basic_ack(method.delivery_tag)
                found.append((properties, body))

    def row(self, message):
        return self.jobs.get((message.tenant, message.id))

    # Jobs.

    def jobs_are_final(self):
        wrong = [f"{message.id} was accepted and has no row" for message in self.jobs_sent if not self.row(message)]
        wrong += [
            f"{row['message_id']} is {row['state']}"
            for row in self.jobs.values()
            if row["state"] not in FINAL or row["finalized_at"] is None
        ]
        known = {(message.tenant, message.id) for message in self.jobs_sent + self.poison}
        return len(self.jobs_sent), wrong + [f"{key[1]} is a job nobody sent" for key in self.jobs if key not in known]

    def jobs_completed(self):
        return len(self.jobs), [
            f"{row['message_id']} ({row['kind']}) is {row['state']}: {row['error_code']}, {row['failures']} failures,"
            f" {row['rescues']} rescues"
            for row in self.jobs.values()
            if row["state"] != "completed"
        ]

    def nothing_is_stuck(self):
        wrong = [
            f"attempt {row['attempt']} of {self.names[job]} never ended"
            for job, rows in self.attempts.items()
            for row in rows
            if row["ended_at"] is None
        ]
        wrong += [
            f"the {row['event']} of {self.names.get(row['job'])} never left"
            for row in self.outbox
            if row["confirmed_at"] is None and row["id"] not in self.faults.unsendable
        ]
        wrong += [
            f"{row['name']} {row['id']} left and was not noted as gone"
            for row in self.workers
            if row["gone_at"] is None
        ]
        return sum(map(len, self.attempts.values())) + len(self.outbox) + len(self.workers), wrong

    def attempts_are_in_order(self):
        wrong = []
        for row in self.jobs.values():
            attempts = self.attempts.get(row["id"], [])
            if [attempt["attempt"] for attempt in attempts] != list(range(1, row["attempt"] + 1)):
                wrong.append(
                    f"{row['message_id']} was claimed {row['attempt']} times and has attempts"
                    f" {[attempt['attempt'] for attempt in attempts]}"
                )
            outcomes = [attempt["outcome"] for attempt in attempts]
            if row["state"] == "completed" and (outcomes[-1:] != ["completed"] or "completed" in outcomes[:-1]):
                wrong.append(f"{row['message_id']} is completed after {outcomes}")
            if len(attempts) > 40:
                wrong.append(f"{row['message_id']} took {len(attempts)} attempts")
        return sum(map(len, self.attempts.values())), wrong

    def failures_are_ours(self):
        """An engine that was killed costs an attempt; nothing else does."""
        wrong = []
        for row in self.jobs.values():
            kills = self.faults.kills.get(row["id"], 0)
            if row["failures"] > kills:
                codes = [
                    (attempt["attempt"], attempt["outcome"], attempt["error_code"])
                    for attempt in self.attempts.get(row["id"], [])
                ]
                wrong.append(
                    f"{row['message_id']} was charged with {row['failures']} failures, {kills} of its engines were"
                    f" killed: {codes}"
                )
        return len(self.jobs), wrong

    # Outcomes.

    def outbox_has_one_outcome(self):
        events = collections.Counter((row["job"], row["event"]) for row in self.outbox if row["exchange"] == "events")
        wrong = []
        for row in self.jobs.values():
            outcomes = {event: events[row["id"], event] for event in FINAL if events[row["id"], event]}
            if outcomes != {row["state"]: 1} or events[row["id"], "accepted"] != 1:
                wrong.append(
                    f"{row['message_id']} is {row['state']} and said {outcomes}, accepted"
                    f" {events[row['id'], 'accepted']} times"
                )
        return len(self.jobs), wrong

    def outcomes_arrived(self):
        wrong, by_message = self.once(self.results, "atelier.results")
        for row in self.jobs.values():
            states = [
                body["state"] for body in by_message.get(row["message_id"], []) if body.get("tenant") == row["tenant"]
            ]
            if states != [row["state"]]:
                wrong.append(f"{row['message_id']} is {row['state']}; its outcomes in atelier.results are {states}")
        for message in self.bad:
            states = [body["state"] for body in by_message.get(message.stored_id, [])]
            if set(states) != {"rejected"} or len(states) > 1 and message.id:
                wrong.append(f"the malformed {message.id} has the outcomes {states}")
        return len(self.results), wrong

    def replies_arrived(self):
        wrong, by_message = self.once(self.replies, "the replies")
        asked = [message for message in self.jobs_sent if "reply_to" in message.properties]
        for message in asked:
            states = [body["event"] for body in by_message.get(message.id, []) if body["event"] in FINAL]
            if len(states) != 1:
                wrong.append(f"{message.id} asked for a reply; its outcomes are {states}")
        return len(asked), wrong

    def once(self, deliveries, queue):
        """Bodies by the job's message id, each AMQP message id once; the same id with two bodies is wrong."""
        bodies, wrong = {}, []
        for properties, body in deliveries:
            if bodies.setdefault(properties.message_id, body) != body:
                wrong.append(f"{queue}: the id {properties.message_id} came with two bodies")
        by_message = collections.defaultdict(list)
        for body in map(json.loads, bodies.values()):
            by_message[body.get("message_id")].append(body)
        return wrong, by_message

    def unsendable_is_set_aside(self):
        rows = {row["id"]: row for row in self.outbox}
        wrong = [
            f"row {number} of the outbox was tried in vain and is not set aside"
            for number in self.faults.unsendable
            if not (rows[number]["set_aside_at"] and "406" in (rows[number]["last_error"] or ""))
        ]
        return len(self.faults.unsendable), wrong + [
            f"the {row['event']} of {self.names.get(row['job'])} was set aside: {row['last_error']}"
            for row in self.outbox
            if row["set_aside_at"] and row["id"] not in self.faults.unsendable
        ]

    # What was made.

    def artifacts_are_whole(self):
        digests, wrong = {row["sha256"]: row["bytes"] for rows in self.artifacts.values() for row in rows}, []
        for digest, size in digests.items():
            path = self.stage.artifacts / digest[:2] / digest[2:]
            if not path.is_file():
                wrong.append(f"{digest} is not there")
            elif (data := path.read_bytes()) and (hashlib.sha256(data).hexdigest() != digest or len(data) != size):
                wrong.append(f"{digest} has other bytes")
        return len(digests), wrong

    def artifacts_are_the_same(self):
        wrong, count = [], 0
        for message in self.jobs_sent:
            row = self.row(message)
            if message.body not in self.expected or not row or row["state"] != "completed":
                continue
            made = {artifact["name"]: artifact["sha256"] for artifact in self.artifacts.get(row["id"], [])}
            count += len(made)
            differing = [
                name
                for name in made.keys() | self.expected[message.body].keys()
                if made.get(name) != self.expected[message.body].get(name)
            ]
            if differing:
                wrong.append(
                    f"{message.id} after {row['attempt']} attempts: {', '.join(sorted(differing))} differ from the"
                    " undisturbed run's"
                )
        return count, wrong

    def concepts_are_right(self):
        adapters = {
            job: {artifact["sha256"] for artifact in rows if artifact["role"] == "adapter"}
            for job, rows in self.artifacts.items()
        }
        wrong = [
            f"{concept['name']} version {concept['version']} names an adapter its job did not make"
            for concept in self.concepts
            if concept["adapter_sha256"] not in adapters.get(concept["job"], ())
        ]
        learnt = collections.Counter(concept["job"] for concept in self.concepts)
        wrong += [
            f"{row['message_id']} taught {learnt[row['id']]} concepts"
            for row in self.jobs.values()
            if row["kind"] == "personalize" and row["state"] == "completed" and learnt[row["id"]] != 1
        ]
        versions = collections.defaultdict(list)
        for concept in self.concepts:
            versions[concept["tenant"], concept["name"]].append(concept["version"])
        return len(self.concepts), wrong + [
            f"{name} has the versions {sorted(found)}"
            for name, found in versions.items()
            if sorted(found) != list(range(1, len(found) + 1))
        ]

    # Who wrote what, as the witness saw it.

    def writes_were_owned(self):
        wrong = [problem for job, seen in self.seen.items() for problem in trespasses(self.names.get(job, job), seen)]
        return sum(map(len, self.seen.values())), wrong

    # Messages that are no jobs.

    def bad_messages_are_rejected(self):
        found = collections.Counter(row["message_id"] for row in self.rejections if row["problems"])
        wrong = []
        for message in self.bad:
            count = found[message.stored_id]
            if count == 0 or count > 1 and message.id:
                wrong.append(f"the malformed {message.id} has {count} rejections")
        names = {message.stored_id for message in self.bad}
        return len(self.bad), wrong + [
            f"{name} was rejected and is no malformed message" for name in found if name not in names
        ]

    def dead_are_dead(self):
        """A poisoned message is dead, or, where the harness lost it to a daemon before its last delivery, a job; never
        both or neither.
        """
        dead = collections.Counter(properties.message_id for properties, _ in self.dead)
        wrong = [
            f"the poisoned {message.id} is {'both dead and a job' if dead[message.id] else 'lost'}"
            for message in self.poison
            if bool(dead[message.id]) == bool(self.row(message))
        ]
        return len(self.dead), wrong + [
            f"{name} is among the dead" for name in dead if name not in {message.id for message in self.poison}
        ]

    # What is left.

    def queues_are_empty(self):
        """Nobody consumes any more, so whatever is there is counted."""
        queues = ("atelier.jobs", "atelier.results", "atelier.dead", *REPLIES.values())
        with pika.BlockingConnection(pika.URLParameters(self.stage.amqp.url)) as connection:
            counts = {
                queue: connection.channel().queue_declare(queue, passive=True).method.message_count for queue in queues
            }
        return len(counts), [f"{count} messages in {queue}" for queue, count in counts.items() if count]

    def processes_are_gone(self):
        return len(self.stage.daemons), self.stage.deaths + self.stage.left_behind()

    def harness_worked(self):
        return len(self.accepted), self.faults.errors


def grouped(rows, key):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def trespasses(name, seen):
    """Writes of an attempt while the job was not its own. A transaction that takes or gives up ownership may write
    before and after that.
    """
    owners, changes, wrong, owner = [], {}, [], None
    for one in seen:  # who takes or gives up ownership, in which transaction
        if one["what"] == "job":
            taken, left = one["after"] == "running", one["before"] == "running"
            if taken and left:
                wrong.append(f"{name} was claimed from under attempt {one['attempt'] - 1}")
            owner = one["attempt"] if taken else None
            changes.setdefault(one["transaction"], set()).add(one["attempt"])
            if one["before"] in FINAL:
                wrong.append(f"{name} went from {one['before']} to {one['after']}")
        owners.append(owner)
    for one, owner in zip(seen, owners):
        if one["what"] == "job":
            continue
        # Artifacts and concepts do not say by which attempt; they are written by the transaction that ends one.
        is_owned = (
            owner is not None
            and one["attempt"] in (owner, None)
            or one["transaction"] in changes
            and (one["attempt"] is None or one["attempt"] in changes[one["transaction"]])
        )
        if not is_owned:
            wrong.append(
                f"{name}: {one['what']} written by attempt {one['attempt']} while"
                f" {'nobody' if owner is None else f'attempt {owner}'} owned the job"
            )
    return wrong
