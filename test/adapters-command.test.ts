// `homing adapters`, and the commands that run one adapter alone: what they start, what they say where they cannot, and how
// they end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { homing, startHoming } from "./harness/homing.ts";

const SECRET = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

const COMMANDS = [
  ["socketmap", "socketmap"],
  ["tcp-tables", "tcpTables"],
  ["policy", "policy"],
  ["milter", "milter"],
  ["spfd", "spfd"],
  ["readsocket", "readsocket"],
] as const;

const ALL = `
  socketmap: { listen: "127.0.0.1:0" }
  tcpTables: { forward: "127.0.0.1:0", reverse: "127.0.0.1:0", reject: "127.0.0.1:0" }
  policy: { listen: "127.0.0.1:0" }
  milter: { listen: "127.0.0.1:0" }
  spfd: { listen: "127.0.0.1:0" }
  readsocket: { listen: ["127.0.0.1:0", "127.0.0.1:0"] }
`;

const BASE = `hostname: mx.forwarder.example
domains: [forwarder.example]
srs: { domain: bounces.forwarder.example, secretsFile: secrets }
`;

interface Site {
  readonly folder: string;
  readonly config: string;
}

async function site(t: TestContext, adapters: string, more = ""): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, "homing.yaml");
  await writeFile(config, `${BASE}adapters:\n${adapters.replace(/^\n/, "")}\n${more}`);
  await writeFile(join(folder, "secrets"), `${SECRET}\n`, { mode: 0o600 });
  return { folder, config };
}

function listening(output: string): { adapter: string; place: string }[] {
  return output
    .split("\n")
    .filter((line) => line.includes('"adapter-listening"'))
    .map((line) => JSON.parse(line) as { adapter: string; place: string });
}

/** What is answered to one line, to the end of the connection. */
async function asked(place: string, line: string): Promise<string> {
  const socket = place.startsWith("unix:")
    ? connect(place.slice("unix:".length))
    : connect(Number(place.split(":").at(-1)), "127.0.0.1");
  socket.write(line);
  let said = "";
  for await (const chunk of socket) said += String(chunk);
  return said;
}

for (const [command, name] of COMMANDS) {
  test(`homing ${command} runs that adapter alone, and ends with 0 at SIGTERM`, async (t) => {
    const { config } = await site(t, ALL);
    await using running = startHoming([command, "--config", config]);
    await running.waitForOutput(/"adapter-listening"/);
    assert.deepEqual([...new Set(listening(running.stdout()).map(({ adapter }) => adapter))], [name]);
    assert.equal(await running.stop(), 0);
  });

  test(`homing ${command} without adapters.${name} is told so, with exit code 78`, async (t) => {
    const { config } = await site(
      t,
      name === "spfd" ? `  milter: { listen: "127.0.0.1:0" }` : `  spfd: { listen: "127.0.0.1:0" }`,
    );
    const { code, stderr } = await homing([command, "--config", config]);
    assert.equal(String(stderr), `homing: ${config}: adapters.${name} is not set: write where it listens\n`);
    assert.equal(code, 78);
  });
}

test("homing adapters runs all that the configuration names, in one process", async (t) => {
  const { config } = await site(t, ALL);
  await using running = startHoming(["adapters", "--config", config]);
  await running.waitForOutput(/"adapter":"readsocket".*\n.*"adapter":"readsocket"/);
  const places = listening(running.stdout());
  assert.deepEqual(
    places.map(({ adapter }) => adapter),
    [
      "socketmap",
      "tcpTables",
      "tcpTables",
      "tcpTables",
      "policy",
      "milter",
      "spfd",
      "readsocket",
      "readsocket",
    ],
  );
  const answer = await asked(places.at(-1)?.place ?? "", "forward bob@origin.example\n");
  assert.match(answer, /^OK SRS0=[a-z0-9]{8}=[A-Z2-7]{2}=origin\.example=bob@bounces\.forwarder\.example\n$/);
});

test("homing adapters without any is told so, with exit code 78", async (t) => {
  const { config } = await site(t, "  ownDomains: [club.example]");
  const { code, stderr } = await homing(["adapters", "--config", config]);
  assert.match(
    String(stderr),
    /adapters names none: set adapters\.policy, adapters\.milter or another of them\n$/,
  );
  assert.equal(code, 78);
});

