import assert from "node:assert/strict";
import { test } from "node:test";
import type { NextHop, NextHops } from "../next-hops.ts";
import { withStsPolicies } from "./sts-hops.ts";
import type { StsPolicy } from "./sts-policy.ts";

const MX1: NextHop = { host: "192.0.2.1", port: 25, name: "mx1.test" };
const EVIL: NextHop = { host: "192.0.2.66", port: 25, name: "mx.evil.test" };
const ROUTE: NextHop = { host: "smart.test", port: 587 };

function find(hosts: readonly NextHop[], mode: StsPolicy["mode"] | undefined): Promise<NextHops> {
  const policies = {
    async policyFor(domain: string) {
      assert.equal(domain, "d.test");
      assert.notDeepEqual(hosts, [ROUTE], "a policy was asked for, for a route");
      return mode && { mode, mx: ["mx1.test"], maxAgeSeconds: 1 };
    },
  };
  return withStsPolicies(async () => ({ kind: "hosts", hosts }), policies)("d.test");
}

test("enforce: hosts that the policy does not name are left out, the others need verified TLS", async () => {
  assert.deepEqual(await find([EVIL, MX1], "enforce"), {
    kind: "hosts",
    hosts: [{ ...MX1, tls: "required-verified", sts: { mode: "enforce", matches: true } }],
  });
});

test("enforce, and no host that the policy names: 4.7.0, for later", async () => {
  assert.deepEqual(await find([EVIL], "enforce"), {
    kind: "unknown",
    enhanced: "4.7.0",
    cause: "no MX host is one that the MTA-STS policy of d.test names: mx.evil.test",
  });
});

test("testing: every host is used as ever, and what the policy says of it is marked", async () => {
  assert.deepEqual(await find([EVIL, MX1], "testing"), {
    kind: "hosts",
    hosts: [
      { ...EVIL, sts: { mode: "testing", matches: false } },
      { ...MX1, sts: { mode: "testing", matches: true } },
    ],
  });
});

for (const mode of ["none", undefined] as const) {
  test(`${mode ?? "no policy"}: TLS stays opportunistic`, async () => {
    assert.deepEqual(await find([EVIL], mode), { kind: "hosts", hosts: [EVIL] });
  });
}

test("routes and smart hosts are the operator's own: no policy is asked for", async () => {
  assert.deepEqual(await find([ROUTE], "enforce"), { kind: "hosts", hosts: [ROUTE] });
});
