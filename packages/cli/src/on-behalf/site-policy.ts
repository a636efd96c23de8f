// Sites that log in to the submission ports, with their name and site key: what they may send, on-behalf says. A
// SubmissionPolicy. Called by sites.ts.
import {
  checkHeader,
  createSignCopies,
  nameKey,
  type OpenSubmission,
  type OwnAddresses,
  ownKey,
  type ReadyMail,
  type SignCopies,
  type SignFor,
  type SubmissionPolicy,
  type SubmissionRefusal,
  type Submitted,
  TOO_MUCH_TO_SIGN,
} from "@homing/forwarder";
import { type Content, fieldsNamed, withFields } from "@homing/mail";
import {
  type AdmittedMessage,
  addressKey,
  type OnBehalf,
  type Refused,
  refused,
  type Site,
  type SiteSender,
  type Submissions,
} from "@homing/on-behalf";
import { asciiLower, printable } from "@homing/srs-core";
import { noteChanges } from "./facts-store.ts";
import { refusalOf } from "./problem-reply.ts";

export interface SitePolicyOptions {
  readonly sites: OnBehalf["sites"];
  readonly submissions: Submissions;
  readonly sign: SignFor;
  readonly now: () => number;
}

interface Surroundings extends SitePolicyOptions {
  readonly signCopies: SignCopies;
}

/** A name that is none of a site's is somebody else's matter: undefined, as with a wrong key. */
export function createSitePolicy(given: SitePolicyOptions): Required<Pick<SubmissionPolicy, "keyed">> {
  const options = { ...given, signCopies: createSignCopies(given.sign) };
  return {
    async keyed({ name, password }) {
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

function openSubmission(options: Surroundings, site: Site, sender: SiteSender): OpenSubmission {
  const { submissions } = options;
  return {
    kind: "open",
    // Counted as one, and delivered as one.
    keyOf: addressKey,
    async rcpt(recipient, taken) {
      if (taken >= site.limits.recipients) return refusalOf(tooMany(site).problem);
      const against = await submissions.recipient(site, recipient);
      return against && refusalOf(against.problem);
    },
    async message(submitted) {
      const { id, content, recipients } = submitted;
      const header = checkHeader({
        start: content.start,
        own: ownOf(site, sender),
        id,
        hostname: site.from.domain,
        now: options.now(),
      });
      if (header.kind === "refuse") return header;
      if (header.hasSeveralAuthors) return refusalOf(SEVERAL_AUTHORS.problem);
      const admitted = await submissions.message(site, sender, {
        queueId: id,
        recipients,
        author: header.from,
        subject: printable(header.subject, MAX_SUBJECT),
      });
      if (!admitted.ok) return refusalOf(admitted.problem);
      return await readyMail(options, site, submitted, { admitted, missing: header.missing });
    },
  };
}

/** For the record: encoded words stay as they are. */
const MAX_SUBJECT = 200;

/** One of them could be an address that DMARC lets nobody else use. */
const SEVERAL_AUTHORS = refused("from-not-permitted", "From holds several addresses", {
  field: "From",
  hint: "write one author there",
});

function tooMany({ limits }: Site): Refused {
  return refused("too-many-recipients", `a message has ${limits.recipients} recipients at most`, {
    hint: "send to the others in a message of their own",
  });
}

interface Admission {
  readonly admitted: AdmittedMessage;
  /** Fields that the message lacked. */
  readonly missing: string;
}

async function readyMail(
  { signCopies }: Surroundings,
  site: Site,
  { content }: Submitted,
  { admitted, missing }: Admission,
): Promise<ReadyMail | SubmissionRefusal> {
  try {
    const whole = withFields(content, [missing]);
    const tops = admitted.copies.map(({ fields }) => (hasWayOut(content) ? "" : fields));
    const signed = await signCopies(whole, tops, site.from.domain);
    if (!signed) {
      admitted.settle("undone");
      return TOO_MUCH_TO_SIGN;
    }
    return {
      kind: "send",
      sender: admitted.sender,
      content: whole,
      copies: admitted.copies.map(({ reversePath }, at) => ({ reversePath, fields: signed[at] ?? "" })),
      notes: noteChanges(admitted.changes),
      settled: (outcome) => admitted.settle(OUTCOMES[outcome]),
    };
  } catch (error) {
    admitted.settle("undone");
    throw error;
  }
}

const OUTCOMES = { kept: "done", "not-kept": "undone", unknown: "unknown" } as const;

/** The site's own: RFC 8058 §3.1 has one of them. */
function hasWayOut({ start }: Content): boolean {
  return fieldsNamed(start, "list-unsubscribe").length > 0;
}

/** Whether the user may stand in From, DMARC of his domain decides: that is looked up later. */
function ownOf(site: Site, sender: SiteSender): OwnAddresses {
  const user = sender.profile === "on-behalf" ? [sender.user] : [];
  return {
    mailboxes: new Set([site.from, site.returnTo, ...user].map(ownKey)),
    domains: new Set([asciiLower(site.from.domain)]),
  };
}
