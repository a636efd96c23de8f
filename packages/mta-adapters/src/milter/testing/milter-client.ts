// A mail server's end of the milter protocol, for tests: it makes any offer, says each command as Postfix does, and keeps what
// is answered. Called by the tests of milter/ and by the stories.
import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { requestsIn } from "../../testing/requests-in.ts";
import { createFrameReader, type Frame, renderFrame } from "../frames.ts";
import { STEPS } from "../negotiation.ts";

/** What Postfix 3.7 and Sendmail 8.17 offer. */
export const POSTFIX_OFFER: Words = { version: 6, actions: 0x1ff, steps: 0x1fffff };
/** Sendmail 8.13: it has no changed senders, and every command is answered. */
export const OLD_OFFER: Words = { version: 2, actions: 0x3f, steps: 0x7f };

export interface Words {
  readonly version: number;
  readonly actions: number;
  readonly steps: number;
}

export interface Letter {
  readonly client?: string;
  readonly helo?: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly macros?: Readonly<Record<string, string>>;
}

/** What became of a message. */
export interface Played {
  /** `continue`, `tempfail`, or the text of a refusal, for each recipient. */
  readonly recipients: readonly string[];
  /** In their order: `sender <a@b>`, `delete <a@b>`, `add <a@b>`, `insert 0 Name:value`. */
  readonly changes: readonly string[];
  readonly end: string;
}

export interface MilterClient extends AsyncDisposable {
  readonly socket: Socket;
  /** What was taken of it, and what stood behind. */
  negotiate(offer: Words, behind?: Uint8Array): Promise<Words & { readonly behind: Buffer }>;
  send(...frames: readonly Uint8Array[]): void;
  /** The next frame; undefined where the milter has closed. */
  frame(): Promise<Frame | undefined>;
  /** Says a command and takes its answer, unless it was agreed that there is none. */
  command(letter: string, ...parts: readonly (Uint8Array | string)[]): Promise<string>;
  /** Connection to end of message. */
  play(letter: Letter): Promise<Played>;
  /** From MAIL on, over a connection that has said its name. */
  playMessage(letter: Letter): Promise<Played>;
}

const UNTOLD: Readonly<Record<string, number>> = {
  L: STEPS.noHeaders,
  N: STEPS.noEndOfHeader,
  B: STEPS.noBody,
  U: STEPS.noUnknown,
};
const UNANSWERED: Readonly<Record<string, number>> = {
  C: STEPS.unansweredConnect,
  H: STEPS.unansweredHelo,
  M: STEPS.unansweredMail,
  L: STEPS.unansweredHeader,
  N: STEPS.unansweredEndOfHeader,
  U: STEPS.unansweredUnknown,
};

export async function dialMilter(place: NetConnectOpts): Promise<MilterClient> {
  const socket = connect(place);
  await once(socket, "connect");
  const frames = framesOf(socket);
  let steps = 0;

  const client: Omit<MilterClient, "play" | "playMessage" | typeof Symbol.asyncDispose> = {
    socket,
    frame: async () => (await frames.next()).value,
    send: (...octets) => void socket.write(Buffer.concat(octets)),
    async negotiate(offer, behind = new Uint8Array()) {
      client.send(renderFrame("O", words(offer), behind));
      const answer = await client.frame();
      if (answer?.letter !== "O") throw new Error(`no agreement: ${answer?.letter}`);
      const [version = 0, actions = 0, agreed = 0] = [0, 4, 8].map((at) => answer.data.readUInt32BE(at));
      steps = agreed;
      return { version, actions, steps, behind: answer.data.subarray(12) };
    },
    async command(letter, ...parts) {
      if ((steps & (UNTOLD[letter] ?? 0)) !== 0) return "untold";
      client.send(renderFrame(letter, ...parts));
      if ((steps & (UNANSWERED[letter] ?? 0)) !== 0) return "unanswered";
      return worded(await client.frame());
    },
  };
  const playMessage = (letter: Letter): Promise<Played> => play(client, letter);
  return {
    ...client,
    playMessage,
    async play(letter) {
      await client.command("C", renderConnect(letter.client ?? "192.0.2.1"));
      await client.command("H", `${letter.helo ?? "client.example"}\0`);
      return await playMessage(letter);
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

async function play(
  { send, frame, command }: Pick<MilterClient, "send" | "frame" | "command">,
  { sender, recipients, macros = { i: "4QUEUE" } }: Letter,
): Promise<Played> {
  send(renderFrame("D", `M${renderMacros(macros)}`));
  await command("M", `<${sender}>\0SIZE=1000\0`);
  const answers: string[] = [];
  for (const recipient of recipients) answers.push(await command("R", `<${recipient}>\0`));
  await command("T");
  await command("L", "Subject\0hello\0");
  await command("N");
  await command("B", "Hello!\r\n");
  send(renderFrame("D", `E${renderMacros(macros)}`), renderFrame("E"));
  const changes: string[] = [];
  for (;;) {
    const answer = await frame();
    const change = answer && wordedChange(answer);
    if (change === undefined) return { recipients: answers, changes, end: worded(answer) };
    changes.push(change);
  }
}

/** `192.0.2.1` or an IPv6 address; else a local client. */
export function renderConnect(client: string): Buffer {
  const family = client.includes(":") ? "6" : client.includes(".") ? "4" : "L";
  return Buffer.from(`client.example\0${family}\x30\x39${client}\0`, "latin1");
}

function renderMacros(macros: Readonly<Record<string, string>>): string {
  return Object.entries(macros)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join("");
}

function words({ version, actions, steps }: Words): Buffer {
  const octets = Buffer.alloc(12);
  for (const [index, word] of [version, actions, steps].entries()) octets.writeUInt32BE(word, index * 4);
  return octets;
}

const WORDS: Readonly<Record<string, string>> = { c: "continue", s: "skip", t: "tempfail", a: "accept" };

function worded(frame: Frame | undefined): string {
  if (!frame) return "closed";
  if (frame.letter === "y") return frame.data.toString("utf8").replace(/\0$/, "").replaceAll("%%", "%");
  return WORDS[frame.letter] ?? frame.letter;
}

function wordedChange({ letter, data }: Frame): string | undefined {
  const [first = "", second = ""] = data.toString("utf8", letter === "i" ? 4 : 0).split("\0");
  if (letter === "e") return `sender ${first}`;
  if (letter === "-") return `delete ${first}`;
  if (letter === "+") return `add ${first}`;
  return letter === "i" ? `insert ${data.readUInt32BE(0)} ${first}:${second}` : undefined;
}

async function* framesOf(socket: Socket): AsyncGenerator<Frame, undefined> {
  const reader = createFrameReader();
  try {
    for await (const chunk of socket) yield* requestsIn(reader, chunk as Buffer);
  } catch {
    // A reset is an end like any other.
  }
  return undefined;
}
