// Routes: where a recipient's mail goes, decided at RCPT. Aliases of our domains, SRS addresses by the bounce gate,
// and a refusal for all else: nobody can relay through here. Called by receive.ts.
import type { BounceGate } from "@homing/bounce-handler";
import type { Reply } from "@homing/mail";
import { asciiLower, type Mailbox, type ReversePath, sameDomain, type UnixSeconds } from "@homing/srs-core";
import type { AliasTable } from "./alias-table.ts";

export type Route =
  | { readonly kind: "alias"; readonly targets: readonly Mailbox[] }
  /** A bounce that comes home: `to` is the original sender or, from SRS1, the address at the first forwarder. */
  | {
      readonly kind: "bounce";
      readonly to: Mailbox;
      readonly srs: "srs0" | "srs1";
      /** `to`, or what it leads to where it is an alias here. */
      readonly targets: readonly Mailbox[];
    }
  /** The reason is for the log. */
  | { readonly kind: "refuse"; readonly reply: Reply; readonly reason: string };

export interface Routes {
  route(recipient: Mailbox, reversePath: ReversePath, now: UnixSeconds): Route;
}

export interface RoutesOptions {
  /** Our host name and the SRS domain: postmaster is an address there too (RFC 5321 §4.5.1). */
  readonly ownNames: readonly string[];
  readonly aliases: AliasTable;
  /** The domains whose local parts are looked up in the aliases. */
  readonly localDomains: readonly string[];
  readonly gate: BounceGate;
}

const NOT_OURS: Reply = { code: 550, enhanced: "5.7.1", text: "this server takes no mail for that domain" };
const UNKNOWN: Reply = { code: 550, enhanced: "5.1.1", text: "no such address here" };

export function createRoutes(options: RoutesOptions): Routes {
  const local = new Set(options.localDomains.map(asciiLower));
  const isPostmaster = ({ localPart, domain }: Mailbox): boolean =>
    asciiLower(localPart) === "postmaster" && options.ownNames.some((name) => sameDomain(domain, name));

  const aliasRoute = (recipient: Mailbox): Exclude<Route, { kind: "bounce" }> => {
    if (!local.has(asciiLower(recipient.domain)) && !isPostmaster(recipient))
      return { kind: "refuse", reply: NOT_OURS, reason: "not-our-domain" };
    const targets = options.aliases.targets(recipient.localPart);
    if (!targets) return { kind: "refuse", reply: UNKNOWN, reason: "unknown-alias" };
    return { kind: "alias", targets };
  };

  return {
    route(recipient, reversePath, now) {
      if (!options.gate.judges(recipient)) return aliasRoute(recipient);
      const admission = options.gate.admit(recipient, reversePath, now);
      if (admission.kind === "refuse") return admission;
      const { to, srs } = admission;
      if (!local.has(asciiLower(to.domain))) return { kind: "bounce", to, srs, targets: [to] };
      const route = aliasRoute(to);
      return route.kind === "alias" ? { kind: "bounce", to, srs, targets: route.targets } : route;
    },
  };
}
