// Sites that log in to the submission ports, with their name and site key: what they may send, on-behalf says. A
// SubmissionPolicy. Called by ../submission.ts.
import {
  checkHeader,
  nameKey,
  type OpenSubmission,
  type OwnAddresses,
  ownKey,
  type ReadyMail,
  type SubmissionPolicy,
  type SubmissionRefusal,
  type Submitted,
} from "@homing/forwarder";
import { type Content, memoryContent, readTrace, wholeContent, withFields } from "@homing/mail";
import {
  type AdmittedMessage,
  addressKey,
  type OnBehalf,
  type Site,
  type SiteSender,
  type Submissions,
} from "@homing/on-behalf";
import { asciiLower, type Mailbox, printable } from "@homing/srs-core";
import type { SignForDomain } from "../domain-signer.ts";
import { noteChanges } from "./facts-store.ts";
import { refusalOf } from "./problem-reply.ts";

export interface SitePolicyOptions {
  readonly sites: OnBehalf["sites"];
  readonly submissions: Submissions;
  readonly sign: SignForDomain;
  readonly hostname: string;
  readonly now: () => number;
}

/** A name that is none of a site's is somebody else's matter: undefined, as with a wrong key. */
export function createSitePolicy(options: SitePolicyOptions): SubmissionPolicy {
  return {
    async logIn({ name, password }) {
      const site = options.sites.ofKey(password);
      if (!site || site.name !== nameKey(name)) return undefined;
      return {
        name: site.name,
        async sender(reversePath) {
          const named = await options.submissions.sender(site, reversePath);
          return named.ok ? openSubmission(options, site, named.sender) : refusalOf(named.problem);
        },
      };
    },
  };
}

function openSubmission(options: SitePolicyOptions, site: Site, sender: SiteSender): OpenSubmission {
  const { submissions } = options;
  return {
    kind: "open",
    async rcpt(recipient) {
      const against = await submissions.recipient(site, recipient);
      return against && refusalOf(against.problem);
    },
    async message(submitted) {
      const { id, content, recipients } = submitted;
      const { hostname, now } = options;
      const header = checkHeader({
        start: content.start,
        own: ownOf(site, sender),
        id,
        hostname,
        now: now(),
      });
      if (header.kind === "refuse") return header;
      const admitted = await submissions.message(site, sender, {
        queueId: id,
        recipients: eachOnce(recipients),
        author: header.from,
        subject: subjectOf(content),
      });
      if (!admitted.ok) return refusalOf(admitted.problem);
      return await readyMail(options, site, submitted, { admitted, missing: header.missing });
    },
  };
}

interface Admission {
  readonly admitted: AdmittedMessage;
  /** Fields that the message lacked. */
  readonly missing: string;
}

async function readyMail(
  { sign }: SitePolicyOptions,
  site: Site,
  { content, recipients }: Submitted,
  { admitted, missing }: Admission,
): Promise<ReadyMail | SubmissionRefusal> {
  const copies = new Map(admitted.copies.map((copy) => [addressKey(copy.recipient), copy]));
  try {
    const message = await wholeContent(withFields(content, [missing]));
    return {
      kind: "send",
      sender: admitted.sender,
      content: memoryContent(await sign(message, site.from.domain)),
      copies: recipients.map((recipient) => copyFor(copies, recipient)),
      notes: noteChanges(admitted.changes),
      settled: (outcome) => admitted.settle(OUTCOMES[outcome]),
    };
  } catch (error) {
    admitted.settle("undone");
    throw error;
  }
}

const OUTCOMES = { kept: "done", "not-kept": "undone", unknown: "unknown" } as const;

function copyFor(
  copies: ReadonlyMap<string, AdmittedMessage["copies"][number]>,
  recipient: Mailbox,
): ReadyMail["copies"][number] {
  const copy = copies.get(addressKey(recipient));
  if (!copy) throw new Error("a recipient without a copy");
  return copy;
}

/** Whether the user may stand in From, DMARC of his domain decides: that is looked up later. */
function ownOf(site: Site, sender: SiteSender): OwnAddresses {
  const user = sender.profile === "on-behalf" ? [sender.user] : [];
  return {
    mailboxes: new Set([site.from, site.returnTo, ...user].map(ownKey)),
    domains: new Set([asciiLower(site.from.domain)]),
  };
}

function eachOnce(recipients: readonly Mailbox[]): readonly Mailbox[] {
  return [...new Map(recipients.map((recipient) => [addressKey(recipient), recipient])).values()];
}

const MAX_SUBJECT = 200;

/** For the record: encoded words stay as they are. */
function subjectOf({ start }: Content): string {
  const [, , subject] = readTrace(start, 1).identity;
  return printable(Buffer.from(subject, "latin1").toString("utf8"), MAX_SUBJECT);
}
