// `homing inspect`: an SRS address decoded hop by hop, with or without the secrets.
import { createRewriter, type Rewriter } from "@homing/srs-core";
import { parseAddressArgument } from "../address-argument.ts";
import { checkStrength, readSecretsFile } from "../config/secrets-file.ts";
import { EXIT } from "../failure.ts";
import { drawBoxes } from "../inspect/boxes.ts";
import { inspectAddress } from "../inspect/inspect.ts";
import { maxAgeOption } from "../number-option.ts";
import { createOutput, negative, type Output } from "../output.ts";
import { parseTime, unixNow } from "../time.ts";

export interface InspectCommandOptions {
  readonly secrets?: string;
  readonly maxAgeDays?: string;
  readonly at?: string;
  readonly json?: true;
}

/** Prints what is in the address. Returns the exit code. */
export async function inspect(address: string, options: InspectCommandOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const now = options.at === undefined ? unixNow() : parseTime(options.at);
  const maxAgeDays = maxAgeOption(options.maxAgeDays);
  const parsed = parseAddressArgument(address);
  const secrets =
    options.secrets === undefined ? undefined : await readSecrets(options.secrets, maxAgeDays, output);
  if (!parsed.ok) return negative(output, parsed.reason, parsed.message);

  const outcome = inspectAddress(parsed.mailbox, { rewriter: undefined, ...secrets, maxAgeDays, now });
  if (!outcome.ok) return negative(output, outcome.reason, outcome.message);
  if (output.json) output.document({ ok: true, now, ...outcome.inspection });
  else for (const line of drawBoxes(outcome.inspection)) output.data(line);
  return EXIT.ok;
}

/** Everything is tried, also what a forwarder would not accept: this command explains, it admits nobody. */
async function readSecrets(
  path: string,
  maxAgeDays: number,
  output: Output,
): Promise<{ readonly rewriter: Rewriter; readonly secretLines: readonly number[] }> {
  const file = await readSecretsFile(path);
  for (const warning of checkStrength(file, path, { allowed: true })) output.talk(`homing: ${warning}`);
  const rewriter = createRewriter({
    secrets: file.secrets,
    domain: "inspect.invalid",
    accept: ["strong", "classic", "exim"],
    maxAgeDays,
  });
  return { rewriter, secretLines: file.lines };
}
