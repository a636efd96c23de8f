// People who submit mail: who they are, whoever knows their passwords says; what they may send as, the users file. A
// SubmissionPolicy. Called by the composition root. RFC 6409 §6.1.
import { withFields } from "@homing/mail";
import { asciiLower, type Mailbox, NULL_PATH, type UnixSeconds } from "@homing/srs-core";
import { checkHeader } from "./own-header.ts";
import type { Passwords } from "./passwords.ts";
import { createSignCopies, type SignCopies, type SignFor, TOO_MUCH_TO_SIGN } from "./sign-copies.ts";
import type { ReadyMail, SubmissionPolicy, SubmissionRefusal, Submitter } from "./submission-policy.ts";
import { isOwn, nameKey, type OwnAddresses, type Users } from "./users-file.ts";

export interface PeopleOptions {
  /** Behind the @ of a Message-ID that a message lacked. */
  readonly hostname: string;
  /** Asked at each log-in and each MAIL: a reload swaps them. */
  readonly users: () => Users;
  readonly passwords: Passwords;
  readonly now: () => UnixSeconds;
  /** Without it, nothing is signed. */
  readonly sign?: SignFor;
}

const NOBODY: OwnAddresses = { mailboxes: new Set(), domains: new Set() };

export function createPeople(options: PeopleOptions): SubmissionPolicy {
  const { users, passwords } = options;
  const signCopies = createSignCopies(options.sign);
  return {
    async logIn(login) {
      const name = await passwords.check(login);
      if (name === undefined) return undefined;
      // Who was taken out of the file may send no more, even in this session.
      return submitter(name, options, signCopies, () => users().get(nameKey(name))?.addresses ?? NOBODY);
    },
  };
}

function submitter(
  name: string,
  options: PeopleOptions,
  signCopies: SignCopies,
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
        keyOf,
        rcpt: async () => undefined,
        async message({ id, content, recipients }): Promise<ReadyMail | SubmissionRefusal> {
          const { hostname, now } = options;
          const header = checkHeader({ start: content.start, own, id, hostname, now: now() });
          if (header.kind === "refuse") return header;
          const whole = header.missing === "" ? content : withFields(content, [header.missing]);
          const [signatures] = (await signCopies(whole, [""], header.from.domain)) ?? [];
          if (signatures === undefined) return TOO_MUCH_TO_SIGN;
          return {
            kind: "send",
            sender: reversePath,
            content: signatures === "" ? whole : withFields(whole, [signatures]),
            copies: recipients.map(() => ({ reversePath })),
          };
        },
      };
    },
  };
}

/** RFC 5321 §2.4: of a local part elsewhere nobody knows whether case matters. */
function keyOf({ localPart, domain }: Mailbox): string {
  return `${localPart}@${asciiLower(domain)}`;
}

const NOT_HIS: SubmissionRefusal = {
  kind: "refuse",
  reason: "sender-not-own",
  reply: {
    code: 550,
    enhanced: "5.7.1",
    text: "the sender is none of your addresses: send with your own",
  },
};
