// The strong scheme once more, from the text of docs/srs.md alone and on node:crypto: nothing of ours is imported.
// Called by the test that holds both against each other, with random input.
import { createHmac } from "node:crypto";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

export interface Fields {
  readonly secret: string;
  readonly separator: string;
  readonly srsDomain: string;
  readonly selector?: string;
}

export function stampOf(unixSeconds: number): string {
  const day = Math.floor(unixSeconds / 86_400) % 1024;
  return `${BASE32[day >> 5]}${BASE32[day & 31]}`.toUpperCase();
}

export function srs0(common: Fields, stamp: string, domain: string, user: string): string {
  const { secret, separator, srsDomain, selector = "" } = common;
  const covered = selector === "" ? [stamp, domain, user] : [stamp, domain, user, selector];
  const tag = characters(secret, "homing-srs0-v1", covered.map(folded), 8);
  return quoted(`SRS0${separator}${tag}${selector}=${stamp}=${domain}=${user}`, srsDomain);
}

export function srs1(common: Fields, host: string, rest: string): string {
  const tag = characters(common.secret, "homing-srs1-v1", [host, rest].map(folded), 8);
  return quoted(`SRS1${common.separator}${tag}=${host}=${rest}`, common.srsDomain);
}

export function selectorOf(secret: string, alias: string): string {
  return characters(secret, "homing-alias-v1", [folded(alias)], 6);
}

export function tokenOf(secret: string, sender: string): string {
  return characters(secret, "homing-kept-v1", [sender], 12);
}

/** A-Z and nothing else. */
function folded(text: string): string {
  return [...text].map((char) => (char >= "A" && char <= "Z" ? char.toLowerCase() : char)).join("");
}

function characters(secret: string, label: string, fields: readonly string[], count: number): string {
  const mac = createHmac("sha256", Buffer.from(secret, "utf8"));
  for (const field of [label, ...fields]) {
    const octets = Buffer.from(field, "utf8");
    mac.update(Buffer.from([octets.length >> 8, octets.length & 255]));
    mac.update(octets);
  }
  const bits = [...mac.digest()].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  let text = "";
  for (let at = 0; text.length < count; at += 5) text += BASE32[Number.parseInt(bits.slice(at, at + 5), 2)];
  return text;
}

/** RFC 5321 §4.1.2: a Dot-string as it is, anything else as a Quoted-string. */
function quoted(localPart: string, domain: string): string {
  const atom = "[\\w!#$%&'*+/=?^`{|}~\\-\\u{a0}-\\u{10ffff}]+";
  const dotString = new RegExp(`^${atom}(?:\\.${atom})*$`, "u");
  if (dotString.test(localPart)) return `${localPart}@${domain}`;
  return `"${localPart.replace(/["\\]/g, "\\$&")}"@${domain}`;
}
