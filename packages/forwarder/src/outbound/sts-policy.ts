// MTA-STS (RFC 8461): the TXT record that says that there is a policy, the policy's text, and which hosts it allows.
// Both texts come from strangers. Called by sts-policies.ts and sts-hops.ts.
import { asciiLower } from "@homing/srs-core";

export interface StsPolicy {
  readonly mode: "enforce" | "testing" | "none";
  /** Host names, in lower case; `*.` in front stands for one label. */
  readonly mx: readonly string[];
  readonly maxAgeSeconds: number;
}

/** §3.2. */
const LONGEST_AGE_SECONDS = 31_557_600;
/** Of a policy file and of a domain: nobody has more servers. */
const MAX_MX = 200;
const TXT_PREFIX = /^v=STSv1[ \t]{0,8};/;
const ID = /^[A-Za-z0-9]{1,32}$/;
const MODE = /^(?:enforce|testing|none)$/;
const MX = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?\.?$/;
const AGE = /^\d{1,10}$/;

/** §3.1. The id of the policy; undefined where there is none: no record, more than one, or one that is wrong. */
export function parseStsRecord(texts: readonly string[]): string | undefined {
  const records = texts.filter((text) => TXT_PREFIX.test(text));
  const [record] = records;
  if (record === undefined || records.length > 1) return undefined;
  const fields = record.split(";").map((field) => field.trim());
  const id = fields.find((field) => field.startsWith("id="))?.slice(3);
  return id !== undefined && ID.test(id) ? id : undefined;
}

/** §3.2. Undefined where the text is no policy. Unknown fields are for later versions. */
export function parseStsPolicy(text: string): StsPolicy | undefined {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) {
      if (line.trim() !== "") return undefined;
      continue;
    }
    const key = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (key === "mx") mx.push(asciiLower(value));
    // Of a field that comes twice the first counts.
    else if (!fields.has(key)) fields.set(key, value);
  }
  const mode = fields.get("mode") ?? "";
  const age = fields.get("max_age") ?? "";
  if (fields.get("version") !== "STSv1" || !MODE.test(mode) || !AGE.test(age)) return undefined;
  if (mx.length > MAX_MX || !mx.every((pattern) => MX.test(pattern))) return undefined;
  if (mode !== "none" && mx.length === 0) return undefined;
  return {
    mode: mode as StsPolicy["mode"],
    mx: mx.map(withoutDot),
    maxAgeSeconds: Math.min(Number(age), LONGEST_AGE_SECONDS),
  };
}

/** §4.1. */
export function allowsMx({ mx }: StsPolicy, host: string): boolean {
  const name = withoutDot(asciiLower(host));
  const behindLabel = name.slice(name.indexOf(".") + 1);
  return mx.some((pattern) =>
    pattern.startsWith("*.") ? name.includes(".") && pattern.slice(2) === behindLabel : pattern === name,
  );
}

function withoutDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
