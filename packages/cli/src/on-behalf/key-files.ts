// The files of keys and secrets that a configuration with sites names, and that no key is in two of them: a site that had a key of
// links, or a secret of the forwarder, could make links or SRS addresses of everybody. Called by read-sites.ts and `homing local`.
import {
  checkStrength,
  NEW_SECRET,
  readSecretsFile,
  SECRETS_WORDS,
  type SecretsWords,
  type WeakSecrets,
} from "../config/secrets-file.ts";

export interface WhichFile {
  /** As it stands in the configuration; `srs.secretsFile` holds secrets, all others keys. */
  readonly setting: string;
  /** Files of one use may share a key. */
  readonly use: string;
  /** Default: short ones are refused. */
  readonly weak?: WeakSecrets;
}

export interface KeyFile extends WhichFile {
  readonly path: string;
  /** Newest first. */
  readonly secrets: readonly string[];
  /** The line number of each. */
  readonly lines: readonly number[];
}

/** What is wrong with it is one CommandFailure. */
export async function readKeyFile(path: string, which: WhichFile): Promise<KeyFile> {
  const words = wordsOf(path, which);
  const file = await readSecretsFile(path, words);
  checkStrength(file, path, which.weak ?? { allowed: false }, words);
  return { ...which, path, secrets: file.secrets, lines: file.lines };
}

/** One line for each key that is in a file of another use, too. */
export function keyClashes(files: readonly KeyFile[]): readonly string[] {
  const owners = new Map<string, KeyFile>();
  return files.flatMap((file) =>
    file.secrets.flatMap((secret, at) => {
      const owner = owners.get(secret);
      if (owner === undefined) owners.set(secret, file);
      if (owner === undefined || owner.use === file.use) return [];
      const { what, one } = wordsOf(file.path, file);
      const remedy = owner.path === file.path ? "name a file of its own" : NEW_SECRET;
      return [
        `${what} ${file.path}:${file.lines[at]}: the ${one} is one of ${owner.setting}, too, and whoever has it could ` +
          `do what the other is for: ${remedy}`,
      ];
    }),
  );
}

function wordsOf(path: string, { setting }: Pick<WhichFile, "setting">): SecretsWords {
  // As all tell of it, so that what is wrong with it is told once.
  if (setting === "srs.secretsFile") return SECRETS_WORDS;
  const one = setting.endsWith(".secretsFile") ? "secret" : "key";
  return {
    what: `${setting}: file of ${one}s`,
    one,
    instead: `name the one that holds the ${one}s`,
    tooLarge: `not a file of ${one}s: name the one with a ${one} on each line`,
    missing: `make one with homing secrets new ${path}`,
  };
}
