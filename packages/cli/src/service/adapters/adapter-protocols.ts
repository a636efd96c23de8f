// Which protocol an adapter speaks, and what it answers from. Called by adapters.ts.
import { type BounceGate, networkOf } from "@homing/bounce-handler/gate";
import type { Dns } from "@homing/forwarder";
import {
  type AdapterName,
  type AdapterReport,
  createFailsForUs,
  type LeavesSite,
  milterProtocol,
  type OwnDomains,
  type Protocol,
  policyProtocol,
  readsocketProtocol,
  type SenderChecks,
  type SenderRewriting,
  type SrsMaps,
  socketmapProtocol,
  spfdProtocol,
  tcpTableProtocol,
  tellingRefusals,
} from "@homing/mta-adapters";
import { checkSpf, type SpfAnswer, type SpfQuestion } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import type { AdapterSettings } from "../../config/adapter-settings.ts";
import type { Config } from "../../config/schema.ts";
import type { OnlySrs } from "./only-srs.ts";

export interface AdapterParts {
  readonly config: Config;
  readonly adapters: AdapterSettings;
  readonly rewriter: SenderRewriting;
  readonly maps: SrsMaps;
  readonly gate: BounceGate;
  readonly onlySrs: OnlySrs;
  readonly senders: SenderChecks;
  /** In `trustedNetworks`. */
  readonly isTrustedClient: (address: string) => boolean;
  readonly ownDomains: () => OwnDomains;
  readonly leavesSite: LeavesSite;
  readonly dns: Dns;
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly now: () => UnixSeconds;
  readonly report: AdapterReport;
}

/** Requests differ from one protocol to the next, and their listener does not look at them. */
type AnyProtocol = Protocol<unknown>;

/** @param map of tcpTables, the one that its place tells */
export function protocolOf(
  name: AdapterName,
  parts: AdapterParts,
  map: "forward" | "reverse" | "reject" = "forward",
): AnyProtocol {
  return PROTOCOLS[name](parts, map) as AnyProtocol;
}

type ProtocolMaker = (parts: AdapterParts, map: "forward" | "reverse" | "reject") => unknown;

const PROTOCOLS: Readonly<Record<AdapterName, ProtocolMaker>> = {
  socketmap: ({ maps, report }) =>
    socketmapProtocol({ lookUp: tellingRefusals(maps.lookUp, { adapter: "socketmap", report }) }),
  tcpTables: ({ maps, report }, map) =>
    tcpTableProtocol({ lookUp: tellingRefusals(maps.lookUp, { adapter: "tcpTables", report }), map }),
  policy: ({ config, adapters, gate, onlySrs, senders, isTrustedClient, now, report }) =>
    policyProtocol({
      gate,
      senders,
      isNobody: onlySrs.isNobody,
      isTrustedClient,
      autoReplies: adapters.autoReplies,
      hostname: config.hostname,
      now,
      report,
    }),
  milter: milterOf,
  spfd: (parts) => spfdProtocol({ check: spfOf(parts), receiver: parts.config.hostname }),
  readsocket: ({ maps, senders, report }) => readsocketProtocol({ maps, senders, report }),
};

function milterOf(parts: AdapterParts): unknown {
  const { config, adapters, rewriter, gate, ownDomains, now, senders, leavesSite, report } = parts;
  const { dns, timeLimit, isTrustedClient, onlySrs } = parts;
  const { rewrite = "leaving", bounces = "unwrap", lazy = false, ownAddresses = [] } = adapters.milter ?? {};
  const { hostname } = config;
  return milterProtocol({
    hostname,
    rewriter,
    gate,
    isNobody: onlySrs.isNobody,
    ownDomains,
    now,
    senders,
    rewrite,
    bounces,
    takesAnswers: adapters.autoReplies === "accept",
    leavesSite,
    failsForUs: lazy
      ? createFailsForUs({ addresses: ownAddresses, hostname, resolver: dns, now, timeLimit })
      : undefined,
    // Through a server of our own come the guesses of others.
    networkOf: (client) => (isTrustedClient(client) ? undefined : networkOf(client)),
    report,
  });
}

/** RFC 7208 §4.6.4 asks for 20 s at least. */
const SPF_SECONDS = 20;

function spfOf({ config, dns, now, timeLimit }: AdapterParts): (question: SpfQuestion) => Promise<SpfAnswer> {
  return (question) =>
    checkSpf(question, { resolver: dns, now, receiver: config.hostname, signal: timeLimit(SPF_SECONDS) });
}
