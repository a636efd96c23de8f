// deploy/php with the PHP of Debian: mail() says true when the server has the message, and false when it has not.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { storiesNeed } from "./harness/availability.ts";
import { run } from "./harness/command.ts";
import { debianRoot } from "./harness/debian-packages.ts";
import { plainEnvironment } from "./harness/homing.ts";
import {
  certifyLocalhost,
  type SubmissionPeerOptions,
  startSubmissionPeer,
} from "./harness/submission-peer.ts";

const ROOT = resolve(import.meta.dirname, "..");
const RECIPE = join(ROOT, "deploy/php");
const skip = await storiesNeed("php8.2-cli");

const folder = await mkdtemp(join(tmpdir(), "homing-"));
after(() => rm(folder, { recursive: true, force: true }));
await certifyLocalhost(folder);
await writeFile(join(folder, "sendmail.password"), "a good password\n", { mode: 0o600 });
const wrapper = readFileSync(join(RECIPE, "sendmail"), "utf8").replace("root=/opt/homing", `root=${ROOT}`);
await writeFile(join(folder, "sendmail"), wrapper, { mode: 0o755 });
const ini = readFileSync(join(RECIPE, "php.ini"), "utf8").replace("/usr/sbin", folder);
await writeFile(join(folder, "php.ini"), ini);

/** What a script of PHP prints. */
async function php(script: string, peer: Omit<SubmissionPeerOptions, "folder"> = {}) {
  await using server = await startSubmissionPeer({ folder, ...peer });
  const settings = (await readFile(join(RECIPE, "sendmail.yaml"), "utf8"))
    .replace("mail.site.example:465", `localhost:${server.port}`)
    .replace("name: web1", "name: web\ncaFile: cert.pem");
  await writeFile(join(folder, "sendmail.yaml"), settings);
  const root = await debianRoot("php8.2-cli");
  const result = await run(
    [join(root, "usr/bin/php8.2"), "-n", "-c", join(folder, "php.ini"), "-r", script],
    {
      env: {
        ...plainEnvironment(),
        LD_LIBRARY_PATH: join(root, "usr/lib/x86_64-linux-gnu"),
        HOMING_SENDMAIL_CONFIG: join(folder, "sendmail.yaml"),
      },
    },
  );
  return { ...result, printed: String(result.stdout), taken: server.taken };
}

test("mail() as WordPress calls it: several recipients, Bcc, its own sender", { skip }, async () => {
  const headers = '"From: WordPress <wordpress@site.example>\\r\\nBcc: hidden@h.example\\r\\nX-Mailer: PHP"';
  const script = `var_dump(mail("Ann <ann@a.example>, bob@b.example", "Hi", "one\\r\\n.\\ntwo", ${headers}, "-fwordpress@site.example"));`;
  const { printed, taken, stderr } = await php(script);
  assert.equal(printed, "bool(true)\n", stderr);
  const [mail] = taken;
  assert.deepEqual(
    [mail?.reversePath, mail?.recipients],
    ["wordpress@site.example", ["ann@a.example", "bob@b.example", "hidden@h.example"]],
  );
  assert.match(
    mail?.message ?? "",
    /^Date: .*\r\nMessage-ID: <[\w-]+@site\.example>\r\nTo: Ann .*\r\nSubject: Hi\r\nFrom: WordPress/,
  );
  assert.match(mail?.message ?? "", /X-Mailer: PHP\r\n\r\none\r\n\.\r\ntwo\r\n$/);
  assert.doesNotMatch(mail?.message ?? "", /hidden/);
});

for (const [what, peer] of [
  ["refuses the recipient", { rcpt: () => "550 5.1.1 no such user" }],
  ["has no room now", { dot: () => "452 4.3.1 no room" }],
  ["does not know the password", { password: "another" }],
] as const) {
  test(`mail() is false where the server ${what}, and says why`, { skip }, async () => {
    const { printed, stderr, taken } = await php('var_dump(mail("ann@a.example", "Hi", "x"));', peer);
    assert.deepEqual([printed, taken.length], ["bool(false)\n", 0]);
    assert.match(stderr, /^homing sendmail: /);
  });
}
