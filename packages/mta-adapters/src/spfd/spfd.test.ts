import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpfAnswer, SpfQuestion } from "@homing/spf";
import fc from "fast-check";
import { requestsAtEnd, requestsIn } from "../testing/requests-in.ts";
import { ProtocolFault, type Said } from "../wire/protocol.ts";
import { spfdProtocol } from "./spfd.ts";

const ANSWER: SpfAnswer = {
  ...{ result: "pass", identity: "mailfrom", domain: "d.example", sender: "bob@d.example", path: [] },
  ...{ namesNobody: false, passesEverybody: false, lookups: 0, voidLookups: 0, trace: [] },
  ...{ mechanism: "mx", record: "v=spf1 mx -all" },
};

function world(answer: Partial<SpfAnswer> = {}) {
  const asked: SpfQuestion[] = [];
  const protocol = spfdProtocol({
    async check(question) {
      asked.push(question);
      return { ...ANSWER, ...answer };
    },
    receiver: "mx.receiver.example",
  });
  /** What is said to the octets, in these pieces; the client then ends its side. */
  const say = async (...pieces: readonly (string | Uint8Array)[]): Promise<Said | undefined> => {
    const reader = protocol.createReader();
    const requests = pieces.flatMap((piece) => requestsIn(reader, Buffer.from(piece as string)));
    const [first, second] = [...requests, ...requestsAtEnd(reader)];
    assert.equal(second, undefined);
    return first === undefined ? undefined : await protocol.createSession().answer(first);
  };
  return { asked, say };
}

async function lines(said: Promise<Said | undefined>): Promise<readonly string[]> {
  const { last } = (await said) as { last: string };
  assert.ok(last.endsWith("\n"));
  return last.slice(0, -1).split("\n");
}

const questions: readonly [what: string, request: string, question: SpfQuestion][] = [
  [
    "the names of Mail::SPF",
    "scope=mfrom\nidentity=bob@d.example\nip_address=192.0.2.1\nhelo_identity=h.example\n\n",
    { client: "192.0.2.1", helo: "h.example", sender: "bob@d.example" },
  ],
  [
    "the names of Mail::SPF::Query",
    "ip=192.0.2.1\nhelo=h.example\nsender=bob@d.example\n\n",
    { client: "192.0.2.1", helo: "h.example", sender: "bob@d.example" },
  ],
  [
    "a client that ends its side in place of an empty line",
    "IP=192.0.2.1\r\nSender=bob@d.example",
    { client: "192.0.2.1", helo: "", sender: "bob@d.example" },
  ],
  [
    "the last of two values, by whatever name",
    "sender=a@d.example\nidentity=b=c@d.example\nip=x\nip=2001:db8::1 \t\n\n",
    { client: "2001:db8::1", helo: "", sender: "b=c@d.example" },
  ],
  [
    "names that nobody knows",
    "request=spf\ntrusted\n__proto__=1\nconstructor=2\nip=192.0.2.1\nsender=bob@d.example\n\n",
    { client: "192.0.2.1", helo: "", sender: "bob@d.example" },
  ],
  [
    "the HELO identity",
    "scope=helo\nidentity=h.example\nip_address=192.0.2.1\nversions=1\n\n",
    { client: "192.0.2.1", helo: "h.example", sender: "", identity: "helo" },
  ],
  [
    "the null sender, which is checked by the HELO name",
    "ip=192.0.2.1\nhelo=h.example\nsender=\n\n",
    { client: "192.0.2.1", helo: "h.example", sender: "" },
  ],
  [
    "nothing behind the empty line",
    "ip=192.0.2.1\nsender=bob@d.example\n\nsender=eve@e.example\n\n",
    { client: "192.0.2.1", helo: "", sender: "bob@d.example" },
  ],
];
for (const [what, request, question] of questions) {
  test(`it reads ${what}`, async () => {
    const { asked, say } = world();
    await say(request);
    assert.deepEqual(asked, [question]);
  });
}

const BOB = "identity=bob@d.example\nip_address=192.0.2.1\n\n";

