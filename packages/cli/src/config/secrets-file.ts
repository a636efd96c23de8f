// Secrets files: one secret a line, newest first, `#` comments: PostSRSd's format. Called by every command that signs
// or verifies.
import { isUtf8 } from "node:buffer";
import { CommandFailure } from "../failure.ts";
import { type FileOwner, type FileWords, readPrivateFile } from "../private-file.ts";

/** 22 characters of base64 hold 128 bits. */
export const STRONG_LENGTH = 22;
export const SECRETS_WORDS: SecretsWords = {
  what: "secrets file",
  one: "secret",
  instead: "name the one that holds the secrets",
  tooLarge: "not a secrets file: name the one with a secret on each line",
};
export const NEW_SECRET = "put a random one there, as from: openssl rand -base64 24";
/** Blanks inside a secret are part of it, a tab among them. U+FFFD is what a decoder leaves of octets that it cannot read. */
const UNFIT = /(?!\t)[\p{Cc}\ufffd]/u;

/** For messages. Keys of sites stand in files of the same form. */
export interface SecretsWords extends FileWords {
  /** Of what is on a line: `secret` or `key`. */
  readonly one: string;
}

export interface SecretsFile {
  /** Newest first; at least one. */
  readonly secrets: readonly string[];
  /** The line number of each. */
  readonly lines: readonly number[];
  /** Line numbers of secrets that are too short to be strong. */
  readonly weakLines: readonly number[];
  /** All of it, with comments. */
  readonly text: string;
  readonly owner: FileOwner;
}

/** When a short secret is taken all the same. */
export interface WeakSecrets {
  readonly allowed: boolean;
  /** How a person allows it, in words; left out where nothing allows it. */
  readonly remedy?: string;
}

/** Reads and checks a secrets file. What is wrong with it is one CommandFailure. */
export async function readSecretsFile(
  path: string,
  words: SecretsWords = SECRETS_WORDS,
): Promise<SecretsFile> {
  const { octets, owner } = await readPrivateFile(path, words);
  const file = { what: `${words.what} ${path}`, one: words.one };
  return { ...parseSecrets(decoded(octets, file), file), owner };
}

/**
 * Refuses short secrets, since a tag is worth no more than the secret behind it. Where they are allowed, because a site
 * shares one with its peers, each is a warning.
 *
 * @returns the warnings
 */
export function checkStrength(
  file: SecretsFile,
  path: string,
  weak: WeakSecrets,
  { what, one }: Named = SECRETS_WORDS,
): string[] {
  const [line] = file.weakLines;
  if (line === undefined) return [];
  if (weak.allowed) {
    return file.weakLines.map(
      (number) => `warning: ${path}:${number}: this ${one} is short and can be guessed`,
    );
  }
  const remedy = weak.remedy === undefined ? "" : `, or ${weak.remedy}`;
  throw new CommandFailure(
    "config",
    `${what} ${path}:${line}: the ${one} has fewer than ${STRONG_LENGTH} characters, which can be guessed: ` +
      `${NEW_SECRET}${remedy}`,
  );
}

type Named = Pick<SecretsWords, "what" | "one">;

/** Decoded with replacements, different octets would be one secret, which anybody can write; and rotation would keep that. */
function decoded(octets: Buffer, { what, one }: Named): string {
  if (isUtf8(octets)) return octets.toString("utf8");
  const lines = octets.toString("latin1").split("\n");
  const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, "latin1"))) + 1;
  throw new CommandFailure(
    "config",
    `${what}:${line}: this line is not UTF-8: if it is a ${one}, ${NEW_SECRET}`,
  );
}

function parseSecrets(text: string, { what, one }: Named): Omit<SecretsFile, "owner"> {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, secret: line.trim() }))
    .filter((line) => line.secret !== "" && !line.secret.startsWith("#"));
  if (lines.length === 0) {
    throw new CommandFailure(
      "config",
      `${what} holds no ${one}: put one on a line, as from: openssl rand -base64 24`,
    );
  }
  const unfit = lines.find((line) => UNFIT.test(line.secret));
  if (unfit) {
    const message = `${what}:${unfit.number}: the ${one} holds a character that is no text: ${NEW_SECRET}`;
    throw new CommandFailure("config", message);
  }
  return {
    secrets: lines.map((line) => line.secret),
    lines: lines.map((line) => line.number),
    text,
    weakLines: lines.filter((line) => line.secret.length < STRONG_LENGTH).map((line) => line.number),
  };
}
