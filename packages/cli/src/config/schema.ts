// The configuration file's shape, defaults and words. `homing serve` and every command with --config read it through
// load-config.ts.
import { isIP, isIPv6 } from "node:net";
import { parseDomain } from "@homing/srs-core";
import * as z from "zod";

const domain = z.string().transform((text, context) => {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.domain;
  context.addIssue({
    code: "custom",
    message: `${parsed.message}: write a domain name such as forwarder.example`,
  });
  return z.NEVER;
});

const hostPort = z.string().transform((text, context) => {
  const parsed = parseHostPort(text);
  if (parsed) return parsed;
  context.addIssue({
    code: "custom",
    message: `"${text}" is not HOST:PORT: write 127.0.0.1:2525 or [::1]:2525`,
  });
  return z.NEVER;
});

const network = z.string().refine(isNetwork, {
  error: (issue) => `"${String(issue.input)}" is no IP address or network: write 192.0.2.1 or 192.0.2.0/24`,
});

const srs = z
  .strictObject({
    domain: domain.describe("The SRS domain: rewritten senders are at it, so its MX must be this server."),
    secretsFile: z.string().min(1).describe("File with the secrets, one a line, newest first; mode 600."),
    scheme: z
      .enum(["strong", "classic"])
      .default("strong")
      .describe("Tags of ours, or those of Mail::SRS and PostSRSd."),
    separator: z.enum(["=", "+", "-"]).default("=").describe("The character after SRS0 and SRS1."),
    tagLength: z.int().min(4).max(27).default(4).describe("Characters of a classic tag."),
    maxAgeDays: z.int().min(1).max(365).default(21).describe("Days for which a bounce is accepted."),
  })
  .describe("How envelope senders are rewritten.");

const delivery = z
  .strictObject({
    routes: z.record(z.string(), hostPort).default({}).describe("Fixed next hops by destination domain."),
    smartHost: hostPort
      .optional()
      .describe("Takes everything that has no route; without it the MX records are asked."),
  })
  .prefault({})
  .describe("Where mail goes.");

const limits = z
  .strictObject({
    messageOctets: z.int().min(65_536).max(268_435_456).default(26_214_400).describe("The largest message."),
    clients: z.int().min(1).max(10_000).default(100).describe("Connections at the same time."),
  })
  .prefault({})
  .describe("Limits of the SMTP server.");

export const configSchema = z.strictObject({
  hostname: domain.describe("This server's name, as in its DNS records."),
  listen: hostPort.prefault("0.0.0.0:25").describe("Address and port of the SMTP server."),
  domains: z.array(domain).min(1).describe("Domains whose recipients are looked up in the aliases."),
  aliasesFile: z.string().min(1).describe("An aliases(5) file."),
  srs,
  delivery,
  trustedNetworks: z.array(network).default([]).describe("Clients that may use our own domains as sender."),
  limits,
});

export type Config = z.output<typeof configSchema>;

/** Reads `host:port` or `[ipv6]:port`; undefined where it is neither. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) return undefined;
  if (match?.[1] !== undefined && !isIPv6(host)) return undefined;
  return isIP(host) > 0 || parseDomain(host).ok ? { host, port } : undefined;
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}
