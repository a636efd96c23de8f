// /etc/homing/sendmail.yaml: which server takes the mail of this machine, and who we are there. Called by `homing sendmail`, which
// starts for every message: checked by hand, because the library of the other configuration costs more time than all the rest.
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import { type NextHop, parseHostPort } from "@homing/forwarder/submit";
import { type Mailbox, parseDomain, parseMailbox } from "@homing/srs-core";
import { parseDocument } from "yaml";
import { CommandFailure, systemFailure } from "../failure.ts";
import { readPrivateFile } from "../private-file.ts";

export const DEFAULT_SETTINGS_FILE = "/etc/homing/sendmail.yaml";

export interface SendmailSettings {
  readonly server: NextHop;
  /** As it was written, for messages. */
  readonly place: string;
  /** PEM, in place of the system's. */
  readonly ca: string | undefined;
  /** Default sender. */
  readonly from: Mailbox | undefined;
  /** Of bare names. */
  readonly domain: string;
  readonly maxMessageOctets: number;
}

const NAMES = [
  "server",
  "tls",
  "name",
  "passwordFile",
  "caFile",
  "from",
  "domain",
  "maxMessageOctets",
] as const;
type Name = (typeof NAMES)[number];
type Values = Partial<Record<Name, string | number>>;

const DEFAULT_MAX_OCTETS = 50 * 1024 * 1024;
/** RFC 8314 §3.3: TLS from the first octet. */
const IMPLICIT_TLS_PORT = 465;
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i;
const PASSWORD_WORDS = {
  what: "password file",
  instead: "name the one with the password in its first line",
  tooLarge: "not a password file: name the one with the password in its first line",
};

export async function readSettings(file: string): Promise<SendmailSettings> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw systemFailure(file, error);
  });
  const values = valuesOf(file, text);
  const beside = (name: string): string => resolve(dirname(file), name);
  const place = wanted(file, values, "server");
  const { name, passwordFile } = values;
  if ((name === undefined) !== (passwordFile === undefined))
    throw wrong(
      file,
      name === undefined ? "name" : "passwordFile",
      "is missing: name and passwordFile belong together",
    );
  const password = passwordFile === undefined ? undefined : await readPassword(beside(String(passwordFile)));
  const from = mailboxOf(file, values.from);
  return {
    server: {
      ...serverOf(file, place, values.tls),
      ...(password === undefined ? {} : { credentials: { user: String(name), password } }),
    },
    place,
    ca: values.caFile === undefined ? undefined : await readCa(beside(String(values.caFile))),
    from,
    domain: domainOf(file, values.domain, from),
    maxMessageOctets: sizeOf(file, values.maxMessageOctets),
  };
}

function valuesOf(file: string, text: string): Values {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) throw new CommandFailure("config", `${file}: ${problem.message.split("\n")[0]}`);
  const value: unknown = document.toJS();
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CommandFailure("config", `${file}: write settings, one a line, such as server: 127.0.0.1:587`);
  for (const [name, one] of Object.entries(value)) {
    if (!NAMES.some((known) => known === name))
      throw wrong(file, name, `is no setting: there are ${NAMES.join(", ")}`);
    if (typeof one !== "string" && typeof one !== "number")
      throw wrong(file, name, "has no value: write one, or take it out");
    if (/\p{Cc}/u.test(String(one))) throw wrong(file, name, "holds a control character: take it out");
  }
  return value as Values;
}

function serverOf(file: string, place: string, tls: string | number | undefined): NextHop {
  const server = parseHostPort(place);
  if (!server) throw wrong(file, "server", `${place}: write HOST:PORT, such as mail.site.example:465`);
  const wanted = tls ?? (server.port === IMPLICIT_TLS_PORT ? "implicit" : "starttls");
  if (wanted === "implicit") return { ...server, tls: "required-verified", implicitTls: true };
  if (wanted === "starttls") return { ...server, tls: "required-verified" };
  if (wanted !== "none") throw wrong(file, "tls", `${wanted}: write starttls, implicit or none`);
  if (!LOOPBACK.test(server.host))
    throw wrong(
      file,
      "tls",
      `none: only for a server on this machine, and ${server.host} is none: write starttls`,
    );
  return { ...server, tls: "opportunistic" };
}

async function readPassword(path: string): Promise<string> {
  const { octets } = await readPrivateFile(path, PASSWORD_WORDS);
  const [line = ""] = octets.toString("utf8").split("\n", 1);
  const password = line.replace(/\r$/, "");
  if (password === "" || /[\p{Cc}\ufffd]/u.test(password)) {
    const message = `password file ${path}: its first line is no password: write it there, as UTF-8`;
    throw new CommandFailure("config", message);
  }
  return password;
}

async function readCa(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw systemFailure(`caFile ${path}`, error);
  });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new CommandFailure("config", `caFile ${path}: holds no certificate: name a PEM file`);
}

function mailboxOf(file: string, from: string | number | undefined): Mailbox | undefined {
  if (from === undefined) return undefined;
  const parsed = parseMailbox(String(from));
  if (!parsed.ok) throw wrong(file, "from", `${parsed.message}: write an address such as cards@site.example`);
  return parsed.mailbox;
}

/** The name of the machine is one only where DNS could have it. */
function domainOf(file: string, domain: string | number | undefined, from: Mailbox | undefined): string {
  const text = domain ?? from?.domain ?? hostname();
  const parsed = parseDomain(String(text));
  if (parsed.ok && parsed.domain.includes(".")) return parsed.domain;
  if (domain !== undefined) throw wrong(file, "domain", `${domain}: write a domain such as site.example`);
  throw wrong(file, "domain", "is missing, and from, too: write the domain of this machine's mail");
}

function sizeOf(file: string, octets: string | number | undefined): number {
  if (octets === undefined) return DEFAULT_MAX_OCTETS;
  if (Number.isInteger(octets) && Number(octets) > 0) return Number(octets);
  throw wrong(file, "maxMessageOctets", `${octets}: write a whole number, such as ${DEFAULT_MAX_OCTETS}`);
}

function wanted(file: string, values: Values, name: Name): string {
  const value = values[name];
  if (value === undefined)
    throw wrong(file, name, "is missing: write HOST:PORT, such as mail.site.example:465");
  return String(value);
}

function wrong(file: string, name: string, why: string): CommandFailure {
  return new CommandFailure("config", `${file}: ${name} ${why}`);
}
