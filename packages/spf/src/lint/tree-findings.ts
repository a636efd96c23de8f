// What shows only when a record is followed: targets that are not there, loops, hosts without an address, limits. Called by
// lint.ts.
import { printable } from "../printable.ts";
import type { Finding } from "./finding.ts";
import { everyRecord, type RecordNode, type TermNode, totals, type Voids } from "./look-up-tree.ts";
import { place } from "./record-findings.ts";

/** RFC 7208 §4.6.4. */
export const LINT_LIMITS = { lookups: 10, voidLookups: 2, mxHosts: 10 } as const;

/** About the root as a whole. */
export function limitFindings(root: RecordNode): readonly Finding[] {
  const { lookups, voids } = totals(root);
  const { domain } = root;
  const findings: Finding[] = [];
  if (lookups > LINT_LIMITS.lookups) {
    const message = `${lookups} look-ups, and receivers stop with permerror after ${LINT_LIMITS.lookups}`;
    const fix = "write ip4 and ip6 in place of a and mx, and take out includes that nobody needs";
    findings.push({ severity: "error", name: "too-many-lookups", domain, message, fix });
  }
  return [...findings, ...voidFindings(domain, voids)];
}

function voidFindings(domain: string, { ip4, ip6 }: Voids): Finding[] {
  const limit = LINT_LIMITS.voidLookups;
  if (ip4 <= limit && ip6 <= limit) return [];
  const whom = ip4 > limit ? (ip6 > limit ? "" : " for IPv4 clients") : " for IPv6 clients";
  const count = ip4 > limit ? ip4 : ip6;
  const message = `${count} look-ups find nothing${whom}, and receivers may stop with permerror after ${limit}`;
  const fix = "take out names that are gone; write ip4 and ip6 for hosts that have one family alone";
  // Few senders without IPv6 have clients there: those get permerror in place of the fail that they would get.
  return [
    { severity: ip4 > limit ? "error" : "warning", name: "too-many-void-lookups", domain, message, fix },
  ];
}

/** Of every record below the root. */
export function termFindings(root: RecordNode): readonly Finding[] {
  return [...everyRecord(root)].flatMap((node) =>
    node.outcome.kind === "record" ? node.outcome.terms.flatMap((at) => oneTerm(node, at)) : [],
  );
}

function oneTerm({ domain, role }: RecordNode, at: TermNode): Finding[] {
  const about = place(domain, at);
  switch (at.found.kind) {
    case "varies":
      if (at.mechanism?.name === "ptr") return [];
      return [
        {
          severity: "hint",
          name: "macro",
          ...about,
          message: `${at.found.macro} differs for each message: what is behind it cannot be told, nor what it costs`,
          fix: "try it with homing spf check --trace",
        },
      ];
    case "failed":
      return [unanswered(about, at.found.cause)];
    case "record":
      return targetFindings(about, at.found.node);
    case "hosts":
      return role === "own" ? hostFindings(about, at) : [];
    default:
      return [];
  }
}

type About = Pick<Finding, "domain" | "term" | "column">;

function unanswered(about: About, cause: string): Finding {
  const message = `DNS did not answer (${cause}): receivers would answer temperror now`;
  return { severity: "warning", name: "dns-failed", ...about, message, fix: "ask again when DNS answers" };
}

/** Of an include or a redirect. */
function targetFindings(about: About, { domain, outcome }: RecordNode): Finding[] {
  const wrong = (message: string, fix: string): Finding[] => [
    { severity: "error", name: "target-without-record", ...about, message, fix },
  ];
  const shown = printable(domain);
  switch (outcome.kind) {
    case "no-such-name":
      return wrong(
        `there is no name ${shown}: receivers answer permerror`,
        "take it out, or correct the name",
      );
    case "none":
      return wrong(
        `${shown} has no SPF record: receivers answer permerror`,
        "take it out, or ask its owner for a record",
      );
    case "several":
      return wrong(
        `${shown} has ${outcome.texts.length} SPF records: receivers answer permerror`,
        "tell its owner",
      );
    case "failed":
      return [unanswered(about, outcome.cause)];
    case "loop":
      return [
        {
          severity: "error",
          name: "loop",
          ...about,
          message: `leads back to ${shown}: receivers go round until they answer permerror`,
          fix: "take it out",
        },
      ];
    case "not-followed":
      return [
        {
          severity: "hint",
          name: "not-followed",
          ...about,
          message: `what is behind ${shown} was not looked at: ${outcome.why}`,
          fix: "lint it by itself",
        },
      ];
    case "record":
      return [];
  }
}

function hostFindings(about: About, at: TermNode): Finding[] {
  if (at.found.kind !== "hosts" || at.mechanism?.name === "exists") return [];
  const { hosts } = at.found;
  const isMx = at.mechanism?.name === "mx";
  const findings: Finding[] = [];
  if (isMx && hosts.length > LINT_LIMITS.mxHosts) {
    const message = `${hosts.length} MX hosts: receivers answer permerror for more than ${LINT_LIMITS.mxHosts}`;
    const fix = "write the addresses with ip4 and ip6";
    findings.push({ severity: "error", name: "too-many-mx-hosts", ...about, message, fix });
  }
  if (isMx && hosts.length === 0) {
    const message = "the domain has no MX host: the look-up finds nothing";
    findings.push({ severity: "warning", name: "no-address", ...about, message, fix: "take it out" });
  }
  for (const { name, addresses, failed } of hosts.slice(0, LINT_LIMITS.mxHosts)) {
    if (failed !== undefined) findings.push(unanswered(about, failed));
    else if (addresses.length === 0) {
      const message = `${printable(name)} has no address: the look-up finds nothing`;
      const fix = "take it out, or give the host an address";
      findings.push({ severity: "warning", name: "no-address", ...about, message, fix });
    }
  }
  return findings;
}
