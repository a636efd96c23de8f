// `homing queue list|show|retry|drop`: the operator's view of the spool. The running service has it for itself, so it is
// asked, over the control socket in its state directory.
import { once } from "node:events";
import process from "node:process";
import { loadConfig } from "../config/load-config.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { numberOption } from "../number-option.ts";
import { createOutput, negative, type Output } from "../output.ts";
import { type AnswerTo, ask } from "../service/control/control-client.ts";
import { controlPath, type Question } from "../service/control/control-protocol.ts";
import {
  contentAnswer,
  dropAnswer,
  type ListedMessage,
  listAnswer,
  MAX_PAGE,
  retryAllAnswer,
  retryAnswer,
  showAnswer,
} from "../service/control/queue-questions.ts";
import { stateFolder } from "../service/service-state.ts";
import { safe, safeText } from "../terminal-text.ts";
import { unixNow } from "../time.ts";
import { listLine, many, messageLines, path, recipientsIn, type Totals, totalsLine } from "./queue-words.ts";

interface Options {
  readonly config: string;
  readonly json?: true;
}

type ListPage = AnswerTo<typeof listAnswer>;
type RetriedPage = AnswerTo<typeof retryAllAnswer>;

interface ListOptions extends Options {
  readonly limit?: string;
  readonly recipient?: string;
  readonly sender?: string;
}

/** A line for each message; the totals are talk, so that `wc -l` counts messages. */
export async function listQueue(options: ListOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const limit = limitOption(options.limit);
  const socket = await socketOf(options);
  const now = unixNow();
  let totals: Totals = { messages: 0, octets: 0, counts: { due: 0, waiting: 0, leased: 0 } };
  let more = false;
  for await (const message of queued(socket, options, limit + 1)) {
    more = totals.messages === limit;
    if (more) break;
    if (output.json) output.document(message);
    else output.data(listLine(message, now));
    await roomInOutput();
    totals = withMessage(totals, message);
  }
  const { messages, octets, counts } = totals;
  if (output.json) output.document({ ok: true, messages, octets, ...counts, more });
  output.talk(`homing: ${totalsLine(totals)}${more ? "; there are more, beyond --limit" : ""}`);
  return EXIT.ok;
}

function limitOption(text: string | undefined): number {
  return text === undefined
    ? Number.MAX_SAFE_INTEGER - 1
    : numberOption("--limit", text, { min: 1, max: 999_999_999 });
}

/** Page by page, each over a connection of its own: whoever reads the output slowly holds none. */
async function* queued(
  socket: string,
  { recipient, sender }: ListOptions,
  limit: number,
): AsyncGenerator<ListedMessage, void, undefined> {
  const filter = {
    ...(recipient === undefined ? {} : { recipient }),
    ...(sender === undefined ? {} : { sender }),
  };
  let left = limit;
  let after: number | undefined = 0;
  while (after !== undefined && left > 0) {
    const question: Question = { kind: "queue-list", after, limit: Math.min(MAX_PAGE, left), ...filter };
    const page: ListPage = await ask(socket, question, listAnswer);
    yield* page.items;
    left -= page.items.length;
    after = page.end.next;
  }
}

function withMessage({ messages, octets, counts }: Totals, message: ListedMessage): Totals {
  const more = message.counts;
  return {
    messages: messages + 1,
    octets: octets + message.octets,
    counts: {
      due: counts.due + more.due,
      waiting: counts.waiting + more.waiting,
      leased: counts.leased + more.leased,
    },
  };
}

export async function showQueued(
  id: string,
  options: Options & { readonly content?: true },
): Promise<number> {
  const output = createOutput(options.json === true);
  if (options.content && output.json)
    throw new CommandFailure("usage", "--content prints the message itself: leave --json out");
  const socket = await socketOf(options);
  if (options.content) return await printContent(socket, id, output);
  const { items, end } = await ask(socket, { kind: "queue-show", id }, showAnswer);
  if (!end.message) return noMessage(output, id);
  if (output.json) output.document({ ok: true, ...end.message, recipients: items });
  else for (const line of messageLines(end.message, items, unixNow())) output.data(line);
  return EXIT.ok;
}

