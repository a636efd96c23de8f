// People who submit mail: who they are, whoever knows their passwords says; what they may send as, the users file. A
// SubmissionPolicy. Called by the composition root. RFC 6409 §6.1.
import { type Content, type Reply, wholeContent, withFields } from "@homing/mail";
import { NULL_PATH, type UnixSeconds } from "@homing/srs-core";
import { checkHeader } from "./own-header.ts";
import type { Passwords } from "./passwords.ts";
import type {
  ReadyMail,
  SubmissionPolicy,
  SubmissionRefusal,
  Submitted,
  Submitter,
} from "./submission-policy.ts";
import { createTurns } from "./turns.ts";
import { isOwn, nameKey, type OwnAddresses, type Users } from "./users-file.ts";

export interface PeopleOptions {
  /** Behind the @ of a Message-ID that a message lacked. */
  readonly hostname: string;
  /** Asked at each log-in and each MAIL: a reload swaps them. */
  readonly users: () => Users;
  readonly passwords: Passwords;
  readonly now: () => UnixSeconds;
  /** The message with signatures on top (DKIM), by the domain in From. Without it, it is not signed. */
  readonly sign?: (message: Buffer, fromDomain: string) => Promise<Buffer>;
}

const NOBODY: OwnAddresses = { mailboxes: new Set(), domains: new Set() };
/** Each has its message in memory. */
const SIGNED_AT_ONCE = 2;
const WAIT_TO_SIGN = 200;

export function createPeople(options: PeopleOptions): SubmissionPolicy {
  const { users, passwords } = options;
  const signed = createSigned(options);
  return {
    async logIn(login) {
      const name = await passwords.check(login);
      if (name === undefined) return undefined;
      // Who was taken out of the file may send no more, even in this session.
      return submitter(name, options, signed, () => users().get(nameKey(name))?.addresses ?? NOBODY);
    },
  };
}

function submitter(
  name: string,
  options: PeopleOptions,
  signed: Signed,
  ownNow: () => OwnAddresses,
): Submitter {
  return {
    name,
    async sender(reversePath) {
      const own = ownNow();
      // Receipts have none (RFC 8098 §3): whose they are, From says.
      if (reversePath !== NULL_PATH && !isOwn(own, reversePath)) return NOT_HIS;
      return {
        kind: "open",
        rcpt: async () => undefined,
        async message({ id, content, recipients }): Promise<ReadyMail | SubmissionRefusal> {
          const { hostname, now } = options;
          const header = checkHeader({ start: content.start, own, id, hostname, now: now() });
          if (header.kind === "refuse") return header;
          const whole = header.missing === "" ? content : withFields(content, [header.missing]);
          const ready = await signed(whole, header.from.domain);
          if (!ready) return BUSY;
          return {
            kind: "send",
            sender: reversePath,
            content: ready,
            copies: recipients.map(() => ({ reversePath })),
          };
        },
      };
    },
  };
}

/** Undefined where too many wait for it. */
type Signed = (content: Submitted["content"], fromDomain: string) => Promise<Content | undefined>;

function createSigned({ sign }: PeopleOptions): Signed {
  if (!sign) return async (content) => content;
  const turns = createTurns({ atOnce: SIGNED_AT_ONCE, waiting: WAIT_TO_SIGN });
  return async (content, fromDomain) =>
    await turns.run(async () => {
      const message = await wholeContent(content);
      const withSignatures = await sign(message, fromDomain);
      // Only they stay: a large message is in a file already.
      const fields = withSignatures.toString("latin1", 0, withSignatures.length - message.length);
      return fields === "" ? content : withFields(content, [fields]);
    });
}

const NOT_HIS: SubmissionRefusal = {
  kind: "refuse",
  reason: "sender-not-own",
  reply: refusal(550, "5.7.1", "the sender is none of your addresses: send with your own"),
};
const BUSY: SubmissionRefusal = {
  kind: "refuse",
  reason: "too-much-to-sign",
  reply: refusal(451, "4.3.2", "too much mail at once, try again later"),
};

function refusal(code: number, enhanced: string, text: string): Reply {
  return { code, enhanced, text };
}
