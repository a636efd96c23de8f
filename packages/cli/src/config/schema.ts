// The configuration file's shape, defaults and words. `homing serve` and every command with --config read it through
// load-config.ts.
import { isIP } from "node:net";
import { parseHostPort } from "@homing/forwarder";
import { asciiLower, parseDomain } from "@homing/srs-core";
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

const nextHop = hostPort.refine(
  ({ port }) => port > 0,
  "port 0 is no server's: write the port of the next hop",
);

/** Keys become A-labels in lower case; two spellings of one domain are a mistake. */
const nextHopByDomain = z.record(z.string(), nextHop).transform((routes, context) => {
  const byDomain: Record<string, z.output<typeof nextHop>> = {};
  for (const [text, hop] of Object.entries(routes)) {
    const parsed = parseDomain(text);
    const key = parsed.ok ? asciiLower(parsed.domain) : text;
    const problem = parsed.ok
      ? key in byDomain
        ? "is a second route of this domain: keep one"
        : undefined
      : `${parsed.message}: write the domain of the recipients`;
    if (problem) context.addIssue({ code: "custom", path: [text], message: problem });
    byDomain[key] = hop;
  }
  return byDomain;
});

const network = z.string().refine(isNetwork, {
  error: (issue) => `"${String(issue.input)}" is no IP address or network: write 192.0.2.1 or 192.0.2.0/24`,
});

const fileName = z.string().min(1, "is empty: write the name of a file");

interface Tags {
  readonly scheme: "strong" | "classic";
  readonly accept?: readonly string[] | undefined;
  readonly tagLength: number;
  readonly minTagLength?: number | undefined;
}

/** What each setting may have by itself, and not together. */
function checkTogether(srs: Tags, context: z.RefinementCtx): void {
  if (srs.accept && !srs.accept.includes(srs.scheme)) {
    const message = `lacks ${srs.scheme}, the scheme that signs: its bounces would be refused: add it`;
    context.addIssue({ code: "custom", path: ["accept"], message });
  }
  if (srs.minTagLength !== undefined && srs.minTagLength > srs.tagLength) {
    const message = `is more than tagLength (${srs.tagLength}): our own bounces would be refused: write less`;
    context.addIssue({ code: "custom", path: ["minTagLength"], message });
  }
}

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
    accept: z
      .array(z.enum(["strong", "classic", "exim"]))
      .optional()
      .describe("Schemes that verify, during a migration; the default is the scheme that signs."),
    separator: z.enum(["=", "+", "-"]).default("=").describe("The character after SRS0 and SRS1."),
    tagLength: wholeNumber(4, 27).default(4).describe("Characters of a classic tag."),
    minTagLength: wholeNumber(4, 27)
      .optional()
      .describe("Characters of a classic tag that suffice in a bounce; the default is tagLength."),
    alphabet: z
      .enum(["base64", "base64url"])
      .default("base64")
      .describe("Letters of a classic tag: Mail::SRS's, or those of PostSRSd since 2.2.6. Both are read."),
    weakSecret: z
      .boolean()
      .default(false)
      .describe("Take secrets under 22 characters, for classic tags alone, with a warning."),
    maxAgeDays: wholeNumber(1, 365).default(21).describe("Days for which a bounce is accepted."),
  })
  .superRefine(checkTogether)
  .describe("How envelope senders are rewritten.");

const delivery = z
  .strictObject({
    routes: nextHopByDomain.default({}).describe("Fixed next hops by destination domain."),
    smartHost: nextHop
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
