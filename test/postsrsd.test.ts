// Homing in PostSRSd's place: the same questions, one secret, the same answers; and what differs, with the reason.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { renderPercent } from "../packages/mta-adapters/src/tcp-table/percent.ts";
import { storiesNeed } from "./harness/availability.ts";
import { startHoming, withoutChecks } from "./harness/homing.ts";
import { askTcpTable, startPostsrsd } from "./harness/postsrsd.ts";
import { DIFFERENT, DOMAIN, type Question, SAME, SECRET } from "./postsrsd/questions.ts";

const skip = (await storiesNeed("postsrsd")) ?? false;

const ports: Record<"peer" | "ours", Record<Question[0], number>> = {
  peer: { forward: 0, reverse: 0 },
  ours: { forward: 0, reverse: 0 },
};
const stack = new AsyncDisposableStack();

before(async () => {
  if (skip) return;
  const excluded = ["home.example", ".customers.example"];
  ports.peer = stack.use(await startPostsrsd({ domain: DOMAIN, secret: SECRET, excluded }));
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "secrets"), `${SECRET}\n`, { mode: 0o600 });
  const config = [
    `hostname: mx.${DOMAIN}`,
    `domains: [${DOMAIN}]`,
    `srs: { domain: ${DOMAIN}, secretsFile: secrets, scheme: classic }`,
    "adapters:",
    '  tcpTables: { forward: "127.0.0.1:0", reverse: "127.0.0.1:0" }',
    `  ownDomains: [${excluded.join(", ")}]`,
    "",
  ];
  await writeFile(join(folder, "homing.yaml"), withoutChecks(config.join("\n")));
  const service = stack.use(startHoming(["tcp-tables", "--config", join(folder, "homing.yaml")]));
  const [, forward, reverse] = await service.waitForOutput(
    /adapter-listening.*127\.0\.0\.1:(\d+)[\s\S]*adapter-listening.*127\.0\.0\.1:(\d+)/,
  );
  ports.ours = { forward: Number(forward), reverse: Number(reverse) };
});
after(() => stack.disposeAsync());

/** A value, or the code alone: the words behind 500 are for people. */
function answer(reply: string): string {
  return reply.startsWith("200 ") ? reply : reply.slice(0, 3);
}

async function both([map, key]: Question): Promise<{ peer: string; ours: string }> {
  const line = `get ${renderPercent(key)}`;
  for (;;) {
    const ours = answer(await askTcpTable(ports.ours[map], line));
    const peer = answer(await askTcpTable(ports.peer[map], line));
    // At midnight the day in an address becomes another one.
    if (answer(await askTcpTable(ports.ours[map], line)) === ours) return { peer, ours };
  }
}

for (const question of SAME) {
  test(`${question[0]} ${JSON.stringify(question[1])} is answered as PostSRSd answers it`, {
    skip,
  }, async () => {
    const { peer, ours } = await both(question);
    assert.match(peer, /^(200 .*|500)$/);
    assert.equal(ours, peer);
  });
}

for (const { questions, peer, ours, reason } of DIFFERENT) {
  for (const question of questions) {
    test(`${question[0]} ${JSON.stringify(question[1].slice(0, 80))} differs: ${reason}`, {
      skip,
    }, async () => {
      const said = await both(question);
      assert.match(said.peer, peer);
      assert.match(said.ours, ours);
      assert.notEqual(said.ours, said.peer, "it no longer differs: move it to those that are the same");
    });
  }
}

test("the page about moving has every difference", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/postsrsd.md"), "utf8").replaceAll("`", "");
  for (const { reason } of DIFFERENT) assert.ok(page.includes(reason), reason);
});

test("what no Postfix says ends the connection, and nobody else's", { skip }, async () => {
  assert.equal(await askTcpTable(ports.ours.forward, "GET / HTTP/1.1"), "");
  assert.equal(await askTcpTable(ports.ours.forward, "put bob x"), "500 nothing can be put into this table");
  assert.match(await askTcpTable(ports.ours.forward, "get %zz"), /^500 /);
  assert.match(await askTcpTable(ports.ours.forward, "get bob@origin.example"), /^200 SRS0=/);
});
