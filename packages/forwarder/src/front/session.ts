// One client's session, as far as no library is needed: whether it may come in, which commands it may not say, how replies
// are worded and counted, and how long it may keep us waiting. Made by smtp-in/connection.ts for each connection.
import type { Reply } from "@homing/mail";
import { isListed } from "../client-networks.ts";
import { hasForbiddenControls } from "./commands.ts";
import { Conduct } from "./conduct.ts";
import type { Front } from "./front.ts";
import { isForbiddenVerb, replyInstead, usualReply } from "./library-replies.ts";
import { Patience } from "./patience.ts";

const TOO_MANY: Reply = { code: 421, enhanced: "4.3.2", text: "too many connections, try again later" };
const TOO_MANY_OF_NETWORK: Reply = {
  code: 421,
  enhanced: "4.7.0",
  text: "too many connections from your network, try again later",
};
const TOO_MANY_ERRORS: Reply = { code: 421, enhanced: "4.7.0", text: "too many errors" };
const NO_WEB_SERVER: Reply = { code: 421, enhanced: "4.7.0", text: "this is a mail server" };
const NO_CONTROLS: Reply = { code: 500, enhanced: "5.5.2", text: "a command has no control characters" };
const ENHANCED_FIRST = /^([245]\.\d{1,3}\.\d{1,3}) /;

export class Session {
  readonly #front: Front;
  readonly #conduct: Conduct;
  readonly #patience: Patience;
  #leave: (() => void) | undefined;
  #verb = "";

  constructor(front: Front) {
    this.#front = front;
    this.#conduct = new Conduct(front.limits);
    this.#patience = new Patience(front.limits);
  }

  /** Counts the client in. @returns why it is turned away */
  enter(address: string, connections: number): Reply | undefined {
    const { options, clients, counts } = this.#front;
    const isRoom = connections <= options.maxClients;
    if (isRoom) {
      const isProxy = isListed(options.xclientNetworks, address);
      this.#leave = isProxy ? () => {} : clients.enter(address);
      if (this.#leave) return undefined;
    }
    counts.turnedAway++;
    return isRoom ? TOO_MANY_OF_NETWORK : TOO_MANY;
  }

  /** Gives its place back; as often as it is called. */
  leave(): void {
    this.#leave?.();
  }

  /** @returns why a command is not even looked at */
  refusal(verb: string, command: Buffer): Reply | undefined {
    this.#verb = verb;
    this.#conduct.command(verb);
    if (isForbiddenVerb(verb)) return NO_WEB_SERVER;
    return hasForbiddenControls(verb, command) ? NO_CONTROLS : undefined;
  }

  /** What the library says, as it should be said: our own replies come through it with their enhanced code in front. */
  replyOf(
    code: number,
    text: string,
    occasion: string | false | undefined,
    libraryCode: () => string,
  ): Reply {
    const usual = usualReply(occasion);
    if (usual) return usual;
    const words = text.replace(/^Error: /, "");
    const instead = replyInstead(words, this.#verb);
    if (instead) return instead;
    const own = ENHANCED_FIRST.exec(words);
    if (own) return { code, enhanced: own[1] ?? "", text: words.slice(own[0].length) };
    return { code, enhanced: libraryCode(), text: words };
  }

  /** Counts a reply. @returns what is said in its place, if it was one error too many */
  counted(reply: Reply): Reply {
    const { code, enhanced } = reply;
    this.#conduct.replied(code, enhanced);
    this.#patience.replied();
    const isEnd = code === 421 || code === 221;
    return !isEnd && this.#conduct.isEnough() ? TOO_MANY_ERRORS : reply;
  }

  tookMessage(): void {
    this.#conduct.tookMessage();
  }

  /** Octets of a message. */
  received(octets: number): void {
    this.#patience.received(octets);
  }

  /** The client let us wait so long again. True if that was too long. */
  waited(ms: number, underStress: boolean): boolean {
    return this.#patience.waited(ms, underStress);
  }
}
