// Makes SRS addresses of senders. Called by rewriter.ts.
import { dayStamp, type UnixSeconds } from "./day-stamp.ts";
import { parseDomain } from "./domain.ts";
import {
  type BadAddress,
  localPartOctets,
  MAX_ADDRESS_OCTETS,
  MAX_LOCAL_PART_OCTETS,
  type Mailbox,
  renderMailbox,
} from "./mailbox.ts";
import type { ReversePath } from "./reverse-path.ts";
import type { RewriterRules } from "./rewriter-options.ts";
import { KEPT_LABEL } from "./sender-store.ts";
import { looksLikeSrs, parseSrs, renderSrs, type Srs0, type Srs1 } from "./srs-address.ts";
import { covered } from "./tag.ts";

/** What became of an envelope sender. */
export type ForwardOutcome =
  | { readonly ok: true; readonly rewritten: true; readonly sender: Mailbox }
  | {
      readonly ok: true;
      readonly rewritten: false;
      readonly sender: ReversePath;
      readonly why: "null-sender" | "own-domain";
    }
  | BadAddress
  | {
      readonly ok: false;
      readonly reason: "too-long";
      /** Of the rewritten local part; where that fits, of the rewritten address; of the sender, if that is too long itself. */
      readonly octets: number;
      readonly limit: number;
      readonly message: string;
    };

/** Whole first; then without the selector; then kept, with a token in its place. What does not fit then is too long. */
export function forge(
  rules: RewriterRules,
  sender: Mailbox,
  now: UnixSeconds,
  selector: string,
): ForwardOutcome {
  // In an address of ours this domain would be read as the label of kept senders.
  if (sender.domain === KEPT_LABEL) return reserved(sender);
  const srs1 = asSrs1(rules, sender);
  const stamp = dayStamp(now);
  const direct = srs1
    ? fitted(rules, srs1, "")
    : fittedSrs0(rules, stamp, sender.domain, sender.localPart, selector);
  if (direct.ok || !rules.store) return direct;
  const token = rules.names.token(sender);
  const kept = fittedSrs0(rules, stamp, KEPT_LABEL, token, selector);
  return kept.ok && rules.store.keep(token, sender) ? kept : direct;
}

type Unsigned<Srs> = Omit<Srs, "tag">;

/** An SRS address of another forwarder becomes SRS1: the first forwarder is kept, and the address stops growing. */
function asSrs1(rules: RewriterRules, sender: Mailbox): Unsigned<Srs1> | undefined {
  if (!looksLikeSrs(sender.localPart)) return undefined;
  // SRS0 is not parsed further: tag, stamp and their form are opaque to everyone but their minter.
  const srs = sender.localPart.charAt(3) === "0" ? undefined : parseSrs(sender.localPart);
  if (srs && srs.kind !== "srs1") return undefined;
  const { host, rest } = srs ?? { host: sender.domain, rest: sender.localPart.slice(4) };
  // A host with "=" or nothing after the separator could not be read back.
  if (rest.length < 2 || !parseDomain(host).ok) return undefined;
  return { kind: "srs1", separator: rules.separator, host, rest };
}

function fittedSrs0(
  rules: RewriterRules,
  stamp: string,
  domain: string,
  user: string,
  selector: string,
): ForwardOutcome {
  const srs0 = { kind: "srs0", separator: rules.separator, stamp, domain, user } as const;
  const outcome = fitted(rules, srs0, selector);
  return outcome.ok || selector === "" ? outcome : fitted(rules, srs0, "");
}

/** RFC 5321 §4.5.3.1: receivers may refuse a longer one, and then the mail is lost. Quotes count. */
function fitted(
  rules: RewriterRules,
  srs: Unsigned<Srs0> | Unsigned<Srs1>,
  selector: string,
): ForwardOutcome {
  const tag = rules.signing.mint(covered(srs), selector);
  const sender: Mailbox = { localPart: renderSrs({ ...srs, tag }), domain: rules.domain };
  const local = localPartOctets(sender.localPart);
  if (local > MAX_LOCAL_PART_OCTETS)
    return tooLong("rewritten local part would have", local, MAX_LOCAL_PART_OCTETS);
  const whole = local + 1 + sender.domain.length;
  if (whole > MAX_ADDRESS_OCTETS) return tooLong("rewritten address would have", whole, MAX_ADDRESS_OCTETS);
  return { ok: true, rewritten: true, sender };
}

export function tooLong(what: string, size: number, limit: number): ForwardOutcome {
  const message = `the ${what} ${size} octets, the limit is ${limit}`;
  return { ok: false, reason: "too-long", octets: size, limit, message };
}

function reserved(sender: Mailbox): BadAddress {
  const message = `address "${renderMailbox(sender)}": no domain is called "${KEPT_LABEL}", the label of kept senders`;
  return { ok: false, reason: "bad-address", message };
}