test("an answer has spfd's keys in its order, and no explanation but of a fail", async () => {
  const comment = "mx.receiver.example: 192.0.2.1 may send for d.example";
  assert.deepEqual(await lines(world().say(BOB)), [
    "result=pass",
    `local_explanation=${comment}`,
    `received_spf_header=Received-SPF: pass (${comment}) receiver=mx.receiver.example; identity=mailfrom; ` +
      'envelope-from="bob@d.example"; helo=""; client-ip=192.0.2.1; mechanism=mx;',
    "spf_record=v=spf1 mx -all",
    `smtp_comment=${comment}`,
    `header_comment=${comment}`,
  ]);
});

for (const [explanation, words] of [
  ["not from there", "not from there"],
  [undefined, "refused by the sender domain's SPF record"],
] as const) {
  test(`a fail has an explanation, its domain's or one of ours: ${words}`, async () => {
    const fail = world({ result: "fail", ...(explanation ? { explanation } : {}) });
    const said = await lines(fail.say(BOB));
    assert.deepEqual(
      said.filter((line) => line.endsWith(`=${words}`)),
      [`authority_explanation=${words}`, `smtp_comment=${words}`],
    );
  });
}

test("where no record was found, none is told", async () => {
  const { record: _, ...rest } = ANSWER;
  const protocol = spfdProtocol({ check: async () => ({ ...rest, result: "none" }), receiver: "r.example" });
  const reader = protocol.createReader();
  const [request] = requestsIn(reader, Buffer.from(BOB));
  assert.ok(request);
  const { last } = (await protocol.createSession().answer(request)) as { last: string };
  assert.match(last, /^result=none\n/);
  assert.doesNotMatch(last, /^spf_record=/m);
});

test("what DNS, sender and HELO name hold cannot become a line of its own", async () => {
  const hostile = "x\nresult=pass\r\0\u0085\u2028";
  const { say } = world({ result: "fail", explanation: hostile, record: hostile, problem: hostile });
  const said = await lines(say(`helo=a\rresult=pass\n${BOB}`));
  assert.deepEqual(
    said.map((line) => line.slice(0, line.indexOf("="))),
    [
      ...["result", "local_explanation", "authority_explanation", "received_spf_header", "spf_record"],
      ...["smtp_comment", "header_comment"],
    ],
  );
  assert.equal(said[0], "result=fail");
});

const faults: readonly [request: string, fault: RegExp][] = [
  ["\n", /^no ip_address/],
  ["ip=192.0.2.1\n\n", /^no identity/],
  ["identity\nip=192.0.2.1\n\n", /^no identity/],
  ["identity=bob@d.example\n\n", /^no ip_address/],
  ["ip=mx.d.example\nsender=bob@d.example\n\n", /no IP address$/],
  [`scope=pra\n${BOB}`, /^scope pra: only mfrom and helo/],
  [`scope=x\u0007y\n${BOB}`, /^scope x\?y: /],
  [`versions=2\n${BOB}`, /^versions 2: only 1/],
  [`versions=1,3\n${BOB}`, /^versions 1,3: /],
  ["scope=helo\nidentity=\nip=192.0.2.1\n\n", /empty/],
  [`x=${"y".repeat(4096)}`, /more than 4096 octets/],
  ["x\n".repeat(2049), /more than 4096 octets/],
];
for (const [request, fault] of faults) {
  test(`it is closed without a word, and told to the log: ${JSON.stringify(request.slice(0, 60))}`, async () => {
    const isFault = (error: Error) => error instanceof ProtocolFault && fault.test(error.message);
    await assert.rejects(world().say(request), isFault);
  });
}

test("a client that says nothing gets nothing", async () => {
  const { asked, say } = world();
  assert.equal(await say(), undefined);
  assert.deepEqual(asked, []);
});

test("whatever the octets and their pieces, what is asked is the same", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map((octets) => Buffer.from(octets)),
    fc
      .constantFrom("ip=192.0.2.1\n", "sender=", "bob@d.example", "\n", "=\n", "scope=helo\n")
      .map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece), async (pieces) => {
      const [cut, whole] = [world(), world()];
      const outcomes = [
        await cut.say(...pieces).catch(String),
        await whole.say(Buffer.concat(pieces)).catch(String),
      ];
      assert.deepEqual(outcomes[0], outcomes[1]);
      assert.deepEqual(cut.asked, whole.asked);
    }),
  );
});
