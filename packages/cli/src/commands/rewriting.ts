// `homing forge` and `homing reverse`: an envelope sender to its SRS address, and back.
import { createRewriter, NULL_PATH, parseDomain, parseReversePath, renderMailbox } from "@homing/srs-core";
import { readSecretsFile, requireStrong } from "../config/secrets-file.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { parseTime, unixNow } from "../time.ts";

export interface ForgeOptions {
  readonly domain: string;
  readonly secrets: string;
  readonly scheme: string;
  readonly separator: string;
  readonly tagLength?: string;
  readonly at?: string;
  readonly json?: true;
}

export interface ReverseOptions {
  readonly secrets: string;
  readonly at?: string;
  readonly json?: true;
}

/** The shortest classic tag that any peer writes by default. */
const MIN_CLASSIC_TAG = 4;

/** Prints the SRS address. Returns the exit code. */
export async function forge(address: string, options: ForgeOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const now = options.at === undefined ? unixNow() : parseTime(options.at);
  const scheme = oneOf("--scheme", options.scheme, ["strong", "classic"] as const);
  const separator = oneOf("--separator", options.separator, ["=", "+", "-"] as const);
  const tagLength = tagLengthOption(options.tagLength, scheme);
  const domain = parseDomain(options.domain);
  if (!domain.ok) throw new CommandFailure("usage", `--domain ${domain.message}`);
  const secrets = await readSecrets(options.secrets, scheme, output);

  const sender = readSender(address);
  if (!sender.ok) return negative(output, sender.reason, sender.message);
  const rewriter = createRewriter({ secrets, domain: domain.domain, scheme, separator, ...tagLength });
  const outcome = rewriter.forward(sender.mailbox, now);
  if (!outcome.ok) return negative(output, outcome.reason, outcome.message);
  if (outcome.sender === NULL_PATH) throw new Error("a mailbox became the null path");
  const forged = renderMailbox(outcome.sender);
  if (!outcome.rewritten) output.talk(`homing: ${forged} is at the SRS domain already: not rewritten`);
  if (output.json) output.document({ ok: true, address: forged, rewritten: outcome.rewritten });
  else output.data(forged);
  return EXIT.ok;
}

/** Prints the address inside an SRS address, if its tag and date are good. Returns the exit code. */
export async function reverse(address: string, options: ReverseOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const now = options.at === undefined ? unixNow() : parseTime(options.at);
  const secrets = await readSecrets(options.secrets, "classic", output);

  const recipient = readSender(address);
  if (!recipient.ok) return negative(output, recipient.reason, recipient.message);
  const rewriter = createRewriter({
    secrets,
    domain: recipient.mailbox.domain,
    accept: ["strong", "classic"],
    tagLength: MIN_CLASSIC_TAG,
  });
  const outcome = rewriter.reverse(recipient.mailbox, now);
  if (!outcome.ok) return negative(output, outcome.reason, REVERSE_WORDS[outcome.reason]);
  const reversed = renderMailbox(outcome.address);
  if (output.json) output.document({ ok: true, address: reversed });
  else output.data(reversed);
  return EXIT.ok;
}

const REVERSE_WORDS = {
  "not-srs": "this is not an SRS address",
  malformed: "this begins like an SRS address, but its fields are not those of one",
  "bad-tag": "the tag was not made with any secret of this file, or the address was changed",
  expired: "the tag is good, but the address is too old",
  future: "the tag is good, but the address is dated in the future: compare the clocks",
} as const;

type Sender =
  | { readonly ok: true; readonly mailbox: Parameters<typeof renderMailbox>[0] }
  | { readonly ok: false; readonly reason: string; readonly message: string };

function readSender(text: string): Sender {
  const bare = text.startsWith("<") && text.endsWith(">") ? text.slice(1, -1) : text;
  const parsed = parseReversePath(bare);
  if (!parsed.ok) return parsed;
  if (parsed.reversePath === NULL_PATH) {
    return { ok: false, reason: "null-sender", message: "the null sender <> is never rewritten" };
  }
  return { ok: true, mailbox: parsed.reversePath };
}

/** A classic site may share a short secret with its peers: a warning, not a refusal. */
async function readSecrets(
  path: string,
  scheme: "strong" | "classic",
  output: Output,
): Promise<readonly string[]> {
  const file = await readSecretsFile(path);
  if (scheme === "strong") requireStrong(file, path);
  for (const line of file.weakLines)
    output.talk(`homing: warning: ${path}:${line}: this secret is short and can be guessed`);
  return file.secrets;
}

function negative(output: Output, reason: string, message: string): number {
  if (output.json) output.document({ ok: false, reason, message });
  else output.talk(`homing: ${reason}: ${message}`);
  return EXIT.negative;
}

function tagLengthOption(text: string | undefined, scheme: "strong" | "classic"): { tagLength?: number } {
  if (text === undefined) return {};
  if (scheme === "strong")
    throw new CommandFailure(
      "usage",
      "--tag-length is for --scheme classic: a strong tag has eight characters",
    );
  const length = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (length >= MIN_CLASSIC_TAG && length <= 27) return { tagLength: length };
  throw new CommandFailure(
    "usage",
    `--tag-length ${text}: write a whole number from ${MIN_CLASSIC_TAG} to 27`,
  );
}

function oneOf<Value extends string>(option: string, text: string, values: readonly Value[]): Value {
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw new CommandFailure("usage", `${option} ${text}: write one of ${values.join(" ")}`);
}
