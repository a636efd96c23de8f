// The keys of `dkim`, read and checked, and whether one of them is good for our notifications. Called by
// forwarder-settings.ts, `homing config check` and `homing serve`.
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { resolve } from "node:path";
import type { DkimKey } from "@homing/forwarder";
import { asciiLower } from "@homing/srs-core";
import { CommandFailure } from "../failure.ts";
import { type FileWords, readPrivateFile } from "../private-file.ts";
import type { Config } from "./schema.ts";

const WORDS: FileWords = {
  what: "DKIM key",
  instead: "name the file that holds the key",
  tooLarge: "not a key: name the PEM file that homing dkim new made",
};
/** RFC 8301 §3.2: verifiers refuse what is shorter, and signers should have 2048. */
const MIN_RSA_BITS = 1024;
const GOOD_RSA_BITS = 2048;
const NEW_KEY = "make one with homing dkim new";

/** A key with what DNS says about it. */
export interface ReadKey extends DkimKey {
  readonly publicKey: PublicKey;
}

export interface PublicKey {
  /** k= */
  readonly type: "rsa" | "ed25519";
  /** p=, RFC 6376 §3.6.1 and RFC 8463 §4. */
  readonly base64: string;
}

/** @param warn is told of keys that are weak */
export async function readDkimKeys(
  { dkim }: Pick<Config, "dkim">,
  folder: string,
  warn: (message: string) => void,
): Promise<readonly ReadKey[]> {
  if (dkim === undefined || dkim === "unsigned") return [];
  return Promise.all(dkim.map((key) => readKey(key, folder, warn)));
}

interface NamedKey {
  readonly domain: string;
  readonly selector: string;
  readonly keyFile: string;
}

/** Of DKIM, and of ARC, which has the same keys (RFC 8617 §4.1.3). */
export async function readKey(
  { domain, selector, keyFile }: NamedKey,
  folder: string,
  warn: (message: string) => void,
): Promise<ReadKey> {
  const path = resolve(folder, keyFile);
  const { octets } = await readPrivateFile(path, WORDS);
  const pem = octets.toString("latin1");
  return { domain, selector, privateKey: pem, publicKey: publicKeyOf(pem, path, warn) };
}

function publicKeyOf(pem: string, path: string, warn: (message: string) => void): PublicKey {
  const key = parseKey(pem, path);
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa":
      if (modulusLength < MIN_RSA_BITS) {
        const why = `has ${modulusLength} bits, and verifiers refuse fewer than ${MIN_RSA_BITS}`;
        throw new CommandFailure("config", `DKIM key ${path} ${why}: ${NEW_KEY}`);
      }
      if (modulusLength < GOOD_RSA_BITS) {
        const why = `has ${modulusLength} bits, where ${GOOD_RSA_BITS} are needed to be safe`;
        warn(`warning: DKIM key ${path} ${why}: ${NEW_KEY}, with a selector of its own`);
      }
      return renderPublicKey(key, "rsa");
    case "ed25519":
      return renderPublicKey(key, "ed25519");
    default: {
      const message = `DKIM key ${path} is ${key.asymmetricKeyType}, not RSA or Ed25519: ${NEW_KEY}`;
      throw new CommandFailure("config", message);
    }
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The library's words are about its own decoders.
    const message = `DKIM key ${path} is no private key in PEM without a passphrase: ${NEW_KEY}`;
    throw new CommandFailure("config", message);
  }
}

/** Of either half. */
export function renderPublicKey(key: KeyObject, type: PublicKey["type"]): PublicKey {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  const octets = publicKey.export({ type: "spki", format: "der" });
  // RFC 8463 §4.2: the 32 octets alone, without the algorithm before them.
  return { type, base64: (type === "ed25519" ? octets.subarray(-32) : octets).toString("base64") };
}

/**
 * What is wrong where no key is good for the From of our notifications, in words. Without a queue there are some, too:
 * bounces are re-issued while their client waits.
 */
export function unsignedProblem({ hostname, dkim }: Pick<Config, "hostname" | "dkim">): string | undefined {
  if (dkim === "unsigned") return undefined;
  if (dkim?.some(({ domain }) => isAligned(domain, hostname))) return undefined;
  const domains = dkim?.map(({ domain }) => domain).join(", ");
  const what =
    domains === undefined ? "there is no key" : `no key is of ${hostname} or above it (${domains})`;
  return (
    `dkim: ${what}, so notifications from ${hostname} fail DMARC or are taken for spam: ` +
    "make a key with homing dkim new and name it here, or write dkim: unsigned where a smart host signs"
  );
}

/**
 * RFC 7489 §3.1.1, relaxed, as far as it can be told without a list of public suffixes: of two labels at least, and the
 * same or above.
 */
export function isAligned(keyDomain: string, hostname: string): boolean {
  const above = asciiLower(keyDomain);
  const below = asciiLower(hostname);
  return above.includes(".") && (below === above || below.endsWith(`.${above}`));
}
