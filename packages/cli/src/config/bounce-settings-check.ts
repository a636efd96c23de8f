// What `bounces` may not have beside other settings: aliases elsewhere, and nowhere to keep headers. Called by schema.ts.
import { parseMailbox, renderMailbox } from "@homing/srs-core";
import type * as z from "zod";
import { domainName } from "./setting-types.ts";

/** Other settings may be wrong in any way: their types are not sure yet. */
type Unsure = Readonly<Record<string, unknown>>;
type Wrong = (path: readonly string[], message: string) => void;

export function checkBounces(config: Unsure, context: z.RefinementCtx): void {
  const bounces = asMap(config.bounces);
  const wrong: Wrong = (path, message) =>
    context.addIssue({ code: "custom", path: ["bounces", ...path], message });
  if (bounces.remember === "headers" && config.stateDirectory === undefined)
    wrong(["remember"], "needs a place to keep them: set stateDirectory");
  checkAliases(config, Object.keys(asMap(bounces.aliases)), wrong);
}

function checkAliases({ domains, domainAliases }: Unsure, aliases: readonly string[], wrong: Wrong): void {
  // With a mistake in the list itself, nobody knows what is none of it.
  if (!Array.isArray(domains) || !domains.every((name) => typeof name === "string")) return;
  const ours = new Set(domains.map(domainName));
  const mainNames = new Map(
    Object.entries(asMap(domainAliases)).map(([name, main]) => [domainName(name), main]),
  );
  for (const text of aliases) {
    const parsed = parseMailbox(text);
    if (!parsed.ok) continue;
    const { mailbox } = parsed;
    const name = domainName(mailbox.domain);
    if (ours.has(name)) continue;
    const main = mainNames.get(name);
    wrong(
      ["aliases", text],
      typeof main === "string"
        ? `is at a further name of ${main}: write ${renderMailbox({ ...mailbox, domain: main })}`
        : `${mailbox.domain} is none of domains: add it there, or correct it`,
    );
  }
}

function asMap(value: unknown): Unsure {
  return typeof value === "object" && value !== null ? (value as Unsure) : {};
}
