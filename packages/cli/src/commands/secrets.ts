// `homing secrets new`, `rotate` and `check`: the life of a secrets file. No secret is ever printed.
import { readSecretsFile } from "../config/secrets-file.ts";
import { EXIT } from "../failure.ts";
import { maxAgeOption } from "../number-option.ts";
import { createOutput, type Output } from "../output.ts";
import { octal } from "../private-file.ts";
import { type Review, reviewSecrets } from "../secrets/review.ts";
import { newFileText, rotatedText } from "../secrets/secrets-text.ts";
import { createSecretsFile, replaceSecretsFile } from "../secrets/write-secrets.ts";
import { randomSecret } from "../system-world.ts";
import { parseTime, unixNow } from "../time.ts";

interface JsonOption {
  readonly json?: true;
}

const SECONDS_PER_DAY = 86_400;
/** RFC 5321 §4.5.4.1: what was forged on its last day may wait so long in somebody's queue. */
const QUEUE_LIFE_DAYS = 5;

export async function newSecrets(file: string, options: JsonOption): Promise<number> {
  const output = createOutput(options.json === true);
  await createSecretsFile(file, newFileText(randomSecret(), utcDay(unixNow())));
  const { lines } = await readSecretsFile(file);
  if (output.json) output.document({ ok: true, file, line: lines[0] });
  else output.data(`${file}: made, with one random secret on line ${lines[0]}; mode 0600`);
  return EXIT.ok;
}

export async function rotateSecrets(
  file: string,
  options: JsonOption & { readonly maxAgeDays?: string },
): Promise<number> {
  const output = createOutput(options.json === true);
  const now = unixNow();
  const lifeDays = maxAgeOption(options.maxAgeDays) + QUEUE_LIFE_DAYS;
  const rotation = {
    secret: randomSecret(),
    today: utcDay(now),
    mayGoFrom: utcDay(now + lifeDays * SECONDS_PER_DAY),
  };
  await replaceSecretsFile(file, (old) => rotatedText(old.text, old.lines, rotation));
  const after = await readSecretsFile(file);
  const review = reviewSecrets(after, { today: rotation.today, weakAllowed: true });
  tellRotation(output, file, review);
  return EXIT.ok;
}

function tellRotation(output: Output, file: string, { secrets, findings }: Review): void {
  const [newest, ...older] = secrets;
  const old = older.map(({ line, state, mayGoFrom = null }) => ({ line, state, mayGoFrom }));
  if (output.json) output.document({ ok: true, file, line: newest?.line, old });
  if (output.json) return;
  output.data(`${file}: a new secret on line ${newest?.line} signs from now on`);
  for (const { line, state, mayGoFrom } of old) {
    const when = state === "may-go" ? "may go now" : `still verifies, and may go from ${mayGoFrom}`;
    output.data(`${file}: the secret on line ${line} ${when}`);
  }
  for (const { finding, message } of findings) {
    if (finding === "too-many") output.talk(`homing: warning: ${file}: ${message}`);
  }
  output.talk(
    "homing: restart homing serve, and every program that shares this file: they read it at their start",
  );
}

export interface CheckOptions extends JsonOption {
  readonly weakSecret?: true;
  readonly at?: string;
}

/** 0: nothing to do; 1: something to look after; 78: `homing serve` would refuse it. */
export async function checkSecrets(file: string, options: CheckOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const today = utcDay(options.at === undefined ? unixNow() : parseTime(options.at));
  const secretsFile = await readSecretsFile(file);
  const review = reviewSecrets(secretsFile, { today, weakAllowed: options.weakSecret === true });
  const refused = review.findings.some((finding) => finding.refused);
  if (output.json) {
    const reason = refused ? { reason: "config" } : review.findings.length > 0 ? { reason: "negative" } : {};
    const mode = octal(secretsFile.owner.mode);
    output.document({ ok: review.findings.length === 0, ...reason, file, mode, ...review });
  } else tellReview(output, file, review);
  if (refused) return EXIT.config;
  return review.findings.length > 0 ? EXIT.negative : EXIT.ok;
}

function tellReview(output: Output, file: string, { secrets, findings }: Review): void {
  for (const { line, characters, bits, state, mayGoFrom } of secrets) {
    const date = mayGoFrom === undefined || state === "may-go" ? "" : `, may go from ${mayGoFrom}`;
    const words = state === "may-go" ? "may go" : state;
    output.data(`line ${line}: ${characters} characters, ${bits} bits at most: ${words}${date}`);
  }
  for (const { line, message } of findings) {
    output.talk(`homing: ${line === undefined ? `${file}:` : `${file}:${line}: this secret`} ${message}`);
  }
}

function utcDay(now: number): string {
  return new Date(now * 1000).toISOString().slice(0, 10);
}
