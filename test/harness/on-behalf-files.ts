// The files of a service with web sites and people: keys, secrets, passwords, a certificate, homing.yaml. Called by
// on-behalf-site.ts.
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashPassword } from "@homing/forwarder";
import { CERTIFICATE, CERTIFICATE_KEY } from "../../packages/forwarder/src/testing/certificate.ts";
import { CAROL, HOSTNAME, type OnBehalfSiteOptions, PUBLIC_URL } from "./on-behalf-site.ts";

export interface Files extends OnBehalfSiteOptions {
  readonly sites: Readonly<Record<string, object>>;
  readonly keys: ReadonlyMap<string, string>;
  readonly hopPort: number;
  readonly dnsPort: number;
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  const { sites, keys, users = [], prepare } = files;
  const secret = (name: string, text: string): Promise<void> =>
    writeFile(join(folder, name), `${text}\n`, { mode: 0o600 });
  const people = [CAROL, ...users.map((user) => ({ ...user, address: `${user.name}@club.example` }))];
  const lines = people.map(
    async ({ name, password, address }) =>
      `${name}:${await hashPassword(password, randomBytes(16))}:${address}`,
  );
  await Promise.all([
    secret("secrets", newKey()),
    secret("links", newKey()),
    secret("key.pem", CERTIFICATE_KEY),
    secret("users", (await Promise.all(lines)).join("\n")),
    ...[...keys].map(([name, key]) => secret(`${name}.keys`, key)),
    ...[...keys].map(([name]) => secret(`${name}.secrets`, newKey())),
    writeFile(join(folder, "cert.pem"), CERTIFICATE),
    writeFile(join(folder, "aliases"), "postmaster: keeper@office.example\ncarol: carol@home.example\n"),
  ]);
  await prepare?.(folder);
  const named = Object.entries(sites).map(([name, site]) => [
    name,
    { keysFile: `${name}.keys`, secretsFile: `${name}.secrets`, ...site },
  ]);
  // JSON is YAML.
  await writeFile(
    join(folder, "homing.yaml"),
    JSON.stringify({
      ...settingsOf(files),
      onBehalf: { keysFile: "links", sites: Object.fromEntries(named) },
    }),
  );
}

function settingsOf({ hopPort, dnsPort, settings }: Files): object {
  return {
    hostname: HOSTNAME,
    listen: "127.0.0.1:0",
    domains: ["club.example", HOSTNAME],
    aliasesFile: "aliases",
    srs: { domain: "srs.club.example", secretsFile: "secrets" },
    dkim: "unsigned",
    authentication: { mode: "off" },
    dns: { servers: [`127.0.0.1:${dnsPort}`] },
    delivery: { smartHost: `127.0.0.1:${hopPort}` },
    stateDirectory: "state",
    tls: { certificateFile: "cert.pem", keyFile: "key.pem" },
    http: { listen: "127.0.0.1:0", publicUrl: PUBLIC_URL },
    submission: { listen: "127.0.0.1:0", listenTls: "127.0.0.1:0", usersFile: "users" },
    ...settings,
  };
}

export function newKey(): string {
  return randomBytes(24).toString("base64");
}
