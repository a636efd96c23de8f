// Postfix reads the same .forward files: where a real one sends the mail is where our parser says.
import assert from "node:assert/strict";
import { chown, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { renderMailbox } from "@homing/srs-core";
import { type ForwardTarget, parseForwardFile } from "../packages/forwarder/src/dot-forward/forward-file.ts";
import { storiesNeed } from "./harness/availability.ts";
import { type Postfix, startPostfix } from "./harness/postfix.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("postfix")) ?? false;
const SITE = "home.example";

const files: readonly string[] = [
  "alice@x.example",
  "alice@x.example\n# a comment\n\nbob@y.example\n",
  "alice@x.example, bob@y.example,carol@z.example",
  "alice@x.example bob@y.example",
  ",alice@x.example,,\n,bob@y.example,",
  '"a b"@x.example',
  '"c,d"@x.example, bob@y.example',
  "Alice Ann <alice@x.example>, bob@y.example",
  '"Ann, Alice" <alice@x.example>',
  "<alice@x.example>",
  "alice@x.example (at (her) home, bob@y.example)",
  "(Alice) alice@x.example",
  '"alice@x.example"',
  "keeper",
  "\\keeper, alice@x.example",
  '"\\keeper", alice@x.example',
  "alice#b@x.example",
  "  \talice@x.example  \n\tbob@y.example",
  "alice@x.example\r\nbob@y.example\r\n",
  "keeper alice@x.example, bob@y.example",
];

function addressOf(target: ForwardTarget): string {
  if (target.kind === "mailbox") return renderMailbox(target.mailbox);
  return `${target.name}@${SITE}`;
}

test("Postfix sends the mail of each .forward to the same addresses", { skip }, async (t) => {
  const users = files.map((_, index) => `user${index}`);
  await using postfix = await startPostfix({
    hostname: SITE,
    destinations: [SITE],
    mailboxes: [...users, "keeper"],
    settings: { forward_path: "/var/mail/$user/.forward", default_transport: "discard" },
  });
  for (const [index, text] of files.entries()) {
    const folder = join(postfix.folder, "var/mail", `user${index}`);
    const file = join(folder, ".forward");
    await writeFile(file, text, { mode: 0o600 });
    const { uid, gid } = await stat(folder);
    await chown(file, uid, gid);
  }
  for (const user of users) {
    await postfix.submit({ from: "x@source.example", to: `${user}@${SITE}`, message: "Subject: x\n\nx\n" });
  }
  await waitFor(async () => ((await isDone(postfix, users)) ? true : undefined), {
    seconds: 20,
    otherwise: () => postfix.tail(),
  });
  const log = await postfix.log();
  for (const [index, text] of files.entries()) {
    await t.test(JSON.stringify(text), () => {
      const ours = parseForwardFile(text);
      assert.deepEqual(ours.problems, []);
      const sent = new RegExp(`to=<(.*)>, orig_to=<user${index}@home\\.example>,.* status=sent`, "g");
      const addresses = [...log.matchAll(sent)].map((match) => match[1] ?? "");
      assert.deepEqual(addresses.sort(), ours.targets.map(addressOf).sort());
    });
  }
});

/** Each message was looked at, and nothing that came of it waits any more. */
async function isDone(postfix: Postfix, users: readonly string[]): Promise<boolean> {
  const log = await postfix.log();
  if (!users.every((user) => log.includes(`to=<${user}@${SITE}>`))) return false;
  const { stdout } = await postfix.run(["postqueue", "-p"]);
  return String(stdout).includes("Mail queue is empty");
}