test("homing serve runs them beside the SMTP service, and needs no tables then", async (t) => {
  const { config } = await site(t, ALL, "listen: 127.0.0.1:0\ndkim: unsigned\n");
  await using running = startHoming(["serve", "--config", config]);
  await running.waitForOutput(/"event":"listening"/);
  assert.equal(listening(running.stdout()).length, 9);
  assert.equal(await running.stop(), 0);
});

test("a UNIX socket has the mode and the group that the configuration says, and one that was left over is in nobody's way", async (t) => {
  const { folder, config } = await site(t, "");
  const socket = join(folder, "readsocket");
  const group = process.getgid?.() ?? 0;
  await writeFile(
    config,
    `${BASE}adapters: { readsocket: { listen: "unix:${socket}", mode: "0606", group: ${group} } }\n`,
  );
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await using running = startHoming(["readsocket", "--config", config]);
    await running.waitForOutput(/"adapter-listening"/);
    const status = await stat(socket);
    assert.equal(status.mode & 0o777, 0o606);
    assert.equal(status.gid, group);
    assert.equal(
      await asked(`unix:${socket}`, "forward bob@forwarder.example\n"),
      "NOTFOUND a domain of ours\n",
    );
    await running.stop(signal);
  }
});

test("a port that is taken is told with its setting, with exit code 69, and no other port stays open", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const { config } = await site(
    t,
    `  spfd: { listen: "127.0.0.1:0" }\n  readsocket: { listen: "127.0.0.1:${port}" }`,
  );
  const { code, stderr } = await homing(["adapters", "--config", config]);
  assert.equal(
    String(stderr),
    `homing: 127.0.0.1:${port} is taken by another program: stop it, or change adapters.readsocket.listen in ${config}\n`,
  );
  assert.equal(code, 69);
});

test("a folder that is not there, and a file in the way, are told as what they are, with exit code 78", async (t) => {
  const { folder, config } = await site(t, "");
  const cases = [
    [`${folder}/none/policy`, `the folder ${folder}/none is not there: make it`],
    [`${folder}/secrets`, `${folder}/secrets is there, and is no socket: remove it`],
  ] as const;
  for (const [path, why] of cases) {
    await writeFile(config, `${BASE}adapters: { policy: { listen: "unix:${path}" } }\n`);
    const { code, stderr } = await homing(["adapters", "--config", config]);
    assert.equal(
      String(stderr),
      `homing: unix:${path}: ${why}, or change adapters.policy.listen in ${config}\n`,
    );
    assert.equal(code, 78);
  }
});

test("homing config check tells of a folder that is not there, and warns as the start does", async (t) => {
  const { folder, config } = await site(t, "");
  await writeFile(
    config,
    `${BASE}dkim: unsigned\nadapters: { policy: { listen: "unix:${folder}/none/p" } }\n`,
  );
  const missing = await homing(["config", "check", "--config", config]);
  assert.equal(
    String(missing.stderr),
    `homing: adapters.policy.listen: unix:${folder}/none/p: the folder ${folder}/none is not there: make it\n`,
  );
  assert.equal(missing.code, 78);
  await writeFile(
    config,
    `${BASE}dkim: unsigned\nadapters: { milter: { listen: "0.0.0.0:0", mode: "0600" } }\n`,
  );
  const open = await homing(["config", "check", "--config", config]);
  assert.equal(open.code, 0);
  assert.match(String(open.stderr), /warning: adapters\.milter\.listen: 0\.0\.0\.0 is open/);
  assert.match(String(open.stderr), /warning: adapters\.milter: mode: of UNIX sockets/);
});

test("homing serve warns at its start of a place that other machines reach", async (t) => {
  const { config } = await site(
    t,
    `  socketmap: { listen: "0.0.0.0:0" }`,
    "listen: 127.0.0.1:0\ndkim: unsigned\n",
  );
  await using running = startHoming(["serve", "--config", config]);
  await running.waitForOutput(/"event":"listening"/);
  assert.match(running.stderr(), /homing: warning: adapters\.socketmap\.listen: 0\.0\.0\.0 is open/);
});

test("two adapters at one place are a mistake of the file, with its line", async (t) => {
  const { config } = await site(
    t,
    `  spfd: { listen: "127.0.0.1:5970" }\n  readsocket: { listen: "127.0.0.1:5970" }`,
  );
  const { code, stderr } = await homing(["adapters", "--config", config]);
  assert.equal(
    String(stderr),
    `homing: ${config}:6:17 adapters.readsocket.listen.0: is where adapters.spfd.listen listens: choose another place\n`,
  );
  assert.equal(code, 78);
});

