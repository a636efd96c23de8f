// The command line of `homing pipe`: its own options, and those of sendmail(1), which programs pass that think it is one. Not
// commander's: its exit code for a mistake, 2, would have Postfix return the mail of whoever wrote meanwhile.
import type { Conventions } from "@homing/mta-adapters/pipe";

export interface PipeArguments {
  /** UNIX path, or HOST:PORT. */
  readonly socket: string;
  readonly sendmail: string | undefined;
  readonly server: string | undefined;
  readonly conventions: Conventions | undefined;
  readonly alias: string | undefined;
  readonly sender: string | undefined;
  /** The name in From, for `-t`. */
  readonly fullName: string | undefined;
  /** `-t`: the header says who gets it. */
  readonly fromHeader: boolean;
  readonly stop: boolean;
  readonly json: boolean;
  readonly recipients: readonly string[];
  /** More of them, one a line. */
  readonly recipientsFile: string | undefined;
}

export type ParsedPipeArguments =
  | { readonly ok: true; readonly arguments: PipeArguments }
  | { readonly ok: false; readonly message: string };

export const DEFAULT_SOCKET = "/run/homing/readsocket";

/** Ours, in the order of the help. */
const WITH_VALUE = [
  "--socket",
  "--sendmail",
  "--server",
  "--conventions",
  "--alias",
  "--recipients",
] as const;
type ValueOption = (typeof WITH_VALUE)[number];

/**
 * Sendmail's. Those that ask for notifications (-N, -R, -V) are of the message that came, not of the one that goes on; and Exim's
 * sendmail reads -N as "deliver nothing".
 */
const IGNORED_WITH_VALUE = "BhLNOpRVX";
const IGNORED_FLAGS = "GimnUv";

interface Collected {
  values: Partial<Record<ValueOption | "-f" | "-F", string>>;
  flags: Set<string>;
  recipients: string[];
}

class Mistake extends Error {}

export function parsePipeArguments(argv: readonly string[]): ParsedPipeArguments {
  const collected: Collected = { values: {}, flags: new Set(), recipients: [] };
  try {
    collect([...argv], collected);
    return { ok: true, arguments: whole(collected) };
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    return { ok: false, message: error.message };
  }
}

function collect(rest: string[], collected: Collected): void {
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      collected.recipients.push(...rest);
      return;
    }
    if (word.startsWith("--")) longOption(word, rest, collected);
    else if (word.startsWith("-") && word !== "-") sendmailOption(word, rest, collected);
    else collected.recipients.push(word);
  }
}

function longOption(word: string, rest: string[], { values, flags }: Collected): void {
  if (word === "--stop" || word === "--json") {
    flags.add(word);
    return;
  }
  const [name = "", ...parts] = word.split("=");
  const known = WITH_VALUE.find((one) => one === name);
  if (!known) throw new Mistake(`${name} is no option: homing pipe --help shows them`);
  values[known] = parts.length > 0 ? parts.join("=") : nextValue(name, rest);
}

function sendmailOption(word: string, rest: string[], { values, flags }: Collected): void {
  const letter = word[1] ?? "";
  const attached = word.slice(2);
  if (letter === "f" || letter === "r") values["-f"] = attached || nextValue(word, rest);
  else if (letter === "F") values["-F"] = attached || nextValue(word, rest);
  // -oi, -oem, -odb: how to queue and to report. -em: mailx's old form.
  else if (letter === "o" && attached !== "") return;
  else if (letter === "e" && attached !== "") return;
  else if (word === "-bm" || word === "-Am" || word === "-Ac") return;
  else if (IGNORED_WITH_VALUE.includes(letter)) void (attached || nextValue(word, rest));
  else manyFlags(word, flags);
}

/** `-it` is `-i -t`. */
function manyFlags(word: string, flags: Set<string>): void {
  for (const letter of word.slice(1)) {
    if (letter === "t") flags.add("-t");
    else if (!IGNORED_FLAGS.includes(letter))
      throw new Mistake(`${word} is no option that homing pipe has, or can leave out: take it away`);
  }
}

/** An empty one is a value: `-f ''`. */
function nextValue(name: string, rest: string[]): string {
  const value = rest.shift();
  if (value === undefined) throw new Mistake(`${name} needs a value`);
  return value;
}

function whole({ values, flags, recipients }: Collected): PipeArguments {
  const conventions = values["--conventions"];
  if (conventions !== undefined && conventions !== "qmail" && conventions !== "sysexits")
    throw new Mistake(`--conventions ${conventions}: write qmail or sysexits`);
  const fromHeader = flags.has("-t");
  if (!fromHeader && recipients.length === 0 && values["--recipients"] === undefined)
    throw new Mistake("nobody is named to send the message on to: write the address behind homing pipe");
  if (fromHeader && values["--server"] !== undefined)
    throw new Mistake("-t and --server: a sendmail program reads the header, a server does not: keep one");
  const bad = recipients.find((recipient) => recipient === "" || /\p{Cc}/u.test(recipient));
  if (bad !== undefined) throw new Mistake(`${JSON.stringify(bad)} is no recipient`);
  return {
    socket: values["--socket"] ?? DEFAULT_SOCKET,
    sendmail: values["--sendmail"],
    server: values["--server"],
    conventions,
    alias: values["--alias"],
    sender: values["-f"],
    fullName: values["-F"],
    fromHeader,
    stop: flags.has("--stop"),
    json: flags.has("--json"),
    recipients,
    recipientsFile: values["--recipients"],
  };
}
