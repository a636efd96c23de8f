// What a configuration file sets, before anybody knows what it means. Made by confuse-file.ts and shell-file.ts.

export interface Assignment {
  readonly name: string;
  /** One, unless it is a list. */
  readonly values: readonly string[];
  /** Of the name, from 1. */
  readonly line: number;
}

export interface FileProblem {
  readonly line: number;
  /** What, why and what to do. */
  readonly message: string;
}

export type ParsedFile =
  | { readonly ok: true; readonly assignments: readonly Assignment[] }
  | { readonly ok: false; readonly problem: FileProblem };

/** Thrown by a parser, caught by the same one. */
export class NotParsed extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export function parsed(parse: () => readonly Assignment[]): ParsedFile {
  try {
    return { ok: true, assignments: parse() };
  } catch (error) {
    if (!(error instanceof NotParsed)) throw error;
    return { ok: false, problem: { line: error.line, message: error.message } };
  }
}
