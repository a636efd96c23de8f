// Logging in on a port where people must: what has to come before it, AUTH line by line, and the answers. RFC 4954. Where the
// handler takes no log-ins it is never offered, and nothing is refused. One for each connection, made by smtp-in/connection.ts.
import type { Reply } from "@homing/mail";
import type { LoggedIn } from "../smtp-session.ts";
import {
  AUTH_OFFERED,
  AUTH_TOO_LONG,
  type AuthStep,
  beginAuth,
  isAuthCommand,
  MAX_AUTH_OCTETS,
} from "./auth-exchange.ts";
import type { Front } from "./front.ts";
import { guarded } from "./library-handlers.ts";
import { MAX_COMMAND_OCTETS } from "./limits.ts";
import { LOCAL_ERROR } from "./transactions.ts";

/** How far its client has come. */
export interface AuthState {
  readonly isSecure: boolean;
  readonly saidEhlo: boolean;
  readonly isLoggedIn: boolean;
}

export interface AskingClient {
  readonly clientAddress: string;
  readonly session: string;
}

const LOG_IN_FIRST: Reply = { code: 530, enhanced: "5.7.0", text: "log in first: AUTH" };
const TLS_FIRST: Reply = { code: 530, enhanced: "5.7.0", text: "begin with STARTTLS, then log in" };
/** RFC 4954 §6. */
const NO_PLAIN_AUTH: Reply = {
  code: 538,
  enhanced: "5.7.11",
  text: "a log-in needs encryption: begin with STARTTLS",
};
const EHLO_FIRST: Reply = { code: 503, enhanced: "5.5.1", text: "send EHLO first" };
const ONE_LOG_IN: Reply = { code: 503, enhanced: "5.5.1", text: "you have logged in already" };
const LOGGED_IN: Reply = { code: 235, enhanced: "2.7.0", text: "logged in" };

export class AuthDialogue {
  readonly #front: Front;
  /** Reads the next line: it is no command. */
  #next: ((line: Buffer) => AuthStep) | undefined;

  constructor(front: Front) {
    this.#front = front;
  }

  get isOffered(): boolean {
    return this.#front.handler.logIn !== undefined;
  }

  get isUnderWay(): boolean {
    return this.#next !== undefined;
  }

  /** RFC 4954 §4, in the answer to EHLO: not before it may be used, and not again. */
  offered({ isSecure, isLoggedIn }: AuthState): readonly string[] {
    return this.isOffered && isSecure && !isLoggedIn ? [AUTH_OFFERED] : [];
  }

  /** Where it is offered. @returns why a command comes too soon, or too late */
  refusal(verb: string, { isSecure, saidEhlo, isLoggedIn }: AuthState): Reply | undefined {
    if (verb === "AUTH") {
      if (!isSecure) return NO_PLAIN_AUTH;
      if (isLoggedIn) return ONE_LOG_IN;
      return saidEhlo ? undefined : EHLO_FIRST;
    }
    if (isLoggedIn) return verb === "XCLIENT" ? ONE_LOG_IN : undefined;
    const isMail = verb === "MAIL" || verb === "RCPT" || verb === "DATA";
    if (!isMail) return undefined;
    return isSecure ? LOG_IN_FIRST : TLS_FIRST;
  }

  /** AUTH itself, or the client's next line of it. */
  take(line: Buffer): AuthStep {
    const read = this.#next ?? beginAuth;
    this.#next = undefined;
    const step = read(line);
    if (step.kind === "ask") this.#next = step.next;
    return step;
  }

  decide(
    { name, password }: Extract<AuthStep, { kind: "log-in" }>,
    { clientAddress, session }: AskingClient,
    done: (reply: Reply, loggedIn?: Extract<LoggedIn, { kind: "in" }>) => void,
  ): void {
    const { handler } = this.#front;
    const ask = (): Promise<LoggedIn> | undefined =>
      handler.logIn?.({ name, password, clientAddress, session });
    guarded(this.#front, session, ask, (decided) => {
      if (decided?.kind === "in") done(LOGGED_IN, decided);
      else done(decided?.reply ?? LOCAL_ERROR);
    });
  }

  /** Only a line of a log-in may be longer than other commands. */
  maxOctets(line: Buffer, isSecure: boolean): number {
    const isOfLogIn = this.isUnderWay || (this.isOffered && isAuthCommand(line));
    return isOfLogIn && isSecure ? MAX_AUTH_OCTETS : MAX_COMMAND_OCTETS;
  }

  /** @returns what is said to a line of a log-in that is too long; nothing for other commands */
  tooLong(line: Buffer, isSecure: boolean): Reply | undefined {
    return this.maxOctets(line, isSecure) === MAX_COMMAND_OCTETS ? undefined : AUTH_TOO_LONG;
  }
}
