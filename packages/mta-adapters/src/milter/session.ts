// One connection of a mail server: which commands are answered with what, message after message and client after client.
// Called by milter-protocol.ts.
import { printable } from "@homing/srs-core";
import type { AdapterEvent } from "../adapter-events.ts";
import { ProtocolFault, type Said, type Session } from "../wire/protocol.ts";
import { CONTINUE, renderChange, renderRefusal, SKIP, TEMPFAIL } from "./answers.ts";
import { changesOf } from "./changes.ts";
import { type MilterCommand, parseCommand } from "./commands.ts";
import type { Frame } from "./frames.ts";
import { judgeRecipient } from "./judge-recipient.ts";
import type { Message } from "./message.ts";
import type { MilterOptions } from "./milter-options.ts";
import { type Agreed, agreeOn, type Offer, renderAgreed } from "./negotiation.ts";
import { parseMilterPath, shownPath } from "./path.ts";

/** Told by what it lacks, once for all connections. */
export type Lacking = (agreed: Agreed) => void;

const SILENCE = "";
/** A name of the client, and a login: for comparison and for the log. */
const MAX_KEPT = 256;

export function createMilterSession(options: MilterOptions, lacking: Lacking): Session<Frame> {
  return new MilterSession(options, lacking);
}

class MilterSession implements Session<Frame> {
  readonly #options: MilterOptions;
  readonly #lacking: Lacking;
  #agreed: Agreed | undefined;
  #client: string | undefined;
  #helo = "";
  #queueId = "";
  #login = "";
  #message: Message | undefined;

  constructor(options: MilterOptions, lacking: Lacking) {
    this.#options = options;
    this.#lacking = lacking;
  }

  answer(frame: Frame): Said | Promise<Said> {
    const command = parseCommand(frame);
    if (command.kind === "negotiate") return this.#negotiate(command.offer);
    if (command.kind === "quit") return { last: SILENCE };
    if (!this.#agreed) throw new ProtocolFault(`"${frame.letter}" before the offer: nothing is agreed on`);
    return this.#inOrder(command, this.#agreed);
  }

  #inOrder(command: Exclude<MilterCommand, { kind: "negotiate" }>, agreed: Agreed): Said | Promise<Said> {
    switch (command.kind) {
      case "macros":
        this.#keepMacros(command.macros);
        return SILENCE;
      case "connect":
        this.#forgetClient();
        this.#client = command.client;
        return agreed.has("unansweredConnect") ? SILENCE : CONTINUE;
      case "helo":
        this.#helo = command.name.slice(0, MAX_KEPT);
        return agreed.has("unansweredHelo") ? SILENCE : CONTINUE;
      case "mail":
        this.#message = this.#newMessage(command.path);
        return agreed.has("unansweredMail") ? SILENCE : CONTINUE;
      case "rcpt":
        return this.#recipient(this.#expectMessage("RCPT"), agreed, command.path);
      case "data":
        return CONTINUE;
      case "header":
        return agreed.has("unansweredHeader") ? SILENCE : CONTINUE;
      case "end-of-header":
        return agreed.has("unansweredEndOfHeader") ? SILENCE : CONTINUE;
      case "body":
        return agreed.has("skip") ? SKIP : CONTINUE;
      case "unknown":
        return agreed.has("unansweredUnknown") ? SILENCE : CONTINUE;
      case "end-of-message":
        return this.#endOfMessage(this.#expectMessage("the end of a message"), agreed);
      // Twice at the end of some connections of Postfix.
      case "abort":
        this.#forgetMessage();
        return SILENCE;
      case "quit-client":
        this.#forgetClient();
        return SILENCE;
      case "quit":
        return { last: SILENCE };
    }
  }

  #negotiate(offer: Offer): Said {
    this.#forgetClient();
    this.#agreed = agreeOn(offer);
    this.#lacking(this.#agreed);
    return renderAgreed(this.#agreed);
  }

  /** They come before the command that they belong to. */
  #keepMacros(macros: ReadonlyMap<string, string>): void {
    this.#queueId = printable(macros.get("i") ?? this.#queueId, MAX_KEPT);
    this.#login = (macros.get("{auth_authen}") ?? this.#login).slice(0, MAX_KEPT);
  }

  /** Sendmail tells no ABORT before it where the last message was not begun for us. */
  #newMessage(path: string): Message {
    return {
      sender: parseMilterPath(path, this.#options.hostname),
      client: this.#client,
      helo: this.#helo,
      isAuthenticated: this.#login !== "",
      accepted: [],
    };
  }

  #expectMessage(what: string): Message {
    if (!this.#message) throw new ProtocolFault(`${what} before MAIL`);
    return this.#message;
  }

  async #recipient(message: Message, agreed: Agreed, path: string): Promise<Said> {
    try {
      const judged = await judgeRecipient({ options: this.#options, agreed, message }, path);
      if (judged.kind === "accept") {
        message.accepted.push(judged.accepted);
        return CONTINUE;
      }
      const { reason, reply } = judged;
      this.#options.report({
        event: "adapter-refused",
        adapter: "milter",
        client: message.client ?? "",
        reversePath: printable(message.sender.text),
        recipient: shownPath(path),
        reason,
        reply: `${reply.code} ${reply.enhanced} ${reply.text}`,
      });
      return renderRefusal(reply);
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #endOfMessage(message: Message, agreed: Agreed): Promise<Said> {
    const queueId = this.#queueId;
    this.#forgetMessage();
    try {
      const { all, newSender, recipients } = await changesOf(this.#options, agreed, message);
      const hasLeadingSpace = agreed.has("leadingSpace");
      const frames = all.map((change) => renderChange(change, hasLeadingSpace));
      if (newSender !== "" || recipients.length > 0) {
        this.#options.report({
          event: "adapter-rewrote",
          adapter: "milter",
          queueId,
          reversePath: printable(message.sender.text),
          newReversePath: newSender,
          recipients,
        });
      }
      return Buffer.concat([...frames, CONTINUE]);
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** The client comes again: half of a change would be worse. */
  #failed(error: unknown): Said {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const event: AdapterEvent = { event: "error", session: "milter", message };
    this.#options.report(event);
    return TEMPFAIL;
  }

  #forgetMessage(): void {
    this.#message = undefined;
    this.#queueId = "";
    this.#login = "";
  }

  #forgetClient(): void {
    this.#forgetMessage();
    this.#client = undefined;
    this.#helo = "";
  }
}
