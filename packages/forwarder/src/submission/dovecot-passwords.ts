// Passwords that Dovecot knows: SASL PLAIN through its auth-client socket, one connection for all log-ins, made anew when it is
// lost. Called by the composition root.
import { connect, type Socket } from "node:net";
import type { Cancel, Clock } from "../outbound/clock.ts";
import { type AuthAnswer, authRequest, greeting, MAJOR_VERSION, parseAnswer } from "./dovecot-lines.ts";
import type { Passwords } from "./passwords.ts";
import type { LogIn } from "./submission-policy.ts";
import { LogInUnavailable } from "./unavailable.ts";

export interface DovecotOptions {
  /** Of the socket. */
  readonly path: string;
  readonly clock: Clock;
  /** From 0 to below 1: Dovecot wants a number of each connection that no other one has. */
  readonly random: () => number;
}

export interface DovecotPasswords extends Passwords {
  close(): void;
}

/** Dovecot lets who guesses wait for up to 15 s, and answers at once where all is well. */
const PATIENCE_MS = 30_000;
/** Log-ins that wait for their answer. */
const MAX_WAITING = 100;
/** Dovecot ends the connection at a line of more than 8,192 octets, and with it everybody's log-ins. */
const MAX_SECRET_OCTETS = 4096;
/** Dovecot's own limit of a line is 8,192; ours bounds what a broken one has us keep. */
const MAX_LINE_OCTETS = 64 * 1024;

export function createDovecotPasswords(options: DovecotOptions): DovecotPasswords {
  let connection: Connection | undefined;
  let isClosed = false;
  return {
    async check(login) {
      if (isClosed) throw new LogInUnavailable("the service ends");
      if (Buffer.byteLength(login.name + login.password) > MAX_SECRET_OCTETS) return undefined;
      if (!connection || connection.isLost) connection = new Connection(options);
      return await connection.ask(login);
    },
    close() {
      isClosed = true;
      connection?.lose("the service ends");
    },
  };
}

interface Waiting {
  readonly login: LogIn;
  settle(outcome: { readonly user: string | undefined } | { readonly cause: string }): void;
}

class Connection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  /** Asked before the server has said all that it says first. */
  #isReady = false;
  #knowsPlain = false;
  #lastId = 0;
  #rest = "";
  isLost = false;

  constructor({ path, clock, random }: DovecotOptions) {
    this.#clock = clock;
    this.#socket = connect({ path }).setEncoding("utf8");
    this.#socket.unref();
    this.#socket.write(greeting(1 + Math.floor(random() * 0x7ffffffe)));
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.lose(error.code ?? error.message));
    this.#socket.on("close", () => this.lose("the connection is lost"));
  }

  ask(login: LogIn): Promise<string | undefined> {
    if (this.#waiting.size >= MAX_WAITING) throw new LogInUnavailable("too many log-ins at once");
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      // From here on the answer to this one cannot be told from silence.
      const cancel: Cancel = this.#clock.after(PATIENCE_MS, () => this.lose("no answer"));
      this.#waiting.set(id, {
        login,
        settle: (outcome) => {
          this.#waiting.delete(id);
          cancel();
          if ("user" in outcome) resolve(outcome.user);
          else reject(new LogInUnavailable(`Dovecot: ${outcome.cause}`));
        },
      });
      if (this.#isReady) this.#send(id, login);
    });
  }

  /** Whoever waits hears that it cannot be known now. */
  lose(cause: string): void {
    if (this.isLost) return;
    this.isLost = true;
    this.#socket.destroy();
    for (const waiting of [...this.#waiting.values()]) waiting.settle({ cause });
  }

  #send(id: number, login: LogIn): void {
    this.#socket.write(authRequest({ id, ...login }));
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (this.isLost) return;
      this.#answered(parseAnswer(line));
    }
    if (this.#rest.length > MAX_LINE_OCTETS) this.lose("a line is too long");
  }

  #answered(answer: AuthAnswer): void {
    switch (answer.kind) {
      case "version":
        if (answer.major !== MAJOR_VERSION) this.lose(`it speaks version ${answer.major}`);
        break;
      case "mechanism":
        this.#knowsPlain ||= answer.name === "PLAIN";
        break;
      case "ready":
        this.#begin();
        break;
      case "ok": {
        const waiting = this.#waiting.get(answer.id);
        waiting?.settle({ user: answer.user ?? waiting.login.name });
        break;
      }
      case "fail": {
        const waiting = this.#waiting.get(answer.id);
        waiting?.settle(answer.isTemporary ? { cause: "it cannot say just now" } : { user: undefined });
        break;
      }
      case "go-on":
        // PLAIN has one step.
        this.#waiting.get(answer.id)?.settle({ cause: "it asks for more than PLAIN has" });
        break;
      case "other":
        break;
    }
  }

  #begin(): void {
    if (!this.#knowsPlain) {
      this.lose("its auth_mechanisms lack plain");
      return;
    }
    this.#isReady = true;
    for (const [id, { login }] of this.#waiting) this.#send(id, login);
  }
}
