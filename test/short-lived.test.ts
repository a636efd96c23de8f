// What a message leaves on the heap of the service must die young. Kept by something old, it costs no mail: only the collector's
// time, and memory up to the next time that all is cleared. So nobody would notice.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { startHomingService } from "./harness/homing.ts";
import { settledOutput } from "./harness/settled-output.ts";
import { waitFor } from "./harness/wait.ts";

const PRELOADED = new URL("./harness/old-generation.ts", import.meta.url).href;
const WARM = 200;
const MESSAGES = 300;
/** 1,500 were measured, nearly all of them Node's own for a socket; with Sets and Maps in place of registers 5,600. */
const MOST_OCTETS = 2500;

test("of a message that is over, hardly anything reaches the old generation", async () => {
  await using hop = await startHop();
  await using service = await startHomingService({
    config: [
      "hostname: mx.forwarder.example",
      "listen: 127.0.0.1:0",
      "domains: [forwarder.example]",
      "aliasesFile: aliases",
      "srs: { domain: forwarder.example, secretsFile: secrets }",
      `delivery: { smartHost: "127.0.0.1:${hop.port}" }`,
      "",
    ].join("\n"),
    aliases: "alice: private@home.example\n",
    secret: "a secret of the stories, and long enough",
    env: { NODE_OPTIONS: `--import=${PRELOADED}` },
  });
  const send = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent++) {
      using client = await greeted(service);
      const message = "From: bob@origin.example\r\n\r\nhello\r\n";
      const reply = await transact(client, {
        from: "bob@origin.example",
        to: "alice@forwarder.example",
        message,
      });
      assert.match(reply, /^250/);
      assert.match(await client.ask("QUIT"), /^221/);
    }
    await settledOutput(service);
  };
  const oldOctets = async (time: number): Promise<number> => {
    process.kill(service.pid, "SIGUSR2");
    const told = (): string | undefined =>
      [...service.stderr().matchAll(/^old generation: (\d+)$/gm)][time]?.[1];
    return Number(await waitFor(told, { seconds: 10, otherwise: () => service.stderr() }));
  };

  await send(WARM);
  const before = await oldOctets(0);
  await send(MESSAGES);
  const each = ((await oldOctets(1)) - before) / MESSAGES;
  assert.ok(each > 0 && each < MOST_OCTETS, `${each} octets of each message`);
});
