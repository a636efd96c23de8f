// The units of deploy/systemd, judged by Debian's systemd-analyze. What it says stands in deploy/systemd/README.md:
// HOMING_UPDATE_DOCS=1 writes it there.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { parseConfig } from "../packages/cli/src/config/load-config.ts";
import { storiesNeed } from "./harness/availability.ts";
import { type Instance, startInstance } from "./harness/instance.ts";

const ROOT = resolve(import.meta.dirname, "..");
const FOLDER = join(ROOT, "deploy/systemd");
const README = join(FOLDER, "README.md");
const UNITS = readdirSync(FOLDER)
  .filter((name) => /\.(?:service|socket)$/.test(name))
  .sort();
/** A drop-in, and the units that the README puts it to. */
const DROP_INS: readonly (readonly [name: string, units: readonly string[]])[] = [
  ["beside-postfix.conf", ["homing.service", "homing-adapters.service"]],
  ["beside-root.conf", ["homing.service"]],
  ["beside.socket.conf", ["homing.socket"]],
];
const SERVICES = UNITS.filter((name) => name.endsWith(".service"));
const MOST_EXPOSED = 1.5;
const NODE = "/opt/homing/node_modules/.bin/node";

const skip = await storiesNeed("systemd");

test("systemd-analyze verify has nothing to say about the units", { skip }, async () => {
  await using machine = await machineWithUnits();
  const { code, stdout, stderr } = await machine.run(["systemd-analyze", "verify", "--man=no", ...UNITS]);
  assert.equal(`${stdout}${stderr}`, "");
  assert.equal(code, 0);
});

test("nor about the units with their drop-ins, which listen on loopback alone and need no DKIM key", {
  skip,
}, async () => {
  const dropIns = DROP_INS.flatMap(([name, units]) =>
    units.map((unit) => [`/etc/systemd/system/${unit}.d/${name}`, readFileSync(join(FOLDER, name), "utf8")]),
  );
  await using machine = await machineWithUnits(Object.fromEntries(dropIns));
  const { code, stdout, stderr } = await machine.run(["systemd-analyze", "verify", "--man=no", ...UNITS]);
  assert.equal(`${stdout}${stderr}`, "");
  assert.equal(code, 0);
  const joined = await printed(machine, ["systemd-analyze", "cat-config", "systemd/system/homing.socket"]);
  assert.match(joined, /ListenStream=25\n[\s\S]*ListenStream=\nListenStream=127\.0\.0\.1:2525\n/);
  const security = ["systemd-analyze", "security", "--offline=true", "--no-pager"];
  for (const service of SERVICES) {
    const report = await printed(machine, [...security, service]);
    const [, score] = /exposure level for \S+: (\d+\.\d+)/.exec(report) ?? [];
    assert.ok(Number(score) <= MOST_EXPOSED, `${service}: ${score}`);
  }
});

test("the section about other mail servers names files that are there, all of them, and makes folders before it copies", () => {
  const [, section = ""] =
    /^## Beside another mail server$([\s\S]*?)(?=^## )/m.exec(readFileSync(README, "utf8")) ?? [];
  const commands = [...section.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text).join("");
  const named = [...commands.matchAll(/deploy\/[\w./-]+/g)].map(([path]) => path);
  for (const path of named) assert.ok(existsSync(join(ROOT, path)), path);
  for (const unit of ["homing-adapters.service", "homing.service", "homing.socket"])
    assert.ok(named.includes(`deploy/systemd/${unit}`), unit);
  for (const [name] of DROP_INS) assert.ok(section.includes(name), name);
  const lines = commands.split("\n");
  for (const [at, line] of lines.entries()) {
    const [, folder] = /^cp .* (\/etc\/systemd\/system\/\S+\.d)\//.exec(line) ?? [];
    const isMade = (earlier: string) => earlier.startsWith("mkdir -p ") && earlier.includes(` ${folder}`);
    assert.ok(folder === undefined || lines.slice(0, at).some(isMade), line);
  }
  for (const service of ["homing", "homing-adapters"]) {
    const text = readFileSync(join(FOLDER, `${service}.service`), "utf8");
    assert.ok(text.includes("LoadCredential=secrets:/etc/homing/secrets\n"));
    assert.ok(commands.includes(`/run/credentials/${service}.service/`));
  }
});