test("a place that other machines reach is warned of at the start, of the adapters that are started", async (t) => {
  const { config } = await site(
    t,
    `  socketmap: { listen: "0.0.0.0:0" }\n  policy: { listen: "127.0.0.1:0", group: root }`,
  );
  for (const [command, told] of [
    ["socketmap", /^homing: warning: adapters\.socketmap\.listen: 0\.0\.0\.0 is open .*\n$/],
    ["policy", /^homing: warning: adapters\.policy: group: of UNIX sockets.*\n$/],
    ["adapters", /^homing: warning: adapters\.socketmap.*\nhoming: warning: adapters\.policy.*\n$/],
  ] as const) {
    await using running = startHoming([command, "--config", config]);
    await running.waitForOutput(/"adapter-listening"/);
    assert.match(running.stderr(), told);
    assert.equal(await running.stop(), 0);
  }
});

test("homing adapters without the map is told what to set, with tables and without", async (t) => {
  const { folder, config } = await site(t, "");
  await writeFile(config, BASE);
  const { stderr } = await homing(["adapters", "--config", config]);
  assert.match(
    String(stderr),
    /aliasesFile: no table says where .*; for another mail server set adapters\n$/,
  );
  await writeFile(config, `${BASE}aliasesFile: aliases\n`);
  await writeFile(join(folder, "aliases"), "postmaster: x@home.example\n");
  const withTables = await homing(["adapters", "--config", config]);
  assert.equal(
    String(withTables.stderr),
    `homing: ${config}: adapters is not set: set adapters.policy, adapters.milter or another of them\n`,
  );
  assert.equal(withTables.code, 78);
});

test("--help of an adapter says where to read on, and what SIGHUP does", async () => {
  const { code, stdout } = await homing(["milter", "--help"]);
  assert.equal(code, 0);
  assert.match(String(stdout), /SIGHUP reads .* anew[\s\S]*docs\/mta\.md/);
});

test("a group that is not there is told with its setting, with exit code 78", async (t) => {
  const { config } = await site(t, `  spfd: { listen: "unix:/tmp/x", group: no-such-group-here }`);
  const { code, stderr } = await homing(["spfd", "--config", config]);
  assert.match(
    String(stderr),
    /^homing: adapters\.spfd\.group: there is no group "no-such-group-here" in \/etc\/group: /,
  );
  assert.equal(code, 78);
});

test("homing config check tells of an account and of a file that are not there", async (t) => {
  const { config } = await site(
    t,
    `  spfd: { listen: "unix:/tmp/x", group: no-such-group-here }\n  ownDomainsFiles: [none]`,
    "dkim: unsigned\n",
  );
  const { code, stderr } = await homing(["config", "check", "--config", config]);
  assert.match(String(stderr), /adapters\.spfd\.group: there is no group/);
  assert.equal(code, 78);
});

test("at SIGHUP a file of own domains is read anew, and the log says so", async (t) => {
  const { folder, config } = await site(
    t,
    `  readsocket: { listen: "127.0.0.1:0" }\n  ownDomainsFiles: [own]`,
  );
  await writeFile(join(folder, "own"), "club.example\n");
  await using running = startHoming(["readsocket", "--config", config]);
  await running.waitForOutput(/"adapter-listening"/);
  const place = listening(running.stdout())[0]?.place ?? "";
  assert.equal(await asked(place, "forward a@club.example\n"), "NOTFOUND a domain of ours\n");
  assert.match(await asked(place, "forward a@school.example\n"), /^OK SRS0=/);
  await writeFile(join(folder, "own"), "school.example\n");
  process.kill(running.pid, "SIGHUP");
  await running.waitForOutput(/"own-domains-reloaded"/);
  assert.match(await asked(place, "forward a@club.example\n"), /^OK SRS0=/);
  assert.equal(await asked(place, "forward a@school.example\n"), "NOTFOUND a domain of ours\n");
});

test("a secrets file that others may read prevents the start", async (t) => {
  const { folder, config } = await site(t, `  readsocket: { listen: "127.0.0.1:0" }`);
  await chmod(join(folder, "secrets"), 0o644);
  const { code, stderr } = await homing(["readsocket", "--config", config]);
  assert.match(String(stderr), /^homing: secrets file .*chmod 600/);
  assert.equal(code, 78);
});