/** As it is stored, and all of it or nothing. A terminal gets what cannot harm it. */
async function printContent(socket: string, id: string, output: Output): Promise<number> {
  const { items, end } = await ask(socket, { kind: "queue-content", id }, contentAnswer);
  if (!end.found) return noMessage(output, id);
  const message = Buffer.concat(items.map(({ octets }) => Buffer.from(octets, "base64")));
  process.stdout.write(process.stdout.isTTY ? safeText(message.toString()) : message);
  return EXIT.ok;
}

export async function retryQueued(
  id: string | undefined,
  options: Options & { readonly all?: true },
): Promise<number> {
  const output = createOutput(options.json === true);
  if ((id === undefined) === (options.all === undefined))
    throw new CommandFailure("usage", "which messages? give the id of one, or --all");
  const socket = await socketOf(options);
  return id === undefined ? await retryAll(socket, output) : await retryOne(socket, id, output);
}

async function retryOne(socket: string, id: string, output: Output): Promise<number> {
  const { found, ...counts } = (await ask(socket, { kind: "queue-retry", id }, retryAnswer)).end;
  if (!found) return noMessage(output, id);
  if (output.json) output.document({ ok: true, id, ...counts });
  else output.data(`${safe(id)}: ${retriedWords(counts)}`);
  return EXIT.ok;
}

function retriedWords(counts: { retried: number; due: number; leased: number }): string {
  const words = [`${many(counts.retried, "recipient")} made due now`];
  if (counts.due > 0) words.push(`${counts.due} due already`);
  if (counts.leased > 0) words.push(`${counts.leased} being tried already`);
  return words.join(", ");
}

async function retryAll(socket: string, output: Output): Promise<number> {
  let messages = 0;
  let retried = 0;
  let after: number | undefined = 0;
  while (after !== undefined) {
    const { end }: RetriedPage = await ask(socket, { kind: "queue-retry-all", after }, retryAllAnswer);
    messages += end.messages;
    retried += end.retried;
    after = end.next;
  }
  if (output.json) output.document({ ok: true, messages, retried });
  else output.data(`${many(retried, "recipient")} of ${many(messages, "message")} made due now`);
  return EXIT.ok;
}

export async function dropQueued(id: string, options: Options): Promise<number> {
  const output = createOutput(options.json === true);
  const socket = await socketOf(options);
  const { message } = (await ask(socket, { kind: "queue-drop", id }, dropAnswer)).end;
  if (!message) return noMessage(output, id);
  if (output.json) output.document({ ok: true, ...message });
  else output.data(droppedWords(message));
  return EXIT.ok;
}

function droppedWords({ id, sender, recipients, counts }: ListedMessage): string {
  const [first] = recipients;
  const others = recipientsIn(counts) - 1;
  const to = `${first ? safe(first.recipient) : "nobody"}${others > 0 ? ` and ${others} more` : ""}`;
  const running =
    counts.leased > 0
      ? `; ${counts.leased} being tried just now, whose next hop may get it all the same`
      : "";
  return `${safe(id)}: dropped, from ${path(sender)} to ${to}${running}`;
}

function noMessage(output: Output, id: string): number {
  return negative(
    output,
    "no-message",
    `there is no message ${safe(id)} in the queue: see homing queue list`,
  );
}

async function socketOf({ config: file }: Options): Promise<string> {
  const folder = stateFolder(await loadConfig(file), file);
  if (folder !== undefined) return controlPath(folder);
  throw new CommandFailure("config", `${file}: stateDirectory is not set, so nothing is queued: set it`);
}

/** A reader that takes its time holds us up, not our memory. */
async function roomInOutput(): Promise<void> {
  if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
}
