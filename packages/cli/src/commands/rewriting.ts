// `homing forge` and `homing reverse`: an envelope sender to its SRS address, and back.
import {
  createRewriter,
  KEPT_LABEL,
  NULL_PATH,
  parseDomain,
  renderMailbox,
  type Separator,
} from "@homing/srs-core";
import { parseAddressArgument } from "../address-argument.ts";
import { checkStrength, readSecretsFile } from "../config/secrets-file.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { maxAgeOption, numberOption } from "../number-option.ts";
import { createOutput, negative, type Output } from "../output.ts";
import { reverseWords } from "../reverse-words.ts";
import { parseTime, unixNow } from "../time.ts";

type Scheme = "strong" | "classic";

export interface ForgeOptions {
  readonly domain: string;
  readonly secrets: string;
  readonly scheme: Scheme;
  readonly separator: Separator;
  readonly tagLength?: string;
  readonly weakSecret?: true;
  readonly at?: string;
  readonly json?: true;
}

export interface ReverseOptions {
  readonly secrets: string;
  readonly maxAgeDays?: string;
  readonly weakSecret?: true;
  readonly at?: string;
  readonly json?: true;
}

/** The shortest classic tag that any peer writes by default. */
const MIN_CLASSIC_TAG = 4;
const WEAK_REMEDY = "say --weak-secret if peers share it";

/** Prints the SRS address. Returns the exit code. */
export async function forge(address: string, options: ForgeOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const now = options.at === undefined ? unixNow() : parseTime(options.at);
  const { scheme, separator } = options;
  const tagLength = tagLengthOption(options.tagLength, scheme);
  if (scheme === "strong" && options.weakSecret) {
    throw new CommandFailure("usage", "--weak-secret is for --scheme classic: strong takes no short secret");
  }
  const domain = parseDomain(options.domain);
  if (!domain.ok) throw new CommandFailure("usage", `--domain ${domain.message}`);
  if (domain.domain === KEPT_LABEL) {
    throw new CommandFailure(
      "usage",
      `--domain ${KEPT_LABEL}: this is the label of kept senders: write a domain name`,
    );
  }
  const secrets = await readSecrets(options, scheme === "classic", output);

  const sender = parseAddressArgument(address);
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
  const maxAgeDays = maxAgeOption(options.maxAgeDays);
  const secrets = await readSecrets(options, true, output);

  const recipient = parseAddressArgument(address);
  if (!recipient.ok) return negative(output, recipient.reason, recipient.message);
  const rewriter = createRewriter({
    secrets,
    domain: "reverse.invalid",
    accept: ["strong", "classic"],
    tagLength: MIN_CLASSIC_TAG,
    maxAgeDays,
  });
  const outcome = rewriter.reverse(recipient.mailbox, now);
  if (!outcome.ok) return negative(output, outcome.reason, reverseWords(outcome.reason, recipient.mailbox));
  const reversed = renderMailbox(outcome.address);
  if (output.json) output.document({ ok: true, address: reversed });
  else output.data(reversed);
  return EXIT.ok;
}

/** @param classic may the tags be classic? Only for those a short secret can be allowed. */
async function readSecrets(
  { secrets: path, weakSecret = false }: { readonly secrets: string; readonly weakSecret?: boolean },
  classic: boolean,
  output: Output,
): Promise<readonly string[]> {
  const file = await readSecretsFile(path);
  const weak = classic ? { allowed: weakSecret, remedy: WEAK_REMEDY } : { allowed: false };
  for (const warning of checkStrength(file, path, weak)) output.talk(`homing: ${warning}`);
  return file.secrets;
}

function tagLengthOption(text: string | undefined, scheme: Scheme): { tagLength?: number } {
  if (text === undefined) return {};
  if (scheme === "strong")
    throw new CommandFailure(
      "usage",
      "--tag-length is for --scheme classic: a strong tag has eight characters",
    );
  return { tagLength: numberOption("--tag-length", text, { min: MIN_CLASSIC_TAG, max: 27 }) };
}
