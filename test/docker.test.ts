// The container of deploy/docker: its files say what the README promises, its configuration is one, and its health
// check tells a server that greets from every other.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { parse } from "yaml";
import { parseConfig } from "../packages/cli/src/config/load-config.ts";
import { FIN, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { type CommandResult, run } from "./harness/command.ts";
import { homing, startHomingService } from "./harness/homing.ts";

const ROOT = resolve(import.meta.dirname, "..");
const FOLDER = join(ROOT, "deploy/docker");
const read = (name: string): string => readFileSync(join(FOLDER, name), "utf8");
const containerfile = read("Containerfile");
const config = parseConfig(read("homing.yaml"), "homing.yaml");

test("the image is Node as the workspace has it, runs as no root and starts no shell", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    optionalDependencies: Record<string, string>;
  };
  const bases = [...containerfile.matchAll(/^FROM \S+\/node:([\d.]+)-/gm)].map(([, version]) => version);
  assert.deepEqual(new Set(bases), new Set(Object.values(optionalDependencies)));
  assert.match(containerfile.split(/^FROM /m).at(-1) ?? "", /^USER [1-9]\d*:[1-9]\d*$/m);
  for (const instruction of ["ENTRYPOINT", "CMD", "HEALTHCHECK .*CMD"]) {
    const [, argv = ""] = new RegExp(`^${instruction} (\\[.*\\])$`, "m").exec(containerfile) ?? [];
    assert.ok(Array.isArray(JSON.parse(argv)), `${instruction} ${argv}`);
  }
});

test("memory settings are those of the unit", () => {
  const settings = (text: string) => text.match(/\bMALLOC_\w+=\d+\b/g);
  const unit = settings(readFileSync(join(ROOT, "deploy/systemd/homing.service"), "utf8"));
  assert.equal(unit?.length, 3);
  assert.deepEqual(settings(containerfile), unit);
});

test("compose: no root, nothing to write but the queue, no capability, and the ports and files are those of the configuration", () => {
  const compose = parse(read("compose.yaml")) as {
    services: { homing: Record<string, unknown> };
    secrets: object;
    volumes: object;
  };
  const { homing } = compose.services;
  assert.equal(homing.user, /^USER (\S+)$/m.exec(containerfile)?.[1]);
  assert.equal(homing.read_only, true);
  assert.deepEqual(homing.cap_drop, ["ALL"]);
  assert.deepEqual(homing.security_opt, ["no-new-privileges:true"]);
  assert.deepEqual(homing.ports, [`25:${config.listen.port}`]);
  assert.match(containerfile, new RegExp(`^EXPOSE ${config.listen.port}$`, "m"));
  assert.match(containerfile, new RegExp(`healthcheck\\.js", "${config.listen.port}"\\]$`, "m"));
  assert.deepEqual(homing.volumes, [
    ...["homing.yaml", "aliases"].map((name) => `./${name}:/etc/homing/${name}:ro`),
    `state:${config.stateDirectory}`,
  ]);
  assert.deepEqual(Object.keys(compose.volumes), ["state"]);
  assert.match(containerfile, new RegExp(`^RUN install -d -o 1000 .* ${config.stateDirectory}$`, "m"));
  assert.deepEqual(Object.keys(compose.secrets), ["homing", "dkim"]);
  assert.deepEqual(homing.secrets, ["homing", "dkim"]);
  assert.equal(config.srs.secretsFile, "/run/secrets/homing");
  assert.partialDeepStrictEqual(config.dkim, [{ keyFile: "/run/secrets/dkim" }]);
});

test("the sample configuration and aliases start a service, and it is healthy", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  // As its README says.
  const key = ["--domain", "forwarder.example", "--selector", "homing", "--out", join(folder, "dkim.key")];
  assert.equal((await homing(["dkim", "new", ...key])).code, 0);
  await using service = await startHomingService({
    config: read("homing.yaml")
      .replace("0.0.0.0:2525", "127.0.0.1:0")
      .replace("/run/secrets/homing", "secrets")
      .replace("/run/secrets/dkim", join(folder, "dkim.key"))
      .replace("/var/lib/homing", "state"),
    aliases: read("aliases"),
    secret: "a secret of the stories, long enough",
  });
  const { code, stderr } = await health(service.port);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

for (const [greeting, words] of [
  ["554 5.7.1 go away", /^greeted with "554/],
  [FIN, /^closed without a greeting/],
] as const) {
  test(`a server that greets with ${greeting} is not healthy`, async () => {
    await using server = await startHop({ greeting });
    const { code, stderr } = await health(server.port);
    assert.equal(code, 1);
    assert.match(stderr, words);
  });
}

test("no server is not healthy", async () => {
  const server = await startHop();
  await server[Symbol.asyncDispose]();
  assert.equal((await health(server.port)).code, 1);
});

function health(port: number): Promise<CommandResult> {
  return run([process.execPath, join(FOLDER, "healthcheck.js"), String(port)]);
}
