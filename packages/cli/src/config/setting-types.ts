// What a setting's value may be: each type is named once, with the words for a wrong value. Called by schema.ts and by the
// files beside it that describe a map of settings each.
import { isIP } from "node:net";
import { parseHostPort } from "@homing/forwarder/host-port";
import { asciiLower, KEPT_LABEL, parseDomain } from "@homing/srs-core";
import * as z from "zod";
import "./setting-words.ts";

export const domain = z
  .string()
  .transform((text, context) => {
    const parsed = parseDomain(text);
    if (parsed.ok) return parsed.domain;
    context.addIssue({
      code: "custom",
      message: `${parsed.message}: write a domain name such as forwarder.example`,
    });
    return z.NEVER;
  })
  .meta({ type: "domain", typeMeaning: "a name such as `forwarder.example`; U-labels become A-labels" });

export const hostPort = z
  .string()
  .transform((text, context) => {
    const parsed = parseHostPort(text);
    if (parsed) return parsed;
    context.addIssue({
      code: "custom",
      message: `"${text}" is not HOST:PORT: write 127.0.0.1:2525 or [::1]:2525`,
    });
    return z.NEVER;
  })
  .meta({
    type: "host:port",
    typeMeaning: '`192.0.2.1:25`, `mail.example:25` or, in quotes, `"[2001:db8::1]:25"`',
  });

export const nextHop = hostPort.refine(
  ({ port }) => port > 0,
  "port 0 is no server's: write the port of the next hop",
);

/** For checks that other mistakes of the same map must not hide. */
export const ALWAYS = { when: () => true };

/** Keys become A-labels in lower case; two spellings of one domain are a mistake. */
export const nextHopByDomain = z
  .record(z.string().meta({ type: "domain" }), nextHop)
  .superRefine(checkDomainNames, ALWAYS)
  .transform((routes) =>
    Object.fromEntries(Object.entries(routes).map(([text, hop]) => [domainName(text), hop])),
  );

export function checkDomainNames(routes: unknown, context: z.RefinementCtx): void {
  if (typeof routes !== "object" || routes === null) return;
  const seen = new Set<string>();
  for (const text of Object.keys(routes)) {
    const parsed = parseDomain(text);
    const name = domainName(text);
    const message = parsed.ok
      ? "is a second spelling of this domain: keep one"
      : `${parsed.message}: write the domain of the recipients`;
    if (!parsed.ok || seen.has(name)) context.addIssue({ code: "custom", path: [text], message });
    seen.add(name);
  }
}

export function domainName(text: string): string {
  const parsed = parseDomain(text);
  return parsed.ok ? asciiLower(parsed.domain) : text;
}

/** Keys become A-labels in lower case; two spellings of one domain are a mistake. */
export const domainByName = z
  .record(z.string().meta({ type: "domain" }), domain)
  .superRefine(checkDomainNames, ALWAYS)
  .transform((names) =>
    Object.fromEntries(Object.entries(names).map(([text, target]) => [domainName(text), target])),
  );

export const network = z
  .string()
  .refine(isNetwork, {
    error: (issue) => `"${String(issue.input)}" is no IP address or network: write 192.0.2.1 or 192.0.2.0/24`,
  })
  .meta({ type: "network", typeMeaning: "`192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`" });

export const fileName = z
  .string()
  .min(1, "is empty: write the name of a file")
  .meta({ type: "file", typeMeaning: "a path, relative to the folder of the configuration" });

export function wholeNumber(min: number, max: number) {
  const message = `is not a whole number from ${min} to ${max}: write one`;
  return z.int(message).min(min, message).max(max, message);
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

export const srsDomain = domain.refine(
  (name) => name !== KEPT_LABEL,
  "is the label of kept senders: write a domain name",
);
