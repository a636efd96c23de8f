import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import * as fc from "fast-check";
import { ProtocolFault } from "../wire/protocol.ts";
import { parseCommand } from "./commands.ts";
import { renderFrame } from "./frames.ts";
import { forged, milterScene } from "./testing/milter-scene.ts";

const OFFER = Buffer.from("\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff", "latin1");
const FRAMES = [
  OFFER,
  renderFrame("D", "Cj\0mx.home.example\0"),
  renderFrame("C", "client.example\x004\x30\x39192.0.2.1\0"),
  renderFrame("H", "client.example\0"),
  renderFrame("D", "Mi\x004Q\0"),
  renderFrame("M", "<bob@origin.example>\0SIZE=10\0"),
  renderFrame("R", "<ann@club.example>\0"),
  renderFrame("R", `<${forged("sue@origin.example")}>\0`),
  renderFrame("T"),
  renderFrame("B", "Hello!\r\n"),
  renderFrame("E"),
  renderFrame("A"),
  renderFrame("K"),
];
const DIALOGUE = Buffer.concat(FRAMES);

test("random data behind any letter is a command or a fault", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 200 }), (letter, data) => {
      try {
        parseCommand({ letter: String.fromCharCode(letter), data: Buffer.from(data) });
      } catch (error) {
        assert.ok(error instanceof ProtocolFault);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a dialogue has the same answers, wherever it is cut in two", async (t) => {
  const { dial } = await milterScene(t);
  const answersTo = async (cut: number): Promise<string> => {
    const { socket, send, frame } = await dial(null);
    send(DIALOGUE.subarray(0, cut));
    send(DIALOGUE.subarray(cut));
    socket.end();
    const answers: string[] = [];
    for (let answer = await frame(); answer; answer = await frame())
      answers.push(answer.letter + answer.data.toString("latin1"));
    return answers.join("|");
  };
  const whole = await answersTo(DIALOGUE.length);
  assert.match(whole, /^O.*\|c\|y550 5\.7\.1 [^|]*\|c\|s\|e<SRS0=[^|]*\|c$/s);
  for (let cut = 1; cut < DIALOGUE.length; cut++) assert.equal(await answersTo(cut), whole);
});

test("a mutated dialogue ends with its connection: no crash, no hang, and one fault at most", async (t) => {
  const { dial, events } = await milterScene(t);
  const mutation = fc.record({
    order: fc.array(fc.nat({ max: FRAMES.length - 1 }), { minLength: 1, maxLength: 20 }),
    at: fc.nat({ max: 2000 }),
    octets: fc.uint8Array({ maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ order, at, octets }) => {
      const dialogue = Buffer.concat([OFFER, ...order.map((index) => FRAMES[index] ?? OFFER)]);
      dialogue.set(octets.subarray(0, dialogue.length), at % Math.max(1, dialogue.length - octets.length));
      const before = events.filter(({ event }) => event === "adapter-fault").length;
      const client = await dial(null);
      client.send(dialogue);
      client.socket.end();
      while (await client.frame());
      if (!client.socket.closed) await once(client.socket, "close");
      const faults = events.filter(({ event }) => event === "adapter-fault").length - before;
      assert.ok(faults <= 1, `${faults} faults`);
      assert.ok(!events.some(({ event }) => event === "error"), JSON.stringify(events));
    }),
    { numRuns: 300 },
  );
});