test(`systemd-analyze security gives each service at most ${MOST_EXPOSED}, and the README shows it`, {
  skip,
}, async () => {
  await using machine = await machineWithUnits();
  const version = await printed(machine, ["systemd-analyze", "--version"]);
  const [name = ""] = /^systemd \d+/.exec(version) ?? [];
  let output = `$ systemd-analyze verify ${UNITS.join(" ")}\n`;
  for (const service of SERVICES) {
    const command = ["systemd-analyze", "security", "--offline=true", "--no-pager", service];
    const report = await printed(machine, command);
    const [, score] = /exposure level for \S+: (\d+\.\d+)/.exec(report) ?? [];
    assert.ok(Number(score) <= MOST_EXPOSED, `${service}: ${score}`);
    const open = report.split("\n").filter((line) => /^(?:✗|→)/.test(line));
    output += `$ systemd-analyze security --offline=true ${service}      # lines with ✗, and the last\n`;
    output += `${open
      .map((line) =>
        line
          .replace(/ {2,}/g, "  ")
          .replace(/[^\x20-\x7e✗→]/gu, "")
          .trim(),
      )
      .join("\n")}\n`;
  }
  assertInReadme(`${name}\n`, `\`\`\`console\n${output}\`\`\`\n`);
});

test("the commands of the units are there, and the sample configuration is one", () => {
  for (const service of SERVICES) {
    const [, command = ""] = /^ExecStart=(.*)$/m.exec(readFileSync(join(FOLDER, service), "utf8")) ?? [];
    const [node = "", main = ""] = command.split(" ");
    assert.equal(node, NODE);
    for (const file of [node, main]) assert.ok(existsSync(file.replace(/^\/opt\/homing/, ROOT)), file);
  }
  const config = parseConfig(readFileSync(join(FOLDER, "homing.yaml"), "utf8"), "homing.yaml");
  const service = readFileSync(join(FOLDER, "homing.service"), "utf8");
  const credentials = [...service.matchAll(/^LoadCredential=(\w+):/gm)].map(
    ([, name]) => `/run/credentials/homing.service/${name}`,
  );
  const keys = config.dkim === "unsigned" ? [] : (config.dkim ?? []);
  assert.deepEqual([config.srs.secretsFile, ...keys.map(({ keyFile }) => keyFile)], credentials);
});

test("without a file of its LoadCredential= the unit does not start: the README says so of each", () => {
  const service = readFileSync(join(FOLDER, "homing.service"), "utf8");
  const [, update = ""] = /^- \*\*An update\*\*([\s\S]*?)(?=^- )/m.exec(readFileSync(README, "utf8")) ?? [];
  assert.match(update, /`243\/CREDENTIALS`/);
  const named = [...update.matchAll(/`(\/[^`]+)`/g)].map(([, path]) => path);
  assert.deepEqual(
    named,
    [...service.matchAll(/^LoadCredential=\w+:(.+)$/gm)].map(([, path]) => path),
  );
});

/** Debian's systemd with our units. */
async function machineWithUnits(more: Readonly<Record<string, string>> = {}): Promise<Instance> {
  const files = UNITS.map((name) => [
    `/etc/systemd/system/${name}`,
    readFileSync(join(FOLDER, name), "utf8"),
  ]);
  const machine = await startInstance({
    packageName: "systemd",
    command: ["sleep", "600"],
    files: { ...Object.fromEntries(files), ...more },
  });
  // In place of the checkout: systemd-analyze asks whether the program is there.
  try {
    await printed(machine, ["mount", "-t", "tmpfs", "tmpfs", "/opt"]);
    await printed(machine, ["install", "-D", "/usr/bin/true", NODE]);
  } catch (error) {
    await machine.stop();
    throw error;
  }
  return machine;
}

async function printed(machine: Instance, command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await machine.run(command);
  assert.equal(code, 0, `${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** Another systemd words its report differently: then the score alone counts. */
function assertInReadme(version: string, block: string): void {
  const [begin, end] = ["<!-- written by test/systemd-units.test.ts, with ", "<!-- end -->"];
  const readme = readFileSync(README, "utf8");
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  assert.ok(from >= 0 && to > from, "deploy/systemd/README.md has no place for what systemd-analyze says");
  const text = `${begin}${version.trim()}: HOMING_UPDATE_DOCS=1 -->\n\n${block}\n`;
  if (process.env.HOMING_UPDATE_DOCS === "1") {
    writeFileSync(README, `${readme.slice(0, from)}${text}${readme.slice(to)}`);
  } else if (readme.slice(from).startsWith(`${begin}${version.trim()}:`)) {
    assert.equal(
      readme.slice(from, to),
      text,
      "deploy/systemd/README.md is stale: run this test with HOMING_UPDATE_DOCS=1",
    );
  }
}
