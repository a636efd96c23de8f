// Addresses that Homing forges in classic mode, at the command line as a user does it, and Mail::SRS: each reverses
// what the other has made with the same secret.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { storiesNeed } from "./harness/availability.ts";
import { homing } from "./harness/homing.ts";
import { perlSrs } from "./harness/mail-srs.ts";

const skip = (await storiesNeed("libmail-srs-perl")) ?? false;
const SECRET = "shared with an older site";
const NOW = new Date("2026-11-21T12:00:00Z");
const AT = ["--at", NOW.toISOString()];

const senders = [
  "bob@source.example",
  "Bob.Smith+list@Source.Example",
  "prvs=1234abcdef=bob@source.example",
  "SRS0=HHHH=TT=first.example=carol@second.example",
  "SRS1=HHHH=first.example==IIII=TT=origin.example=dave@third.example",
];

test("Homing and Mail::SRS reverse each other's classic addresses", { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const secrets = join(folder, "secrets");
  await writeFile(secrets, `${SECRET}\n`, { mode: 0o600 });
  await using peer = await perlSrs();

  for (const sender of senders) {
    for (const separator of ["=", "+", "-"] as const) {
      const style = ["--scheme", "classic", "--separator", separator];
      const forged = await answer([
        "forge",
        sender,
        "--domain",
        "fwd.example",
        "--secrets",
        secrets,
        ...style,
        ...AT,
      ]);
      const options = { secret: SECRET, now: NOW, separator };
      assert.equal(
        forged,
        await peer.forward(sender, "fwd.example", options),
        "byte for byte the same address",
      );
      const inner = await peer.reverse(forged, options);
      assert.equal(await answer(["reverse", forged, "--secrets", secrets, ...AT]), inner);
      if (!sender.startsWith("SRS")) assert.equal(inner, sender);
    }
  }
});

async function answer(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await homing(args);
  assert.equal(code, 0, stderr);
  return stdout.toString().trimEnd();
}
