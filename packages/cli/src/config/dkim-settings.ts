// The setting `dkim`: the keys that sign what we write ourselves. Called by schema.ts.
import { asciiLower } from "@homing/srs-core";
import * as z from "zod";
import { isSelector } from "./dkim-selector.ts";
import { domain, fileName } from "./setting-types.ts";

const key = z.strictObject({
  domain: domain
    .describe("The domain that signs (d=): `hostname`, or a domain that it is below.")
    .meta({ example: "forwarder.example" }),
  selector: z
    .string()
    .refine(isSelector, "is no selector: write letters, digits and hyphens, as in homing2026")
    .describe("Where its public half is: at SELECTOR._domainkey.DOMAIN.")
    .meta({ example: "homing2026" }),
  keyFile: fileName.describe("PEM: the private key, RSA or Ed25519; mode 600.").meta({ example: "dkim.key" }),
});

export const dkim = z
  .union([
    z.literal("unsigned", "is no list of keys: write domain, selector and keyFile of each, or unsigned"),
    z.array(key).min(1, "is empty: name a key, or write unsigned").superRefine(checkNames),
  ])
  .optional()
  .describe("Keys that sign notifications of our own (DKIM); each signs all of them.")
  .meta({
    example: [{ domain: "forwarder.example", selector: "homing2026", keyFile: "dkim.key" }],
    notes:
      "`homing dkim new` makes a key, and the record to publish. Forwarded mail is never signed or changed. Our " +
      "notifications come from `mailer-daemon@` and `hostname`, so a key is good for DMARC (RFC 7489 §3.1.1) where " +
      "its domain is `hostname` or above it. `homing config check` refuses a configuration without such a key, with a " +
      "`stateDirectory` or without, and `homing serve` warns. `unsigned` says that this is meant: for a smart host " +
      "that signs. Keys are read at the start.",
  });

function checkNames(keys: readonly z.output<typeof key>[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [at, { domain, selector }] of keys.entries()) {
    const name = asciiLower(`${selector}._domainkey.${domain}`);
    if (seen.has(name)) {
      const message = "names a key of this domain for the second time: give each key a selector of its own";
      context.addIssue({ code: "custom", path: [at, "selector"], message });
    }
    seen.add(name);
  }
}
