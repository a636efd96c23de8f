// The dialogue with a server, line by line, for a person who watches. Called by smtp-out.ts.
import { printable } from "@homing/srs-core";
import type { Credentials } from "../next-hops.ts";

export type Transcript = (from: "client" | "server", line: string) => void;

/** A server may say anything, and somebody's terminal shows it. */
const MAX_LINE = 1_000;

/** The library's logger contract: a bunyan-like object; entries of the dialogue carry `tnx`. */
export function transcriber(hear: Transcript, credentials: Credentials | undefined) {
  const hide = hiding(credentials);
  const entry = (data: { tnx?: string }, ...texts: unknown[]): void => {
    if (data.tnx !== "client" && data.tnx !== "server") return;
    for (const line of String(texts[0] ?? "").split(/\r?\n/)) hear(data.tnx, printable(hide(line), MAX_LINE));
  };
  return { trace: entry, debug: entry, info: entry, warn: entry, error: entry, fatal: entry };
}

/** The library hides the password in what it sends. A server may say it again. */
function hiding(credentials: Credentials | undefined): (line: string) => string {
  if (!credentials) return (line) => line;
  const { user, password } = credentials;
  const forms = [`\0${user}\0${password}`, password].map((text) => Buffer.from(text).toString("base64"));
  return (line) => [...forms, password].reduce((text, secret) => text.replaceAll(secret, "…"), line);
}
