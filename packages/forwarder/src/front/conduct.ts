// The conduct of one client in one session: its errors and its commands that bring no mail forward, both forgiven when a
// message was taken. Postfix counts the same way. Called by session.ts with every command and every reply.
import type { SmtpLimits } from "./limits.ts";

/** Commands that cost us work and bring no mail forward. */
const JUNK = new Set(["HELO", "EHLO", "NOOP", "RSET", "VRFY", "STARTTLS", "XCLIENT", "XFORWARD"]);

export class Conduct {
  readonly #limits: Pick<SmtpLimits, "errors" | "junkCommands" | "recipientsPutOff">;
  #errors = 0;
  #junk = 0;
  #putOff = 0;

  constructor(limits: Pick<SmtpLimits, "errors" | "junkCommands" | "recipientsPutOff">) {
    this.#limits = limits;
  }

  /** @param verb in upper case */
  command(verb: string): void {
    if (JUNK.has(verb) && ++this.#junk > this.#limits.junkCommands) this.#errors++;
  }

  replied(code: number, enhanced: string): void {
    if (code < 400 || code === 421) return;
    // More recipients than we take at once are no error of the client (RFC 5321 §4.5.3.1.10), nor is our own trouble, such
    // as a full disk (RFC 3463: 4.3.x, mail system status).
    const isOurs = enhanced === "4.5.3" || enhanced.startsWith("4.3.");
    if (!isOurs || ++this.#putOff > this.#limits.recipientsPutOff) this.#errors++;
  }

  /** We took a message. */
  tookMessage(): void {
    this.#errors = 0;
    this.#junk = 0;
    this.#putOff = 0;
  }

  isEnough(): boolean {
    return this.#errors > this.#limits.errors;
  }
}
