import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpfAnswer } from "@homing/spf";
import fc from "fast-check";
import type { AdapterEvent } from "../adapter-events.ts";
import type { LookUp, MapAnswer } from "../maps/map-answer.ts";
import type { SenderAsked, SenderVerdict } from "../senders/sender-checks.ts";
import { requestsAtEnd, requestsIn } from "../testing/requests-in.ts";
import { ProtocolFault, type Said } from "../wire/protocol.ts";
import { readsocketProtocol } from "./readsocket.ts";

const NOT_FOUND: MapAnswer = { kind: "not-found", why: "nothing" };

interface World {
  readonly lookUp?: LookUp;
  readonly verdict?: SenderVerdict;
}

function world({ lookUp = () => NOT_FOUND, verdict }: World = {}) {
  const events: AdapterEvent[] = [];
  const asked: SenderAsked[] = [];
  const protocol = readsocketProtocol({
    maps: { lookUp },
    senders: {
      async check(question) {
        asked.push(question);
        return verdict;
      },
    },
    report: (event) => void events.push(event),
  });
  /** What is said to the octets, in these pieces; the client then ends its side. */
  const say = async (...pieces: readonly (string | Uint8Array)[]): Promise<Said | undefined> => {
    const reader = protocol.createReader();
    const session = protocol.createSession();
    const requests = pieces.flatMap((piece) => requestsIn(reader, Buffer.from(piece as string)));
    const [first] = [...requests, ...requestsAtEnd(reader)];
    return first === undefined ? undefined : await session.answer(first);
  };
  return { events, asked, say };
}

function verdict(result: SpfAnswer["result"], more: Partial<SenderVerdict> = {}): SenderVerdict {
  const answer: SpfAnswer = {
    ...{ result, identity: "mailfrom", domain: "d.example", sender: "bob@d.example", path: [] },
    ...{ namesNobody: false, passesEverybody: false, lookups: 0, voidLookups: 0, trace: [] },
  };
  return { action: "accept", field: "Received-SPF: x (y)\r\n z;\r\n", answer, ...more };
}

const answers: readonly [answer: MapAnswer, line: string][] = [
  [{ kind: "found", value: "SRS0=x=y=d.example=bob@us.example" }, "OK SRS0=x=y=d.example=bob@us.example\n"],
  [{ kind: "not-found", why: "a domain of ours" }, "NOTFOUND a domain of ours\n"],
  [{ kind: "later", why: "too many guesses" }, "TEMP too many guesses\n"],
  [{ kind: "wrong", why: "there is no such map" }, "TEMP there is no such map\n"],
  [{ kind: "unfit", why: "the sender is too long" }, "PERM the sender is too long\n"],
  [{ kind: "found", value: "one\nOK two\r" }, "OK one?OK two?\n"],
];
for (const [answer, last] of answers) {
  test(`a map's ${answer.kind} is said in one line, and that is the last: ${JSON.stringify(last)}`, async () => {
    assert.deepEqual(await world({ lookUp: () => answer }).say("forward bob@d.example\n"), { last });
  });
}

test("a map that has to keep something first answers when it has", async () => {
  const { say } = world({ lookUp: () => Promise.resolve({ kind: "found", value: "x@us.example" }) });
  assert.deepEqual(await say("forward bob@d.example\n"), { last: "OK x@us.example\n" });
});

const keys: readonly [line: string, map: string, key: string][] = [
  ["forward bob@d.example\n", "forward", "bob@d.example"],
  ["forward bob@d.example\r\n", "forward", "bob@d.example"],
  ["forward bob@d.example", "forward", "bob@d.example"],
  ['forward "b ob"@d.example\n', "forward", '"b ob"@d.example'],
  ["forward-alias list@us.example bob@d.example\n", "forward-alias", "list@us.example bob@d.example"],
  ["forward bøb@d.example\n", "forward", "bøb@d.example"],
  ["forward \n", "forward", ""],
  ["forward\n", "forward", ""],
  ["\n", "", ""],
];
for (const [line, map, key] of keys) {
  test(`the map is the first word, the key all the rest: ${JSON.stringify(line)}`, async () => {
    const asked: string[][] = [];
    const { say } = world({
      lookUp(...question) {
        asked.push(question);
        return NOT_FOUND;
      },
    });
    await say(line);
    assert.deepEqual(asked, [[map, key]]);
  });
}

