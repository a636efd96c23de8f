// What a PostSRSd serves, whichever its version. Made by postsrsd-one.ts and postsrsd-two.ts.
import type { Assignment, FileProblem } from "./assignments.ts";

export interface PostsrsdSettings {
  readonly version: 1 | 2;
  /** Undefined where another place tells: `postconf -h mydomain` (1), the first own domain (2). */
  readonly srsDomain: string | undefined;
  /** A leading dot stands for all domains below. */
  readonly ownDomains: readonly string[];
  readonly ownDomainsFile: string | undefined;
  readonly secretsFile: string;
  readonly separator: "=" | "+" | "-";
  readonly tagLength: number;
  readonly minTagLength: number;
  /** `unix:/path` or `HOST:PORT`; only those that are served. */
  readonly socketmap: string | undefined;
  readonly milter: string | undefined;
  readonly rewriteLocal: boolean;
  readonly forward: string | undefined;
  readonly reverse: string | undefined;
  readonly connections: number | undefined;
  /** What has no counterpart, or another one: for the person who moves. */
  readonly notes: readonly FileProblem[];
}

export type ByName = ReadonlyMap<string, Assignment>;

export type Settings =
  | { readonly ok: true; readonly settings: PostsrsdSettings }
  | { readonly ok: false; readonly problem: FileProblem };

export function problem(line: number, message: string): { ok: false; problem: FileProblem } {
  return { ok: false, problem: { line, message } };
}

/** The text of a setting; undefined where it is not there, or empty. */
export function textOf(byName: ByName, name: string): string | undefined {
  return byName.get(name)?.values.at(-1) || undefined;
}

export function lineOf(byName: ByName, name: string): number {
  return byName.get(name)?.line ?? 1;
}

/** Settings that both versions have, under two names. Undefined where they are right. */
export function problemOfTags(
  byName: ByName,
  names: { readonly separator: string; readonly numbers: readonly string[] },
): FileProblem | undefined {
  const separator = textOf(byName, names.separator) ?? "=";
  if (!/^[=+-]$/.test(separator))
    return {
      line: lineOf(byName, names.separator),
      message: `${names.separator} is none of = + -: write one`,
    };
  for (const name of names.numbers) {
    const text = textOf(byName, name);
    if (text !== undefined && !/^\d{1,9}$/.test(text))
      return { line: lineOf(byName, name), message: `${name} is no number: write digits` };
  }
  return undefined;
}

export function separatorOf(byName: ByName, name: string): "=" | "+" | "-" {
  const text = textOf(byName, name);
  return text === "+" || text === "-" ? text : "=";
}

export function numberOf(byName: ByName, name: string): number | undefined {
  const text = textOf(byName, name);
  return text === undefined ? undefined : Number(text);
}

export interface Counterpart {
  readonly name: string;
  /** Of its value: is there something to say? */
  readonly when?: (value: string) => boolean;
  readonly note: string;
}

/** Notes on what is set and differs here, and on what nobody here knows. */
export function notesOn(
  byName: ByName,
  known: readonly string[],
  counterparts: readonly Counterpart[],
): readonly FileProblem[] {
  const notes: FileProblem[] = [];
  for (const { name, when = () => true, note } of counterparts) {
    const value = textOf(byName, name);
    if (value !== undefined && when(value))
      notes.push({ line: lineOf(byName, name), message: `${name}: ${note}` });
  }
  const names = new Set([...known, ...counterparts.map(({ name }) => name)]);
  for (const { name, line } of byName.values())
    if (!names.has(name)) notes.push({ line, message: `${name} is not known here, and left out` });
  return notes.sort((a, b) => a.line - b.line);
}

export function isOn(value: string): boolean {
  return /^(?:on|yes|true)$/i.test(value);
}
