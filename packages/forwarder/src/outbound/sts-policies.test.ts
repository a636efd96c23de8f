import assert from "node:assert/strict";
import { test } from "node:test";
import { createStsPolicies, type PolicyAnswer, type TxtAnswer } from "./sts-policies.ts";

const DAY = 86_400;

/** A world with one domain, d.test, whose record and file a test changes. */
function scene() {
  const world = {
    now: 1_000_000,
    txt: { kind: "texts", texts: ["v=STSv1; id=one"] } as TxtAnswer,
    file: file("mx1.test"),
    asked: [] as string[],
    reported: [] as string[],
  };
  const policies = createStsPolicies({
    async txt(name) {
      world.asked.push(name);
      return world.txt;
    },
    async fetchPolicy(host) {
      world.asked.push(host);
      return world.file;
    },
    now: () => world.now,
    report: (domain, cause) => world.reported.push(`${domain}: ${cause}`),
  });
  const mx = async () => (await policies.policyFor("D.Test"))?.mx.join(" ");
  return { world, policies, mx };
}

function file(mx: string, maxAge = 10 * DAY): PolicyAnswer {
  return { kind: "text", text: `version: STSv1\nmode: enforce\nmx: ${mx}\nmax_age: ${maxAge}\n` };
}

const NO_TXT: TxtAnswer = { kind: "texts", texts: [] };
const FAILED = { kind: "failed", cause: "SERVFAIL" } as const;

test("a policy is discovered once, and asked for again after five minutes, by its id alone", async () => {
  const { world, mx } = scene();
  assert.deepEqual([await mx(), await mx()], ["mx1.test", "mx1.test"]);
  assert.deepEqual(world.asked, ["_mta-sts.d.test", "mta-sts.d.test"]);
  world.now += 300;
  await mx();
  assert.deepEqual(world.asked.slice(2), ["_mta-sts.d.test"]);
});

test("a new id brings the new policy", async () => {
  const { world, mx } = scene();
  await mx();
  Object.assign(world, {
    txt: { kind: "texts", texts: ["v=STSv1; id=two"] },
    file: file("mx2.test"),
    now: world.now + 300,
  });
  assert.equal(await mx(), "mx2.test");
});

test("a policy holds until it expires, whatever DNS and the web server say (§5.1)", async () => {
  for (const change of [
    { txt: NO_TXT },
    { txt: FAILED },
    { file: FAILED },
    { file: { kind: "text", text: "404" } },
  ]) {
    const { world, mx } = scene();
    await mx();
    Object.assign(world, change, { now: world.now + 9 * DAY });
    assert.equal(await mx(), "mx1.test");
    world.now += DAY;
    assert.equal(await mx(), undefined);
  }
});

test("a policy is renewed when half of its time is over", async () => {
  const { world, mx } = scene();
  await mx();
  world.now += 5 * DAY;
  await mx();
  world.file = FAILED;
  world.now += 9 * DAY;
  assert.equal(await mx(), "mx1.test");
});

test("a domain without a policy is asked again after five minutes, and one that cannot be had is told", async () => {
  const { world, mx } = scene();
  world.file = FAILED;
  assert.deepEqual([await mx(), await mx()], [undefined, undefined]);
  assert.equal(world.asked.length, 2);
  assert.deepEqual(world.reported, ["d.test: SERVFAIL"]);
  Object.assign(world, { file: file("mx1.test"), now: world.now + 300 });
  assert.equal(await mx(), "mx1.test");
});

test("a domain without a record is not asked for a file", async () => {
  const { world, mx } = scene();
  world.txt = NO_TXT;
  assert.equal(await mx(), undefined);
  assert.deepEqual(world.asked, ["_mta-sts.d.test"]);
  assert.deepEqual(world.reported, []);
});

test("a policy of no duration holds for five minutes: not each message fetches it", async () => {
  const { world, mx } = scene();
  world.file = file("mx1.test", 0);
  for (let message = 0; message < 5; message++) assert.equal(await mx(), "mx1.test");
  assert.equal(world.asked.length, 2);
});

test("messages that come together ask once", async () => {
  const { world, mx } = scene();
  assert.deepEqual(await Promise.all([mx(), mx(), mx()]), ["mx1.test", "mx1.test", "mx1.test"]);
  assert.equal(world.asked.length, 2);
});

test("of many domains the one that was checked longest ago is forgotten", async () => {
  const { world, policies } = scene();
  world.txt = NO_TXT;
  for (let domain = 0; domain <= 20_000; domain++) await policies.policyFor(`d${domain}.test`);
  world.asked.length = 0;
  for (const domain of ["d20000.test", "d1.test", "d0.test"]) await policies.policyFor(domain);
  assert.deepEqual(world.asked, ["_mta-sts.d0.test"]);
});
