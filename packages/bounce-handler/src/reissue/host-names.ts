// Host names and addresses, and where they stand in the words of a remote server. Called by secrets.ts.
import { domainToASCII, domainToUnicode } from "node:url";

/** What a name that ends in a country has before it, where that is no name of anybody: `co.uk`. */
const SECOND_LEVEL = new Set("ac co com edu go gob gov ltd me mil ne net nom or org plc sch".split(" "));

/** `mail`, `web` and `hosting` are domains, too. */
const MIN_LABEL = 8;
/** Deeper ones are somebody's trick; the whole name and its end are enough. */
const MAX_LABELS = 10;

/** The name and the domains that it is in, down to the one that somebody has registered; each as it is, and in both alphabets. */
export function namesOfHost(host: string): readonly string[] {
  const names: string[] = [];
  let labels = host.replace(/\.$/, "").split(".");
  if (isIpv4(labels)) return [host];
  while (labels.length > 0) {
    names.push(labels.join("."));
    labels = labels.slice(1).slice(-MAX_LABELS);
    if (labels.length < 2 || isPublic(labels)) break;
  }
  return [...new Set(names.flatMap(inBothAlphabets))].filter((name) => name !== "");
}

/** Empty where it is no domain. */
function inBothAlphabets(name: string): readonly string[] {
  return [name, domainToUnicode(name), isHost(name) ? domainToASCII(name) : ""];
}

/** What somebody chose: `millerfamily` of `mx.millerfamily.example`. Undefined where it is a word like any other. */
export function labelOf(host: string): string | undefined {
  const label = namesOfHost(host).at(-1)?.split(".", 1)[0] ?? "";
  return label.length >= MIN_LABEL && /\p{L}/u.test(label) ? label : undefined;
}

function isPublic([first = "", last = "", ...more]: readonly string[]): boolean {
  return more.length === 0 && last.length === 2 && SECOND_LEVEL.has(first.toLowerCase());
}

export interface Named {
  readonly addresses: readonly string[];
  readonly hosts: readonly string[];
}

/** Linear: one class splits, each token is looked at once. */
export function namedIn(text: string): Named {
  const addresses: string[] = [];
  const hosts: string[] = [];
  for (const token of text.split(/[\s<>()[\]{},;"']+/)) {
    const bare = withoutEdges(token);
    if (bare.indexOf("@") > 0) addresses.push(bare);
    else hosts.push(...hostsOfToken(bare));
  }
  return { addresses, hosts };
}

function hostsOfToken(token: string): readonly string[] {
  const literal = token.replace(/^ipv6:/i, "");
  if (isIpv6(literal)) return [literal];
  return token
    .split(/[^\p{L}\p{N}._-]/u)
    .map(withoutEdges)
    .filter(isHost);
}

/** Marks of the sentence around it: `talking to mx.home.example.:`. But `::1` is an address. */
function withoutEdges(token: string): string {
  let start = 0;
  let end = token.length;
  while (start < end && (token[start] === "." || token[start] === "=")) start++;
  while (end > start && (token[end - 1] === "." || token[end - 1] === ":")) end--;
  return token.slice(start, end);
}

function isHost(token: string): boolean {
  const labels = token.split(".");
  if (labels.length < 2 || labels.includes("")) return false;
  return isIpv4(labels) || /\p{L}/u.test(labels.at(-1) ?? "");
}

function isIpv4(labels: readonly string[]): boolean {
  return labels.length === 4 && labels.every((label) => /^\d{1,3}$/.test(label));
}

function isIpv6(token: string): boolean {
  return token.includes(":") && token.split(":").length > 2 && /^[0-9A-Fa-f:.]+$/.test(token);
}
