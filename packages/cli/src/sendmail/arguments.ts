// The command line of `homing sendmail`: that of sendmail(1), letter by letter as Postfix's takes it, with our own options in
// front. Not commander's: its exit code for a mistake, 2, means something else to whoever calls sendmail.
import type { DsnRequest } from "@homing/forwarder/submit";

export interface SendmailArguments {
  readonly config: string | undefined;
  /** A temporary failure ends with 69: for callers to whom 75 means that the mail waits in a queue. */
  readonly final: boolean;
  readonly json: boolean;
  /** As it was written; "" and `<>` are the null sender. */
  readonly sender: string | undefined;
  /** The name in a From field that is missing. */
  readonly fullName: string | undefined;
  /** `-t`: the header says who gets it. */
  readonly fromHeader: boolean;
  /** Not with `-i`: a line that is a dot ends the message. */
  readonly dotEnds: boolean;
  /** `-v`: the dialogue goes to stderr. */
  readonly verbose: boolean;
  /** What is asked of the server's notifications: -N, -R, -V. */
  readonly dsn: DsnRequest | undefined;
  /** Each may be a list, as in a header field. */
  readonly recipients: readonly string[];
}

export type ParsedArguments =
  | { readonly kind: "send"; readonly arguments: SendmailArguments }
  /** Nothing is to be sent, and nothing is wrong. */
  | { readonly kind: "done"; readonly message: string }
  | { readonly kind: "help" }
  | { readonly kind: "mistake"; readonly message: string };

/** As in Postfix's getopt string, with -D, -L and -M of Sendmail. -d and -q have a value in the same word, or none. */
const WITH_VALUE = "ABCDFLMNORVXbefhopr";
const WITHOUT_VALUE = "GIUcimnstvx";
const NO_QUEUE =
  "homing sendmail keeps no queue: what it sends is with the server at once, or it says that it is not. The " +
  "server's queue is shown there, by homing queue list";
const NO_ALIASES = "homing sendmail has no aliases: the server has them";
const DONE_MODES: Readonly<Record<string, string>> = { p: NO_QUEUE, i: NO_ALIASES };

const NOTIFY = ["NEVER", "SUCCESS", "FAILURE", "DELAY"] as const;
/** RFC 3461 §4.4. */
const MAX_ENVID = 100;

interface Collected {
  dsn?: DsnRequest;
  config?: string;
  sender?: string;
  fullName?: string;
  readonly flags: Set<string>;
  readonly recipients: string[];
}

/** Thrown inside this file alone: what ends the reading. */
class Ended {
  readonly outcome: Exclude<ParsedArguments, { kind: "send" }>;
  constructor(outcome: Ended["outcome"]) {
    this.outcome = outcome;
  }
}

/** @param argv what stands behind `homing sendmail` */
export function parseSendmailArguments(argv: readonly string[]): ParsedArguments {
  const collected: Collected = { flags: new Set(), recipients: [] };
  try {
    const rest = [...argv];
    ownOptions(rest, collected);
    sendmailOptions(rest, collected);
  } catch (error) {
    if (error instanceof Ended) return error.outcome;
    throw error;
  }
  const { flags, config, sender, fullName, dsn, recipients } = collected;
  return {
    kind: "send",
    arguments: {
      ...{ config, sender, fullName, dsn, recipients },
      final: flags.has("--final"),
      json: flags.has("--json"),
      fromHeader: flags.has("t"),
      dotEnds: !flags.has("i"),
      verbose: flags.has("v"),
    },
  };
}

/**
 * In front alone: programs put words of their users behind -f (PHPMailer, CVE-2016-10033), and whoever names another
 * configuration is sent the password.
 */
