// The examples of docs/spfd.md, asked of `homing readsocket` and `homing spfd`.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { startDnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { startHoming } from "./harness/homing.ts";

const page = await readFile(resolve(import.meta.dirname, "../docs/spfd.md"), "utf8");

for (const adapter of ["readsocket", "spfd"] as const) {
  test(`docs/spfd.md: ${adapter}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "homing-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const socket = join(folder, adapter);
    const { place } = await startDnsServer(t, {
      "origin.example": [{ type: "TXT", strings: ["v=spf1 ip4:192.0.2.1 -all"] }],
      "broken.example": "SERVFAIL",
    });
    await writeFile(join(folder, "secrets"), "a secret of the stories, and long enough\n", { mode: 0o600 });
    await writeFile(
      join(folder, "homing.yaml"),
      configuration(place.port, `${adapter}: { listen: "unix:${socket}" }`),
    );
    await using service = startHoming([adapter, "--config", join(folder, "homing.yaml")]);
    await service.waitForOutput(/"adapter-listening"/);

    const examples = examplesOf(adapter);
    assert.ok(examples.length > 0);
    for (const { question, answer } of examples) {
      await t.test(question, async () => {
        using wire = new Wire(connect(socket));
        wire.send(question);
        assert.match(await wire.rest(), answer);
      });
    }
    await t.test("a question without an end", async () => {
      const { question, answer } = examples[0] ?? assert.fail();
      using wire = new Wire(connect(socket));
      wire.socket.end(question.trimEnd());
      assert.match(await wire.rest(), answer);
    });
    await t.test(
      "what is too long ends the connection without an answer, with one line in the log",
      async () => {
        using wire = new Wire(connect(socket));
        wire.send("x".repeat(5000));
        assert.equal(await wire.rest(), "");
        await service.waitForOutput(/"event":"adapter-fault".*more than \d+ octets/);
      },
    );
  });
}

function configuration(dnsPort: number, adapter: string): string {
  return [
    "hostname: mx.forwarder.example",
    "domains: [forwarder.example]",
    "srs: { domain: bounces.forwarder.example, secretsFile: secrets }",
    `dns: { servers: ["127.0.0.1:${dnsPort}"] }`,
    `adapters: { ${adapter} }`,
    "",
  ].join("\n");
}

interface Example {
  readonly question: string;
  readonly answer: RegExp;
}

/** Lines of a question begin with `> `, those of its answer with `< `; `…` is anything. */
function examplesOf(adapter: string): readonly Example[] {
  const [, text = ""] = new RegExp(`^\`\`\`${adapter}\\n([^]*?)^\`\`\`$`, "m").exec(page) ?? [];
  const examples = text.matchAll(/((?:^> .*\n)+)((?:^< .*\n)+)/gm);
  return [...examples].map(([, question = "", answer = ""]) => ({
    question: question.replaceAll(/^> /gm, ""),
    answer: new RegExp(`^${answer.replaceAll(/^< /gm, "").split("…").map(literal).join(".*")}$`),
  }));
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
