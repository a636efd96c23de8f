// A next hop that takes messages and answers none of them until the test says so. Used by the tests of outbound/.
import { SILENCE } from "./smtp-peers.ts";
import { type Server, serve, type Wire } from "./wire.ts";

export interface WaitingHop extends Server {
  /** Messages whose final dot has come, in the order of coming. */
  readonly messages: readonly string[];
  now(): {
    /** Answers that are owed. */
    readonly owed: number;
    /** Connections that did not say QUIT, and the most that there have been at a time, and ever. */
    readonly open: number;
    readonly most: number;
    readonly sessions: number;
  };
  readonly commands: readonly string[];
  readonly wires: readonly Wire[];
  /** Answers the final dot that has waited longest. */
  answer(reply?: string): void;
}

export interface WaitingHopOptions {
  /** Instead of waiting. */
  readonly dot?: string;
  /** The answer to the n-th MAIL, RCPT … of all sessions; undefined for the usual one, "" for the end of the connection. */
  readonly says?: (verb: string, nth: number) => string | undefined;
  readonly greeting?: (session: number) => string | undefined;
}

const USUAL: Readonly<Record<string, string>> = {
  EHLO: "250-hop.example\r\n250-PIPELINING\r\n250 8BITMIME",
  LHLO: "250-hop.example\r\n250-PIPELINING\r\n250 8BITMIME",
  MAIL: "250 2.1.0 ok",
  RCPT: "250 2.1.5 ok",
  DATA: "354 go on",
  RSET: "250 2.0.0 ok",
  QUIT: "221 2.0.0 bye",
};

export async function startWaitingHop(options: WaitingHopOptions = {}): Promise<WaitingHop> {
  const messages: string[] = [];
  const commands: string[] = [];
  const wires: Wire[] = [];
  const counts = new Map<string, number>();
  let owed: Wire[] = [];
  let open = 0;
  let most = 0;

  const place = await serve(async (wire) => {
    wires.push(wire);
    most = Math.max(most, ++open);
    let isOpen = true;
    const over = (): void => {
      if (isOpen) open--;
      isOpen = false;
    };
    wire.socket.on("close", over);
    wire.send(`${options.greeting?.(wires.length) ?? "220 hop.example"}\r\n`);
    for (let line = await wire.line(); line !== undefined; line = await wire.line()) {
      commands.push(line);
      const verb = line.split(" ", 1)[0] ?? "";
      const nth = (counts.get(verb) ?? 0) + 1;
      counts.set(verb, nth);
      const said = options.says?.(verb, nth) ?? USUAL[verb] ?? "500 what?";
      if (said === SILENCE) continue;
      if (said === "") wire.socket.destroy();
      if (said === "") return;
      wire.send(`${said}\r\n`);
      if (verb === "QUIT") over();
      if (verb === "QUIT" || said.startsWith("421")) wire.socket.end();
      if (verb !== "DATA" || !said.startsWith("354")) continue;
      const message = await wire.until("\r\n.\r\n");
      if (message === undefined) return;
      messages.push(message.slice(0, -5));
      if (options.dot) wire.send(`${options.dot}\r\n`);
      else owed.push(wire);
    }
  });
  return {
    ...place,
    messages,
    commands,
    wires,
    now: () => ({ owed: owed.length, open, most, sessions: wires.length }),
    answer(reply = "250 2.0.0 ok") {
      const [first, ...others] = owed;
      owed = others;
      first?.send(`${reply}\r\n`);
    },
  };
}