function ownOptions(rest: string[], collected: Collected): void {
  for (let [word = ""] = rest; word.startsWith("--") && word !== "--"; [word = ""] = rest) {
    rest.shift();
    if (word === "--json" || word === "--final") collected.flags.add(word);
    else if (word === "--help") throw new Ended({ kind: "help" });
    else if (word === "--config") collected.config = nextValue(word, rest);
    else if (word.startsWith("--config=")) collected.config = word.slice("--config=".length);
    else throw mistake(`${word} is no option: homing sendmail --help shows them`);
  }
}

function sendmailOptions(rest: string[], collected: Collected): void {
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      collected.recipients.push(...rest);
      return;
    }
    if (word.startsWith("--"))
      throw mistake(`${word}: options of this name stand in front of all others, or are none`);
    if (word.startsWith("-") && word !== "-") letters(word, rest, collected);
    else collected.recipients.push(word);
  }
}

/** `-it` is `-i -t`; `-tfann@home.example` is `-t -f ann@home.example`. */
function letters(word: string, rest: string[], collected: Collected): void {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at] ?? "";
    const attached = word.slice(at + 1);
    if (WITHOUT_VALUE.includes(letter)) {
      collected.flags.add(letter);
      continue;
    }
    if (letter === "q") throw new Ended({ kind: "done", message: NO_QUEUE });
    if (letter === "d") return;
    if (!WITH_VALUE.includes(letter))
      throw mistake(`-${letter} is no option of sendmail: homing sendmail --help shows them`);
    withValue(letter, attached || nextValue(`-${letter}`, rest), collected);
    return;
  }
}

function withValue(letter: string, value: string, collected: Collected): void {
  if (letter === "f" || letter === "r") collected.sender = value;
  else if (letter === "F") collected.fullName = nameOf(value);
  else if ("NRV".includes(letter)) collected.dsn = { ...collected.dsn, ...dsnPart(letter, value) };
  else if (letter === "b") mode(value);
  else if (letter === "o" && value === "i") collected.flags.add("i");
  // Whoever names another configuration wants other things done than ours: it would not be this mail that goes out.
  else if (letter === "C")
    throw mistake("-C: homing sendmail has one configuration of its own: see --config");
}

function mode(value: string): void {
  const [letter = ""] = value;
  if (letter === "m") return;
  const message = DONE_MODES[letter];
  if (message !== undefined) throw new Ended({ kind: "done", message });
  if (letter === "s" || letter === "d" || letter === "D")
    throw mistake(`-b${letter}: homing sendmail speaks no SMTP itself: connect to the server`);
  if (letter === "v")
    throw mistake("-bv: homing sendmail asks nobody about addresses: the server says it when mail is sent");
  throw mistake(`-b${letter} is no mode that homing sendmail has: take it away`);
}

function nameOf(value: string): string {
  if (/[\p{Cc}\ufffd]/u.test(value)) throw mistake("-F: a name holds no control characters: take them out");
  return value;
}

/** RFC 3461 §4: asked of the server, if it knows of that. */
function dsnPart(letter: string, value: string): DsnRequest {
  const words = value.toUpperCase().split(",");
  if (letter === "N") {
    const notify = NOTIFY.filter((known) => words.includes(known));
    if (notify.length === words.length && (notify.length === 1 || !words.includes("NEVER")))
      return { notify };
    throw mistake(`-N ${value}: write never, or of success, failure and delay those that are wanted`);
  }
  if (letter === "R") {
    const [word] = words;
    if (word === "FULL" || word === "HDRS") return { ret: word };
    throw mistake(`-R ${value}: write full or hdrs`);
  }
  if (/^[!-~]+$/.test(value) && value.length <= MAX_ENVID) return { envid: value };
  throw mistake("-V: write up to 100 visible characters of ASCII");
}

/** An empty one is a value: `-f ''`. */
function nextValue(name: string, rest: string[]): string {
  const value = rest.shift();
  if (value === undefined) throw mistake(`${name} needs a value`);
  return value;
}

function mistake(message: string): Ended {
  return new Ended({ kind: "mistake", message });
}
