// bench:adapters: its options, its report, its counting of answers, and the whole in its shortest form.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { storiesNeed } from "../../test/harness/availability.ts";
import { run } from "../../test/harness/command.ts";
import { freePort } from "../../test/harness/free-port.ts";
import { measureLookUps, SHAPES, TCP_TABLE } from "../adapters/look-ups.ts";
import { parseAdaptersOptions } from "../adapters/options.ts";
import { MAPS, MILTER, NO_MILTER, renderAdapters, SOCKETMAP_NAME } from "../adapters/report.ts";

const MAIN = join(import.meta.dirname, "../adapters/main.ts");
const SMOKE_SECONDS = 90;

for (const [args, say] of [
  [["--rounds", "1.5"], /^bench:adapters: --rounds 1\.5: is no whole number from 1 to 100\n$/],
  [["--seconds", "x"], /--seconds x: is no number from 0\.2 to 60/],
] as const) {
  test(`options [${args}] are refused`, () => {
    const parsed = parseAdaptersOptions(args);
    assert.ok(!parsed.ok);
    assert.equal(parsed.exitCode, 64);
    assert.match(parsed.say, say);
  });
}

for (const [rates, ratio, pipelined] of [
  [[1000, 800], "met", "MISSED"],
  [[1000, 799], "MISSED", "MISSED"],
  [[100_000, 100_000], "met", "met"],
] as const) {
  test(`of ${rates[0]}/s of PostSRSd, ${rates[1]}/s is: ratio ${ratio}, pipelined ${pipelined}`, () => {
    const text = renderAdapters({
      machine: { processor: "P", cores: 2, memoryGB: 8, kernel: "6", node: "v24", disk: "", loadAverage: 0 },
      ...{ rounds: 1, seconds: 1 },
      lookUps: SHAPES.flatMap((shape) =>
        MAPS.map((contestant, index) => ({
          ...{ contestant, shape, round: 1 },
          perSecond: index === 0 ? rates[0] : rates[1],
        })),
      ),
      mail: [NO_MILTER, MILTER].map((contestant) => ({ contestant, round: 1, perSecond: 10 })),
      residentMB: { socketmap: 90, milter: 91 },
    });
    assert.match(text, new RegExp(`^${SOCKETMAP_NAME}: at least 0\\.8 of PostSRSd: ${ratio}$`, "m"));
    assert.match(text, new RegExp(`^${SOCKETMAP_NAME}: at least 100000/s: ${pipelined}$`, "m"));
    assert.match(text, /^homing socketmap: 90 MB resident; at most 90: met$/m);
    assert.match(text, /^homing milter: 91 MB resident; at most 90: MISSED$/m);
  });
}

test("no more questions are outstanding than the shape has, and answers are counted, however they come", async (t) => {
  let most = 0;
  let answers = 0;
  const server = createServer((socket) => {
    let waiting = 0;
    socket.on("data", (octets: Buffer) => {
      waiting += octets.toString().split("\n").length - 1;
      most = Math.max(most, waiting);
    });
    const timer = setInterval(() => {
      if (waiting === 0) return;
      waiting--;
      answers++;
      // In two pieces.
      socket.write("200 ");
      socket.write("x\n");
    }, 1);
    socket.on("close", () => clearInterval(timer)).on("error", () => {});
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.after(() => server.close());
  const shape = { connections: 1, outstanding: 8 };
  const perSecond = await measureLookUps({ place: { port }, dialect: TCP_TABLE, shape, seconds: 0.3 });
  assert.equal(most, 8);
  assert.ok(perSecond > 0 && perSecond * 0.3 <= answers + 1, `${perSecond}/s, ${answers} answers`);
});

const skip = (await storiesNeed("postfix", "postsrsd")) ?? false;

test("in its shortest form all maps answer, all mail arrives, and there is a row for each contestant", {
  skip,
}, async () => {
  const { code, stdout, stderr } = await run([process.execPath, MAIN, "--smoke"], { seconds: SMOKE_SECONDS });
  assert.equal(code, 0, stderr);
  const text = stdout.toString();
  for (const name of [...MAPS, NO_MILTER, MILTER])
    assert.match(text, new RegExp(`^${name} +[1-9]\\d* `, "m"));
  for (const command of ["socketmap", "tcp-tables", "milter"])
    assert.match(text, new RegExp(`^homing ${command}: \\d+ MB resident`, "m"));
});
