import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { request, systemWorld } from "./world.ts";

test("a service that takes the question and never answers is left", async (t) => {
  const server = createServer(() => {});
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await assert.rejects(request(url, {}, 50), { name: "TimeoutError" });
});

test("ids are not made twice, and fit into a Message-ID", () => {
  const ids = new Set(Array.from({ length: 1000 }, () => systemWorld.newId()));
  assert.equal(ids.size, 1000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
});

test("the clock gives Unix seconds", () => {
  const now = systemWorld.now();
  assert.ok(Number.isSafeInteger(now) && now > 1_750_000_000 && now < 100_000_000_000);
});
