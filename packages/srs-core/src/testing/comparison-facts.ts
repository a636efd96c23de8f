// What can be seen in a comparison without asking our own code: the rules that explain differences are made of it.
import { createHmac } from "node:crypto";
import { domainToASCII } from "node:url";
import type { Answer } from "./answers.ts";
import type { Comparison } from "./comparisons.ts";

/** Octets before the last `@` that a receiver must take, and of a whole address (RFC 5321 §4.5.3.1). */
const LOCAL_PART_LIMIT = 64;
const ADDRESS_LIMIT = 254;

export function localPart(text: string): string {
  return text.slice(0, Math.max(text.lastIndexOf("@"), 0));
}

export function domain(text: string): string {
  return text.slice(text.lastIndexOf("@") + 1);
}

export function addressOf(answer: Answer): string | undefined {
  return "address" in answer ? answer.address : undefined;
}

/** The first word of our refusal. */
export function reason(answer: Answer): string | undefined {
  return "refused" in answer ? answer.refused.split(":")[0] : undefined;
}

export function tooLong(address: string): boolean {
  const bytes = (text: string) => Buffer.byteLength(text);
  return bytes(localPart(address)) > LOCAL_PART_LIMIT || bytes(address) > ADDRESS_LIMIT;
}

/** The fields of an SRS address, or none. */
export function fields(text: string): { kind: "srs0" | "srs1" | undefined; values: string[] } {
  const match = /^SRS([01])[=+-](.*)$/is.exec(localPart(text).replace(/^"(.*)"$/s, "$1"));
  if (!match) return { kind: undefined, values: [] };
  const kind = match[1] === "0" ? "srs0" : "srs1";
  const parts = (match[2] ?? "").split("=");
  const count = kind === "srs0" ? 4 : 3;
  return { kind, values: [...parts.slice(0, count - 1), parts.slice(count - 1).join("=")] };
}

/** The domain that a rewriting carries, or that a reversal brings to light. */
export function carriedDomain(comparison: Comparison): string {
  if (comparison.op === "forward") return domain(comparison.input);
  const { kind, values } = fields(comparison.input);
  return (kind === "srs0" ? values[2] : values[1]) ?? "";
}

/** The address that an SRS address carries, without a look at its tag. */
export function inside(text: string): string {
  const { kind, values } = fields(text);
  return kind === "srs0" ? `${values[3]}@${values[2]}` : `SRS0${values[2]}@${values[1]}`;
}

/** Whether an address is the one that an SRS address carries: up to U-labels, which come back as A-labels. */
export function comesFromInside(address: string, srsAddress: string): boolean {
  const carried = inside(srsAddress);
  return (
    localPart(address) === localPart(carried) &&
    [domain(carried), domainToASCII(domain(carried))].includes(domain(address))
  );
}

/** The whole classic tag that the newest secret makes, by node:crypto and for ASCII capitals only. */
export function rightTag(comparison: Comparison): string {
  const { kind, values } = fields(comparison.input);
  const covered = values.slice(1, kind === "srs0" ? 4 : 3).join("");
  const message = covered.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const [secret = ""] = comparison.options.secrets;
  return createHmac("sha1", secret).update(message).digest("base64");
}

/** Octets of the local part that wrapping an address makes, with a tag of so many characters. */
export function wrappedOctets(text: string, tagLength: number): number {
  const { kind, values } = fields(text);
  const local = Buffer.byteLength(localPart(text));
  const prefix = "SRS1=".length + tagLength + "==".length;
  if (kind === "srs0") return prefix + domain(text).length + local - "SRS0".length;
  if (kind === "srs1" && /^[=+-]./.test(values[2] ?? ""))
    return prefix + Buffer.byteLength(values.slice(1).join(""));
  return "SRS0=".length + tagLength + "=G3==".length + domain(text).length + local;
}

const LABELS = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i;

export function isHostName(text: string): boolean {
  return LABELS.test(text);
}
