// What every implementation of the spool must do, as tests. Called by the test file of each implementation.
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryContent, wholeContent } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import type { Note, NoteChanges, Notes } from "../notes.ts";
import type { Lease, NewMessage, Spool } from "../spool.ts";
import {
  claimAll,
  ids,
  lease,
  leases,
  message,
  patterned,
  piecewise,
  recipient,
  T0,
  textOf,
} from "./messages.ts";

type SpoolWithNotes = Spool & { readonly notes: Notes };

/** Where one spool is kept: it can be opened again after it was closed. */
export interface SpoolPlace {
  open(): Promise<SpoolWithNotes>;
  remove(): Promise<void>;
}

const FAILURE = { code: 451, enhanced: "4.4.1", detail: "451 4.4.1 private words of the next hop" };
const DSN: NewMessage = message("dsn", {
  sender: NULL_PATH,
  recipients: [recipient("bob@origin.example", { reversePath: NULL_PATH, notify: { kind: "nobody" } })],
});

const K = 1024;

export function testSpool(createPlace: () => Promise<SpoolPlace>): void {
  const story = (
    name: string,
    work: (spool: SpoolWithNotes, reopen: () => Promise<SpoolWithNotes>) => Promise<void>,
  ): void => {
    test(name, async () => {
      const place = await createPlace();
      let spool = await place.open();
      try {
        await work(spool, async () => {
          await spool.close();
          spool = await place.open();
          return spool;
        });
      } finally {
        await spool.close();
        await place.remove();
      }
    });
  };

  story("every fact of a message comes back as it went in", async (spool) => {
    const whole = message("facts", {
      sender: { localPart: '"a b"', domain: "xn--bcher-kva.example" },
      eightBit: true,
      smtpUtf8: true,
      dsn: { ret: "full", envid: "Q+2B1" },
      recipients: [
        recipient("a@Home.Example", { stays: true, notify: { kind: "nobody" }, trace: "" }),
        recipient("ü@home.example", { reversePath: NULL_PATH, dsn: { notify: "never" } }),
        recipient("c@home.example", {
          notify: { kind: "mailbox", mailbox: { localPart: "owner", domain: "o.example" } },
          targets: 3,
        }),
        recipient("d@home.example", { dsn: { notify: ["success", "delay"], orcpt: "utf-8;ü@x.example" } }),
        recipient("e@home.example", { dsn: { notify: [] } }),
        recipient("f@home.example", { dsn: { orcpt: "rfc822;F+2B@x.example" } }),
      ],
    });
    assert.deepEqual(await spool.put(whole), {
      kind: "stored",
      leases: whole.recipients.map(() => undefined),
    });
    const jobs = await claimAll(spool);
    const { recipients, content, ...facts } = whole;
    for (const job of jobs) {
      const { content: stored, ...storedFacts } = job.message;
      assert.deepEqual(storedFacts, facts);
      assert.deepEqual(await wholeContent(stored), content.start);
    }
    const claimed = jobs
      .toSorted((a, b) => a.lease.recipient - b.lease.recipient)
      .map((job) => job.recipient);
    assert.deepEqual(
      claimed,
      recipients.map(({ due: _, ...rest }) => rest),
    );
  });

  story("a recipient that is not due is not claimed; nextDue says when it is", async (spool) => {
    await spool.put(message("later", { recipients: [recipient("a@home.example", { due: T0 + 60 })] }));
    assert.equal(await spool.nextDue(T0), T0 + 60);
    assert.deepEqual(await claimAll(spool, T0 + 59), []);
    assert.equal((await claimAll(spool, T0 + 60)).length, 1);
    assert.equal(await spool.nextDue(T0), T0 + 60 + 600);
  });

  story(
    "a claimed recipient is nobody else's until its lease ends, and then the next attempt's",
    async (spool) => {
      await spool.put(message("one"));
      const [first] = await claimAll(spool);
      assert.equal(first?.lease.attempt, 1);
      assert.deepEqual(await claimAll(spool, T0 + 599), []);
      const [second] = await claimAll(spool, T0 + 600);
      assert.equal(second?.lease.attempt, 2);
      assert.ok(first && second);
      assert.equal(await spool.done(first.lease), false);
      assert.equal(await spool.retry(first.lease, { ...FAILURE, due: T0 }), false);
      assert.equal(await spool.fail(first.lease, DSN), false);
      assert.deepEqual(await ids(spool), ["one"]);
      assert.equal(await spool.done(second.lease), true);
      assert.equal(await spool.done(second.lease), false);
      assert.deepEqual(await ids(spool), []);
    },
  );

  story("a recipient that was delivered and the DSN that tells of it change places", async (spool) => {
    const mine = lease(await spool.put(leased("told")));
    assert.equal(await spool.done({ ...mine, attempt: 7 }, DSN), false);
    assert.deepEqual(await ids(spool), ["told"]);
    assert.equal(await spool.done(mine, DSN), true);
    assert.deepEqual(await ids(spool), ["dsn"]);
    assert.equal(await spool.done(mine, { ...DSN, id: "again" }), false);
    assert.deepEqual(await ids(spool), ["dsn"]);
  });

  story("put with a lease: the attempt that runs has it, and settles it", async (spool) => {
    const recipients = [
      recipient("a@home.example", { leasedUntil: T0 + 300 }),
      recipient("b@home.example", { due: T0 + 10 }),
    ];
    const [mine, other] = leases(await spool.put(message("leased", { recipients })));
    assert.equal(other, undefined);
    assert.deepEqual(await claimAll(spool), []);
    assert.ok(mine);
    assert.equal(await spool.done(mine), true);
    const [left] = (await spool.show("leased"))?.recipients ?? [];
    assert.equal(left?.mailbox.localPart, "b");
    assert.equal(left?.attempts, 0);
  });

  story("a message goes with its last recipient, whichever way that goes", async (spool) => {
    const recipients = ["a", "b", "c"].map((name) =>
      recipient(`${name}@home.example`, { leasedUntil: T0 + 300 }),
    );
    const [a, b, c] = leases(await spool.put(message("three", { recipients })));
    assert.ok(a && b && c);
    assert.equal(await spool.done(b), true);
    assert.equal(await spool.fail(a), true);
    assert.deepEqual(await ids(spool), ["three"]);
    assert.equal(await spool.done(c), true);
    assert.deepEqual(await ids(spool), []);
    assert.equal(await spool.content("three"), undefined);
  });

  story("a deferral keeps why, and comes back with it", async (spool) => {
    const mine = lease(await spool.put(leased("deferred")));
    assert.equal(await spool.retry(mine, { ...FAILURE, due: T0 + 300 }), true);
    assert.deepEqual(await claimAll(spool, T0 + 299), []);
    const [job] = await claimAll(spool, T0 + 300);
    assert.deepEqual(job?.lastFailure, FAILURE);
    assert.equal(job?.delayToldAt, undefined);
    assert.equal(job?.lease.attempt, 2);
  });

  story("the notice of delay is stored with the deferral, and once", async (spool) => {
    const mine = lease(await spool.put(leased("delayed")));
    assert.equal(await spool.retry(mine, { ...FAILURE, due: T0 + 300, delayToldAt: T0 + 20 }, DSN), true);
    assert.equal(await spool.retry(mine, { ...FAILURE, due: T0 + 300, delayToldAt: T0 + 20 }, DSN), false);
    assert.deepEqual(await ids(spool), ["delayed", "dsn"]);
    const jobs = await claimAll(spool, T0 + 300);
    const [dsn, delayed] = ["dsn", "delayed"].map((id) => jobs.find(({ message }) => message.id === id));
    assert.equal(dsn?.message.sender, NULL_PATH);
    assert.ok(delayed);
    await spool.retry(delayed.lease, { ...FAILURE, due: T0 + 900 });
    assert.equal((await spool.show("delayed"))?.recipients[0]?.delayToldAt, T0 + 20);
  });

  story("a failed recipient and its DSN change places", async (spool) => {
    const mine = lease(await spool.put(leased("failed")));
    assert.equal(await spool.fail(mine, DSN), true);
    assert.deepEqual(await ids(spool), ["dsn"]);
    const [job] = await claimAll(spool);
    assert.ok(job);
    assert.equal(await textOf(job), "Subject: dsn\r\n\r\nbody of dsn\r\n");
    assert.deepEqual(job.recipient.notify, { kind: "nobody" });
  });

  story("notes of a put are changed with it, or not at all", async (spool, reopen) => {
    await spool.notes.write(note("old", "1"), T0);
    const notes = { now: T0, write: [note("kept", "2")], remove: [{ of: "x", key: "old" }] };
    assert.equal((await spool.put(message("m"), { notes })).kind, "stored");
    const refused = { now: T0, write: [note("kept", "3"), note("more", "4")], remove: [] };
    // That id is taken.
    assert.equal((await spool.put(message("m"), { notes: refused })).kind, "failed");
    assert.deepEqual(await values((await reopen()).notes), ["2"]);
  });

  story(
    "notes of a failed recipient are changed with it, and not by an attempt that was fenced off",
    async (spool) => {
      const mine = lease(await spool.put(leased("failed")));
      const changes = (value: string) => ({ now: T0, write: [note("k", value)], remove: [] });
      const other = { ...mine, attempt: 7 };
      assert.equal(await spool.fail(other, undefined, changes("1")), false);
      assert.equal(await spool.fail(other, DSN, changes("1")), false);
      assert.deepEqual(await values(spool.notes), []);
      assert.equal(await spool.fail(mine, DSN, changes("2")), true);
      assert.equal(await spool.fail(mine, DSN, changes("3")), false);
      assert.deepEqual(await values(spool.notes), ["2"]);
      assert.deepEqual(await ids(spool), ["dsn"]);
    },
  );

  story("a delivered recipient and its notes go together, or neither", async (spool) => {
    const mine = lease(await spool.put(leased("delivered")));
    const changes = (value: string) => ({ now: T0, write: [note("k", value)], remove: [] });
    assert.equal(await spool.done({ ...mine, attempt: 7 }, undefined, changes("1")), false);
    assert.deepEqual(await values(spool.notes), []);
    assert.equal(await spool.done(mine, DSN, changes("2")), true);
    assert.equal(await spool.done(mine, DSN, changes("3")), false);
    assert.deepEqual(await values(spool.notes), ["2"]);
    assert.deepEqual(await ids(spool), ["dsn"]);
  });

  story("a recipient is not settled under conditions", async (spool) => {
    const mine = lease(await spool.put(leased("m")));
    const changes = { now: T0, write: [], remove: [], absent: [nameOf("k")] };
    await assert.rejects(spool.done(mine, undefined, changes), /settled with conditions/);
    await assert.rejects(spool.fail(mine, undefined, changes), /settled with conditions/);
    assert.deepEqual(await ids(spool), ["m"]);
  });

  const conditions: [what: string, conditions: Partial<NoteChanges>, isDone: boolean][] = [
    ["a note that must be there is", { present: [nameOf("there")] }, true],
    ["one of those that must be there is not", { present: [nameOf("there"), nameOf("none")] }, false],
    ["one that must be there has expired", { present: [nameOf("expired")] }, false],
    ["a note that must not be there is not", { absent: [nameOf("none")] }, true],
    ["one of those that must not be there is", { absent: [nameOf("none"), nameOf("there")] }, false],
    ["one that must not be there has expired", { absent: [nameOf("expired")] }, true],
    ["both hold", { present: [nameOf("there")], absent: [nameOf("none")] }, true],
    ["one of both does not", { present: [nameOf("there")], absent: [nameOf("there")] }, false],
  ];
  for (const [what, condition, isDone] of conditions) {
    story(`notes and messages where ${what}: ${isDone ? "all is" : "nothing is"} changed`, async (spool) => {
      const there = [note("there", "1"), { ...note("expired", "1"), expires: T0 }];
      await spool.notes.change({ now: T0 - 1, write: there, remove: [] });
      const changes = (value: string): NoteChanges => ({
        now: T0,
        write: [note("written", value)],
        remove: [],
        ...condition,
      });
      const written = async () => ((await spool.notes.find("x", "written", T0)) as Note | undefined)?.value;

      assert.equal(await spool.notes.changeIf(changes("2")), isDone ? "done" : "conflict");
      assert.equal(await spool.notes.change(changes("3")), isDone);
      assert.equal(await written(), isDone ? "3" : undefined);
      const put = await spool.put(message("one"), { notes: changes("4") });
      assert.equal(put.kind, isDone ? "stored" : "conflict");
      assert.equal(await written(), isDone ? "4" : undefined);
      const all = await spool.putAll([message("two"), message("three")], changes("5"));
      assert.equal(all.kind, isDone ? "stored" : "conflict");
      assert.equal(await written(), isDone ? "5" : undefined);
      assert.deepEqual(await ids(spool), isDone ? ["one", "two", "three"] : []);
    });
  }

  story(
    "of those who take one note at the same time, exactly one has it, in whatever batch",
    async (spool) => {
      await spool.notes.write(note("nonce", ""), T0);
      const take = { now: T0, write: [], remove: [nameOf("nonce")], present: [nameOf("nonce")] };
      const taken = await Promise.all(Array.from({ length: 20 }, () => spool.notes.changeIf(take)));
      assert.equal(taken.filter((outcome) => outcome === "done").length, 1);
      assert.equal(taken.filter((outcome) => outcome === "conflict").length, 19);
      const write = { now: T0, write: [note("key", "")], remove: [], absent: [nameOf("key")] };
      const outcomes = await Promise.all([
        // That id comes twice: the batch is done again, each by itself.
        spool.put(message("same")),
        spool.put(message("same")),
        ...Array.from({ length: 20 }, (_, at) => spool.putAll([message(`m${at}`)], write)),
      ]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ["stored", "failed", "stored", ...Array.from({ length: 19 }, () => "conflict")],
      );
      assert.deepEqual(await ids(spool), ["same", "m0"]);
    },
  );

  story(
    "several messages and their notes are stored together, each octet by octet",
    async (spool, reopen) => {
      const bodies = [0, 10, 256 * K, 700 * K, 3].map(patterned);
      const messages = bodies.map((body, at) => message(`m${at}`, { content: memoryContent(body) }));
      const put = await spool.putAll(messages, { now: T0, write: [note("k", "1")], remove: [] });
      assert.deepEqual(put, { kind: "stored", leases: messages.map(() => [undefined]) });
      const again = await reopen();
      assert.deepEqual(await values(again.notes), ["1"]);
      for (const [at, body] of bodies.entries()) {
        const content = await again.content(`m${at}`);
        assert.ok(content && (await wholeContent(content)).equals(body), `${body.length} octets`);
      }
      assert.equal((await claimAll(again)).length, bodies.length);
    },
  );

  story("of several messages each leased recipient has its lease", async (spool) => {
    const both = [
      recipient("a@home.example", { leasedUntil: T0 + 300 }),
      recipient("b@home.example", { due: T0 + 10 }),
    ];
    const put = await spool.putAll([leased("one"), message("two", { recipients: both })]);
    assert.ok(put.kind === "stored");
    const [[one], [two, other]] = put.leases as [[Lease], [Lease, undefined]];
    assert.equal(other, undefined);
    assert.equal(await spool.done(one), true);
    assert.equal(await spool.done(two), true);
    const [left] = (await spool.show("two"))?.recipients ?? [];
    assert.equal(left?.mailbox.localPart, "b");
  });

  story("of several messages one that cannot be stored keeps out all, and their notes", async (spool) => {
    await spool.put(message("taken"));
    const notes = { now: T0, write: [note("k", "1")], remove: [] };
    const good = message("good", { content: memoryContent(patterned(600 * K)) });
    assert.equal((await spool.putAll([good, message("taken")], notes)).kind, "failed");
    const unreadable = { ...piecewise(patterned(600 * K), 64 * K), octets: 700 * K };
    const torn = message("torn", { content: unreadable });
    assert.equal((await spool.putAll([good, torn], notes)).kind, "failed");
    assert.deepEqual(await ids(spool), ["taken"]);
    assert.deepEqual(await values(spool.notes), []);
  });

  story("no messages are stored together with their notes, too; and too many are a bug", async (spool) => {
    const notes = { now: T0, write: [note("k", "1")], remove: [] };
    assert.deepEqual(await spool.putAll([], notes), { kind: "stored", leases: [] });
    assert.deepEqual(await values(spool.notes), ["1"]);
    const many = Array.from({ length: 1001 }, (_, at) => message(`m${at}`));
    await assert.rejects(spool.putAll(many), RangeError);
  });

  for (const [count, octets] of [
    [100, 256 * K],
    [50, 512 * K],
    [1000, 9 * K],
  ] as const) {
    story(`${count} messages of ${octets} octets are stored together, each octet by octet`, async (spool) => {
      const bodies = Array.from({ length: count }, (_, at) => Buffer.alloc(octets, `${at} `));
      // One is small among them.
      bodies[1] = Buffer.from("small");
      const messages = bodies.map((body, at) => message(`m${at}`, { content: memoryContent(body) }));
      assert.equal((await spool.putAll(messages)).kind, "stored");
      assert.equal((await ids(spool)).length, count);
      for (const at of [0, 1, 2, count - 1]) {
        const content = await spool.content(`m${at}`);
        assert.ok(content && (await wholeContent(content)).equals(bodies[at] as Buffer), `m${at}`);
      }
    });
  }

  story("notes are changed together, and found until they expire", async (spool) => {
    const both = [note("a", "1"), { ...note("b", "2"), expires: T0 + 9 }];
    assert.equal(await spool.notes.change({ now: T0, write: both, remove: [] }), true);
    assert.equal(((await spool.notes.find("x", "b", T0 + 8)) as { value: string }).value, "2");
    assert.equal(await spool.notes.find("x", "b", T0 + 9), undefined);
    assert.equal(await spool.notes.find("y", "a", T0), undefined);
    assert.deepEqual(await values(spool.notes, "a"), ["2"]);
    await spool.close();
    assert.equal(await spool.notes.find("x", "a", T0), "away");
    assert.equal(await spool.notes.change({ now: T0, write: both, remove: [] }), false);
    assert.equal(await spool.notes.changeIf({ now: T0, write: both, remove: [] }), "away");
    assert.equal((await spool.putAll([message("late")])).kind, "failed");
  });

  story("after a start all leases have ended, and what was leased is due at once", async (spool, reopen) => {
    const before = lease(await spool.put(leased("started", { due: T0 + 900 })));
    const again = await reopen();
    const [job] = await claimAll(again);
    assert.equal(job?.message.id, "started");
    assert.equal(job?.lease.attempt, 2);
    assert.equal(await again.done(before), false);
  });

  story("destinations take turns, each with its oldest first", async (spool) => {
    for (let at = 0; at < 20; at++)
      await spool.put(
        message(`big${at}`, { recipients: [recipient("a@big.example", { due: T0 - 100 + at })] }),
      );
    for (const name of ["b", "c"])
      await spool.put(message(name, { recipients: [recipient(`x@${name}.example`)] }));
    const claim = { now: T0, leaseUntil: T0 + 60, limit: 6 };
    const jobs = await spool.claim(claim);
    assert.equal(jobs.length, 6);
    assert.deepEqual(jobs.map(({ message }) => message.id).toSorted(), [
      "b",
      "big0",
      "big1",
      "big2",
      "big3",
      "c",
    ]);
  });

  story("a destination that is left out hinders no other", async (spool) => {
    const addresses = ["a@full.example", "b@Full.Example", "c@home.example"];
    await spool.put(message("m", { recipients: addresses.map((address) => recipient(address)) }));
    const claim = { now: T0, leaseUntil: T0 + 60, limit: 10 };
    const some = await spool.claim({ ...claim, leaveOut: ["full.example"] });
    assert.deepEqual(
      some.map((job) => job.recipient.mailbox.domain),
      ["home.example"],
    );
    assert.equal((await spool.claim(claim)).length, 2);
  });

  story("an empty spool has nothing due", async (spool) => {
    assert.equal(await spool.nextDue(T0), undefined);
    assert.deepEqual(await claimAll(spool), []);
    assert.deepEqual(await spool.list({ limit: 10 }), []);
    assert.equal(await spool.show("none"), undefined);
    assert.equal(await spool.drop("none"), false);
    assert.equal(await spool.retryNow("none", T0), 0);
  });

  story("people see the queue page by page, drop messages, and have others tried at once", async (spool) => {
    for (let at = 0; at < 5; at++)
      await spool.put(message(`m${at}`, { recipients: [recipient("a@home.example", { due: T0 + 500 })] }));
    const first = await spool.list({ limit: 2 });
    const second = await spool.list({ limit: 2, after: first.at(-1)?.position ?? 0 });
    assert.deepEqual(
      [...first, ...second].map(({ id }) => id),
      ["m0", "m1", "m2", "m3"],
    );
    assert.equal(await spool.retryNow("m1", T0), 1);
    const [job] = await claimAll(spool);
    assert.equal(job?.message.id, "m1");
    assert.ok(job);
    assert.equal(await spool.retryNow("m1", T0), 0);
    assert.equal(await spool.drop("m1"), true);
    assert.equal(await spool.done(job.lease), false);
    assert.deepEqual(await ids(spool), ["m0", "m2", "m3", "m4"]);
  });

  const sizes: [octets: number, pieceOctets: number][] = [
    [0, 1],
    [1, 1],
    [256 * K, 64 * K],
    [256 * K + 1, 64 * K],
    [512 * K, 512 * K],
    [3 * 1024 * K + 17, 65_537],
  ];
  for (const [octets, pieceOctets] of sizes) {
    story(`${octets} octets come back octet by octet`, async (spool, reopen) => {
      const body = patterned(octets);
      const content = piecewise(body, pieceOctets);
      await spool.put(message("large", { content }));
      const [job] = await claimAll(await reopen());
      assert.ok(job);
      const stored = job.message.content;
      assert.equal(stored.octets, octets);
      assert.ok(stored.start.equals(body.subarray(0, stored.start.length)));
      assert.ok(stored.start.length >= Math.min(octets, 256 * K));
      for await (const piece of stored.pieces()) assert.ok(piece.length <= 256 * K);
      assert.ok((await wholeContent(stored)).equals(body));
      assert.ok((await wholeContent(stored)).equals(body));
    });
  }

  story("a content that cannot be read, or has another length than it says, is not stored", async (spool) => {
    const good = piecewise(patterned(600 * K), 64 * K);
    const unreadable = {
      ...good,
      async *pieces() {
        yield Buffer.alloc(400 * K);
        throw new Error("the file is gone");
      },
    };
    const outcome = await spool.put(message("unreadable", { content: unreadable }));
    assert.equal(outcome.kind, "failed");
    assert.match(outcome.kind === "failed" ? outcome.cause : "", /the file is gone/);
    const short = await spool.put(message("short", { content: { ...good, octets: 700 * K } }));
    assert.equal(short.kind, "failed");
    assert.deepEqual(await ids(spool), []);
  });

  story("one operation that is wrong in itself spoils no other of its batch", async (spool) => {
    const outcomes = await Promise.all(
      ["same", "other", "same", "third"].map((id) => spool.put(message(id))),
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["stored", "stored", "failed", "stored"],
    );
    assert.deepEqual(await ids(spool), ["same", "other", "third"]);
  });

  story(
    "what was asked for before close is on the disk after it, and later puts are refused",
    async (spool, reopen) => {
      const outcomes = Array.from({ length: 500 }, (_, at) => spool.put(message(`m${at}`)));
      const again = await reopen();
      for (const outcome of await Promise.all(outcomes)) assert.equal(outcome.kind, "stored");
      assert.equal((await ids(again)).length, 500);
      assert.equal((await spool.put(message("late"))).kind, "failed");
      assert.deepEqual(await claimAll(spool), []);
      await spool.close();
    },
  );
}

function note(key: string, value: string) {
  return { of: "x", key, value, expires: T0 + 1000 };
}

function nameOf(key: string) {
  return { of: "x", key };
}

async function values(notes: Notes, after?: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { value } of notes.all("x", after)) all.push(value);
  return all;
}

function leased(id: string, more: { due?: number } = {}): NewMessage {
  return message(id, { recipients: [recipient("a@home.example", { leasedUntil: T0 + 300, ...more })] });
}
