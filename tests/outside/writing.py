"""What is done to a store: each way to write, with what the oracle says that it leads to.

An operation that was not answered, because its process was killed, may have been done or not:
its slot keeps both worlds until something that is read decides.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.outside import oracle
from tests.outside.oracle import Slot, World
from tests.outside.scene import Backup, Scene
from tests.stories import worlds as stories

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

    from tests.outside.scene import Answer
    from tests.stories.reference import Article, Input


_CHANGES = {"put": 3, "remove": 2, "restore": 2, "erase": 0.8, "join": 1, "undo": 1, "decide": 3}
"""What editors do, and how often."""


class Writing(Scene):
    """Operations: each is begun, goes on beside others, and is judged when it ends."""

    def begin(self, slot: Slot, after: list[World]) -> None:
        slot.touched = self.step
        slot.after = after

    def end(self, slot: Slot, worlds: list[World]) -> None:
        """A slot is in one of these worlds now."""
        assert worlds, f"slot {slot.number}: no state allows the answer"
        slot.worlds, slot.after = oracle.distinct(worlds), []
        slot.touched = self.step
        for each in self.backups:
            if each.is_open:
                each.worlds.setdefault(slot, []).extend(w.copied() for w in slot.worlds)

    def unknown(self, name: str, answer: Answer) -> None:
        self.tell(f"unknown whether done: {name}")
        if answer is not None:
            assert answer.headers["retry-after"], answer.text
        self.counts["writes unanswered"] += 1

    def send(self, slot: Slot) -> None:
        """Send some inputs, over HTTP or by a load; of an uncertain slot the last ones again."""
        if slot.is_certain:
            many = self.chance.randint(1, 3)
            if not slot.pending or (slot.sent and self.chance.random() < 0.15):
                inputs = slot.sent
            else:
                inputs, slot.pending = slot.pending[:many], slot.pending[many:]
        else:
            inputs = slot.sent
        slot.sent, slot.undoable = inputs, None
        if self.chance.random() < 0.6:
            self.post(slot, inputs)
        else:
            others = [
                each
                for each in self.idle()
                if each is not slot and each.is_certain and each.pending
            ][: self.chance.randint(0, 1)]
            for each in others:
                each.sent, each.pending = each.pending[:2], each.pending[2:]
                each.undoable = None
            self.load({slot: inputs, **{each: each.sent for each in others}})

    def post(self, slot: Slot, inputs: Sequence[Input]) -> None:
        before = slot.worlds
        after = [oracle.loaded(each, inputs) for each in before]
        self.begin(slot, [world for world, _ in after])

        def ended(answer: Answer) -> None:
            if answer is None or answer.status_code == 503:
                self.unknown("post", answer)
                self.end(slot, [*before, *slot.after])
                return
            assert answer.status_code in (200, 207, 422), answer.text
            self.counts["writes acknowledged"] += 1
            body = answer.json()
            if answer.status_code == 422:
                told = ["rejected"] * len(inputs)
            else:
                told = [each["outcome"] for each in body["items"]]
            fitting = [world for world, outcomes in after if outcomes == told]
            assert fitting, (slot.number, inputs, told, [outcomes for _, outcomes in after])
            self.end(slot, fitting)

        content = "".join(json.dumps(oracle.as_json(i)) + "\n" for i in inputs)
        headers = {"Content-Type": "application/x-ndjson"}
        self.ask(
            f"post {len(inputs)} of slot {slot.number}", [slot], ended,
            "POST", "/v1/articles", content=content, headers=headers,
        )  # fmt: skip

    def load(self, wanted: dict[Slot, Sequence[Input]]) -> None:
        before = {slot: slot.worlds for slot in wanted}
        after = {
            slot: [oracle.loaded(each, inputs) for each in slot.worlds]
            for slot, inputs in wanted.items()
        }
        for slot, some in after.items():
            self.begin(slot, [world for world, _ in some])
        self.numbers += 1
        path = self.folder / f"load-{self.numbers}.jsonl"
        every = [i for inputs in wanted.values() for i in inputs]
        path.write_text("".join(json.dumps(oracle.as_json(i)) + "\n" for i in every))

        def ended(done: subprocess.CompletedProcess[str] | None) -> None:
            if done is None:
                self.unknown("load", None)
                for slot, worlds in before.items():
                    self.end(slot, [*worlds, *slot.after])
                return
            assert done.returncode in (0, 3), (done.returncode, done.stderr)
            self.counts["writes acknowledged"] += 1
            summary = json.loads(done.stdout)
            told = Counter({k: v for k, v in summary.items() if isinstance(v, int)})
            if all(len(some) == 1 for some in after.values()):
                outcomes = Counter(o for some in after.values() for o in some[0][1])
                for name in ("saved", "revised", "stale", "unchanged", "withheld", "removed"):
                    assert told[name] == outcomes[name], (summary, outcomes, list(wanted.values()))
            for slot, some in after.items():
                self.end(slot, [world for world, _ in some])
            if summary["load"] is not None and all(
                len(before[slot]) == 1 and set(some[0][1]) <= {"saved", "revised", "stale"}
                and _texts_are_new(before[slot][0], wanted[slot])
                for slot, some in after.items()
            ) and len(wanted) == 1:  # fmt: skip
                (slot,) = wanted
                slot.undoable = summary["load"], before[slot][0]

        names = ", ".join(f"{len(i)} of slot {slot.number}" for slot, i in wanted.items())
        self.command(f"load {names}", list(wanted), ended, "load", "--json", path)

    def change(self, slot: Slot) -> None:
        """Do what an editor does to an article of a slot; send more where that cannot be done."""
        (kind,) = self.chance.choices(list(_CHANGES), list(_CHANGES.values()))
        articles = slot.world.known()
        if kind == "decide":
            self.decide(slot)
        elif kind == "undo" and slot.undoable is not None:
            load, before = slot.undoable
            slot.erased -= slot.world.words()  # what is taken back may stay in a file, unused
            done = slot.world.copied()
            done.forget_new(before)
            self.cli(slot, done, "remove", "--load", str(load))
        elif kind == "undo" or not articles:
            self.send(slot)
        else:
            id_ = slot.world.ids[self.chance.choice(articles).id]
            done = slot.world.copied()
            how = {
                "put": self.put,
                "remove": self.take_out,
                "restore": self.bring_back,
                "erase": self.erase,
                "join": self.join,
            }[kind]
            if not how(slot, done, done.of(id_), id_):
                self.send(slot)

    def take_out(self, slot: Slot, done: World, its: Article, id_: str) -> bool:
        """Remove an article, if it is served."""
        if not its.served:
            return False
        its.removed = True
        if self.chance.random() < 0.6:
            self.http(slot, done, "remove", "DELETE", f"/v1/articles/{id_}", {204})
        else:
            self.cli(slot, done, "remove", id_)
        return True

    def bring_back(self, slot: Slot, done: World, its: Article, id_: str) -> bool:
        """Restore an article, if it was removed."""
        if not its.removed or its.erased:
            return False
        its.removed = False
        if self.chance.random() < 0.6:
            path = f"/v1/articles/{id_}/restore"
            self.http(slot, done, "restore", "POST", path, {200} if its.served else {404, 410})
        else:
            self.cli(slot, done, "restore-article", id_)
        return True

    def erase(self, slot: Slot, done: World, its: Article, id_: str) -> bool:
        """Erase an article, if it was not yet."""
        if its.erased:
            return False
        its.removed = its.erased = True
        done.people.forget(id_)
        texts = [v.input.headline + v.input.body for v in its.versions]
        slot.erased |= {word for text in texts for word in oracle.tokens(text)}
        self.erasures += 1
        if self.chance.random() < 0.6:
            self.http(slot, done, "erase", "DELETE", f"/v1/articles/{id_}?erase=true", {204})
        else:
            self.cli(slot, done, "remove", "--erase", id_)
        return True

    def join(self, slot: Slot, done: World, its: Article, id_: str) -> bool:
        """Join an article with another one of its slot, if there is one."""
        others = [each for each in done.known() if each is not its and not each.erased]
        if its.erased or not others:
            return False
        into = self.chance.choice(others)
        into_id = done.ids[into.id]
        done.join(its, into)
        done.people.join(id_, into_id)
        done.heirs = {k: into_id if v == id_ else v for k, v in done.heirs.items()}
        done.heirs[id_] = into_id
        del done.ids[its.id]
        self.cli(slot, done, "join", id_, into_id)
        return True

    def decide(self, slot: Slot) -> None:
        """Merge, split or rename people; their articles have been read since they were written."""
        if slot.touched >= self.rested and self.rested < self.step:
            self.send(slot)
            return
        done = slot.world.copied()
        people = done.people
        held: dict[str, list[str]] = {}
        for each in done.served():
            if each.id in done.ids:
                for name in sorted(done.mentioned(each)):
                    held.setdefault(name, []).append(done.ids[each.id])
        names = sorted(name for name in held if name in self.people)
        if not names:
            self.send(slot)
            return
        name = self.chance.choice(names)
        id_ = self.people[name]
        kind = self.chance.choice(["merge", "split", "rename"])
        self.counts[f"people: {kind}"] += 1
        if kind == "merge" and len(names) > 1:
            heir = self.chance.choice([each for each in names if each != name])
            people.merge(name, heir)
            self.cli(slot, done, "entities", "merge", id_, self.people[heir])
        elif kind == "split" and people.merged.get(other := f"{name} (sailor)", other) != name:
            some = self.chance.sample(held[name], self.chance.randint(1, len(held[name])))
            people.split(name, other, some)
            people.called.setdefault(people.merged.get(other, other), other)
            self.cli(slot, done, "entities", "split", id_, other, *some)
        else:
            called = f"{name} {len(people.called)}"
            people.called[name] = called
            self.cli(slot, done, "entities", "rename", id_, called)

    def put(self, slot: Slot, done: World, its: Article, id_: str) -> bool:
        """Show another text in an article; refused where it shows none."""
        headline = f"{stories.words(self.chance, 3)} zq{slot.number}x9"
        body = f"{oracle.COMMON} zq{slot.number}x9 {stories.words(self.chance, 9)}"
        if not its.served or its.shown is None:
            value = {"headline": headline, "body": body, "source": slot.source}
            path = f"/v1/articles/{id_}"
            self.http(slot, done, "put on none", "PUT", path, {404, 410}, json=value)
            return True
        i = replace(its.shown.input, headline=headline, body=body, embargoed=False)
        if self.chance.random() < 0.5:
            i = replace(i, published_at=None, updated_at=None)
        status = {200} if done.put(its, i) else {409}
        path = f"/v1/articles/{id_}"
        self.http(slot, done, "put", "PUT", path, status, json=oracle.as_json(i))
        return True

    def http(
        self,
        slot: Slot,
        done: World,
        name: str,
        method: str,
        path: str,
        good: set[int],
        **more: Any,
    ) -> None:
        before, slot.undoable = slot.worlds, None
        self.begin(slot, [done])

        def ended(answer: Answer) -> None:
            if answer is None or answer.status_code == 503:
                self.unknown(name, answer)
                self.end(slot, [*before, done])
                return
            assert answer.status_code in good, (slot.number, answer.status_code, answer.text)
            self.counts["writes acknowledged"] += 1
            self.counts[name] += 1
            self.end(slot, [done])

        self.ask(f"{name} {path} of slot {slot.number}", [slot], ended, method, path, **more)

    def cli(self, slot: Slot, done: World, *arguments: str) -> None:
        before, slot.undoable = slot.worlds, None
        self.begin(slot, [done])
        name = " ".join(arguments)

        def ended(ran: subprocess.CompletedProcess[str] | None) -> None:
            if ran is None:
                self.unknown(name, None)
                self.end(slot, [*before, done])
                return
            assert ran.returncode == 0, (name, ran.returncode, ran.stderr)
            self.counts["writes acknowledged"] += 1
            self.counts[" ".join(each for each in arguments[:2] if each.strip("-").isalpha())] += 1
            self.end(slot, [done])

        self.command(f"{name} of slot {slot.number}", [slot], ended, *arguments)

    def make_key(self) -> None:
        self.numbers += 1
        name = f"key-{self.numbers}"

        def ended(done: subprocess.CompletedProcess[str] | None) -> None:
            if done is not None:
                assert done.returncode == 0, done.stderr
                self.keys[name] = done.stdout.strip()

        self.command(f"make {name}", [], ended, "keys", "create", name, "--scope", "write")

    def revoke_key(self) -> None:
        names = [name for name in self.keys if name != "eraser" and name not in self.revoked]
        if not names:
            self.make_key()
            return
        name = self.chance.choice(names)
        key = self.keys.pop(name)

        def ended(done: subprocess.CompletedProcess[str] | None) -> None:
            if done is not None:
                assert done.returncode == 0, done.stderr
                self.revoked.append(key)

        self.command(f"revoke {name}", [], ended, "keys", "revoke", name)

    def sync(self) -> None:
        def ended(done: subprocess.CompletedProcess[str] | None) -> None:
            assert done is None or done.returncode in (0, 1), done.stderr
            if done is not None and done.returncode:
                assert "another process" in done.stderr, done.stderr

        name = self.chance.choice(["sync", "check", "extract"])
        self.command(name, [], _agrees if name == "check" else ended, name)

    def back_up(self) -> None:
        self.numbers += 1
        worlds = {
            slot: [w.copied() for w in (*slot.worlds, *slot.after)]
            for slot in (*self.slots, *self.retired)
        }
        made = Backup(self.folder / f"backup-{self.numbers}.db", worlds)
        self.backups.append(made)

        def ended(done: subprocess.CompletedProcess[str] | None) -> None:
            made.is_open = False
            for slot in (*self.slots, *self.retired):  # what goes on may be in it already
                made.worlds.setdefault(slot, []).extend(w.copied() for w in slot.after)
            if done is None:
                self.backups.remove(made)
                assert not made.path.exists() or _is_sound(made.path)
            else:
                assert done.returncode == 0, done.stderr

        self.command("backup", [], ended, "backup", made.path)

    def restore(self) -> None:
        """Put a backup in the place of the store; servers that run must keep it out."""
        good = [each for each in self.backups if not each.is_open]
        if not good:
            self.back_up()
            return
        backup = self.chance.choice(good)
        self.reap(most=0)
        self.go_on()
        if self.servers:
            refused = self.run_command("restore", "--overwrite", backup.path)
            assert refused.returncode == 1, refused.stdout
            assert "in use" in refused.stderr
            self.counts["restores refused"] += 1
        if self.chance.random() < 0.5:
            return
        self.tell(f"restore {backup.path.name}")
        for server in list(self.servers):
            self.kill(server)
        restored = self.run_command("restore", "--overwrite", backup.path)
        assert restored.returncode == 0, restored.stderr
        self.counts["restores"] += 1
        self.erasures += 1
        for slot in (*self.slots, *self.retired):
            self.go_back(slot, backup.worlds.get(slot, [World()]))
        self.walks.clear()
        self.copy.clear()
        self.since = 0
        self.start()

    def go_back(self, slot: Slot, worlds: list[World]) -> None:
        """A slot is as in a backup; what was erased since is erased again."""
        erased = {
            each.ids[a.id]
            for each in slot.worlds
            for a in each.articles
            if a.erased and a.id in each.ids
        }
        self.take_back(slot, worlds)
        then = {
            each.ids[a.id]
            for each in slot.worlds
            for a in each.articles
            if a.erased and a.id in each.ids
        }
        if erased - then and slot in self.slots:
            # which of its keys lead to what was erased is told by no answer: it is read no more
            self.slots.remove(slot)
        elif erased - then:
            self.retired.remove(slot)

    def take_back(self, slot: Slot, worlds: list[World]) -> None:
        """A slot is as it was in some copy."""
        slot.touched, slot.undoable, slot.after = self.step, None, []
        slot.worlds = oracle.distinct(each.copied() for each in worlds)


def _agrees(done: subprocess.CompletedProcess[str] | None) -> None:
    assert done is None or done.returncode == 0, done.stdout + done.stderr


def _texts_are_new(world: World, inputs: Sequence[Input]) -> bool:
    known = {v.input.text for each in world.articles for v in each.versions}
    texts = [i.text for i in inputs]
    return len(set(texts)) == len(texts) and not known & set(texts)


def _is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
