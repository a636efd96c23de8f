// The configuration file's shape, defaults and words. `homing serve` and every command with --config read it through
// load-config.ts.
import { isIP } from "node:net";
import { parseHostPort } from "@homing/forwarder";
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

const fileName = z.string().min(1, "is empty: write the name of a file");

function wholeNumber(min: number, max: number) {
  const message = `is not a whole number from ${min} to ${max}: write one`;
  return z.int(message).min(min, message).max(max, message);
}

const srs = z
  .strictObject({
    domain: domain.describe("The SRS domain: rewritten senders are at it, so its MX must be this server."),
    secretsFile: fileName.describe("File with the secrets, one a line, newest first; mode 600."),
    scheme: z
      .enum(["strong", "classic"])
      .default("strong")
      .describe("Tags of ours, or those of Mail::SRS and PostSRSd."),
    separator: z.enum(["=", "+", "-"]).default("=").describe("The character after SRS0 and SRS1."),
    tagLength: wholeNumber(4, 27).default(4).describe("Characters of a classic tag."),
    maxAgeDays: wholeNumber(1, 365).default(21).describe("Days for which a bounce is accepted."),
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
    messageOctets: wholeNumber(65_536, 268_435_456).default(26_214_400).describe("The largest message."),
    clients: wholeNumber(1, 10_000).default(100).describe("Connections at the same time."),
  })
  .prefault({})
  .describe("Limits of the SMTP server.");

export const configSchema = z.strictObject({
  hostname: domain.describe("This server's name, as in its DNS records."),
  listen: hostPort.prefault("0.0.0.0:25").describe("Address and port of the SMTP server."),
  domains: z
    .array(domain)
    .min(1, "is empty: name at least one domain, as in [forwarder.example]")
    .describe("Domains whose recipients are looked up in the aliases."),
  aliasesFile: fileName.describe("An aliases(5) file."),
  srs,
  delivery,
  trustedNetworks: z.array(network).default([]).describe("Clients that may use our own domains as sender."),
  limits,
});

export type Config = z.output<typeof configSchema>;

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}
