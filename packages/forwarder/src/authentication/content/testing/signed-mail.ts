// Signed mail for tests, made by a signer that shares no code with the one that checks: simple/simple, with whatever tags a
// test wants. And DNS from a table.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { DnsAnswer, DnsLookup } from "@homing/spf";
import type { DkimKey } from "../../../authenticate.ts";

export interface TestKey extends DkimKey {
  readonly dns: readonly [name: string, text: string];
}

export function testKey(
  type: "rsa" | "ed25519",
  domain: string,
  selector: string = type,
  { bits = 2048, more = "" } = {},
): TestKey {
  const { privateKey, publicKey } =
    type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: bits }) : generateKeyPairSync("ed25519");
  const spki = publicKey.export({ type: "spki", format: "der" });
  const p = (type === "rsa" ? spki : spki.subarray(-32)).toString("base64");
  return {
    ...{ domain, selector },
    privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    dns: [`${selector}._domainkey.${domain}`, `v=DKIM1; k=${type}; ${more}p=${p}`],
  };
}

export interface SignedHow {
  readonly algorithm?: "rsa-sha256" | "rsa-sha1";
  /** Before h=, as `l=5; `. */
  readonly tags?: string;
  readonly fields?: readonly string[];
  /** Of the body, from its beginning. */
  readonly octets?: number;
  /** Of a body that comes behind `message`. */
  readonly bodyHash?: string;
}

/** @param message whose body ends with one CRLF and whose fields are not folded */
export function signed(message: string, key: DkimKey, how: SignedHow = {}): string {
  const { algorithm = "rsa-sha256", tags = "", fields = ["From"], octets, bodyHash } = how;
  const hash = algorithm.slice("rsa-".length);
  const at = message.indexOf("\r\n\r\n");
  const lines = message.slice(0, at).split("\r\n");
  const body = message.slice(at + 4).slice(0, octets);
  const bh = bodyHash ?? createHash(hash).update(body, "latin1").digest("base64");
  const start = `DKIM-Signature: v=1; a=${algorithm}; c=simple/simple; d=${key.domain}; s=${key.selector}; `;
  const field = `${start}${tags}h=${fields.join(":")}; bh=${bh}; b=`;
  const input = fields.flatMap((name) => {
    const line = lines.findLast((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return line === undefined ? [] : [`${line}\r\n`];
  });
  const b = sign(hash, Buffer.from(input.join("") + field, "latin1"), key.privateKey).toString("base64");
  return `${field}${b}\r\n${message}`;
}

export type Records = Readonly<Record<string, string | "SERVFAIL">>;

/** Counts what it is asked. */
export function tableDns(records: Records): { readonly txt: DnsLookup<string>; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    txt: async (name): Promise<DnsAnswer<string>> => {
      asked.push(name);
      const text = records[name];
      if (text === undefined) return { kind: "no-such-name" };
      if (text === "SERVFAIL") return { kind: "failed", cause: "SERVFAIL" };
      return { kind: "records", records: [text] };
    },
  };
}