const senders: readonly [line: string, client: string, helo: string, sender: string][] = [
  ["spf 192.0.2.1 mx.d.example bob@d.example", "192.0.2.1", "mx.d.example", "bob@d.example"],
  ["spf 2001:db8::1 mx.d.example <bob@d.example>", "2001:db8::1", "mx.d.example", "bob@d.example"],
  ['spf 192.0.2.1 mx.d.example "b o"@d.example', "192.0.2.1", "mx.d.example", '"b o"@d.example'],
  ["spf 192.0.2.1 mx.d.example ", "192.0.2.1", "mx.d.example", ""],
  ["spf 192.0.2.1 mx.d.example <>", "192.0.2.1", "mx.d.example", ""],
  ["spf 192.0.2.1 mx.d.example", "192.0.2.1", "mx.d.example", ""],
  ["spf 192.0.2.1  bob@d.example", "192.0.2.1", "", "bob@d.example"],
];
for (const [line, client, helo, sender] of senders) {
  test(`SPF is asked for client, HELO name and sender: ${line}`, async () => {
    const { asked, say } = world();
    assert.deepEqual(await say(`${line}\n`), { last: "NOTFOUND nobody is checked here\n" });
    assert.deepEqual(asked, [{ client, helo, sender, recipient: undefined }]);
  });
}

test("SPF that is to be taken says its result and the field to put on top, in one line", async () => {
  const taken = world({ verdict: verdict("pass") });
  const { last } = (await taken.say("spf 192.0.2.1 h bob@d.example\n")) as { last: string };
  assert.equal(last, "OK pass Received-SPF: x (y) z;\n");
  assert.deepEqual(taken.events, []);
});

test("SPF that is not says its result and the reply to give, and is told to the log", async () => {
  const reply = { code: 550, enhanced: "5.7.23", text: "no, says d.example" };
  const { events, say } = world({ verdict: verdict("fail", { action: "refuse", fault: "spf-fail", reply }) });
  const { last } = (await say("spf 192.0.2.1 h bob@d.example\n")) as { last: string };
  assert.equal(last, "OK fail 550 5.7.23 no, says d.example\n");
  assert.deepEqual(events, [
    {
      ...{
        event: "adapter-refused",
        adapter: "readsocket",
        client: "192.0.2.1",
        reversePath: "bob@d.example",
      },
      ...{ recipient: "", reason: "spf-fail", reply: "550 5.7.23 no, says d.example" },
    },
  ]);
});

test("a recipient that the map reject knows is told to the log", async () => {
  const { events, say } = world({ lookUp: () => ({ kind: "found", value: "550 5.7.1 no" }) });
  await say("reject SRS0=x@us.example\n");
  assert.deepEqual(
    events.map((event) => "recipient" in event && [event.recipient, event.reply]),
    [["SRS0=x@us.example", "550 5.7.1 no"]],
  );
});

for (const client of ["", "mx.d.example", "192.0.2.1/24", "300.1.1.1"]) {
  test(`nobody is checked at ${JSON.stringify(client)}: DNS is not asked`, async () => {
    const { asked, say } = world();
    const { last } = (await say(`spf ${client} h bob@d.example\n`)) as { last: string };
    assert.match(last, /^TEMP .*is no IP address\n$/);
    assert.deepEqual(asked, []);
  });
}

const faults: readonly [what: string, octets: string | Uint8Array, fault: RegExp][] = [
  ["a line without end", "x".repeat(1025), /more than 1024 octets/],
  ["a NUL", "forward a\0@d.example\n", /control character/],
  ["a carriage return in the middle", "forward a\r@d.example\n", /control character/],
  ["a tab", "forward a\t@d.example\n", /control character/],
  ["octets that are no UTF-8", Uint8Array.of(0x66, 0xff, 0x0a), /not UTF-8/],
];
for (const [what, octets, fault] of faults) {
  test(`${what} ends the connection`, async () => {
    const isFault = (error: Error) => error instanceof ProtocolFault && fault.test(error.message);
    await assert.rejects(world().say(octets), isFault);
  });
}

test("a line of 1,024 octets is read, and a client that says nothing gets nothing", async () => {
  const { say } = world();
  assert.deepEqual(await say(`${"x".repeat(1024)}\n`), { last: "NOTFOUND nothing\n" });
  assert.equal(await say(), undefined);
});

test("whatever the octets and their pieces, there is one line at most, and the same", async () => {
  const octets = fc.uint8Array({ maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(octets, octets, async (before, after) => {
      const whole = await world()
        .say(Buffer.concat([before, after]))
        .catch(String);
      const cut = await world().say(before, after).catch(String);
      assert.deepEqual(cut, whole);
      if (typeof whole === "object" && "last" in whole) assert.match(String(whole.last), /^[A-Z]+ .*\n$/);
    }),
  );
});
