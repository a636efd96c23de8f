// A milter that listens, with settings of the test, and clients around it. Called by the tests of milter/.
import type { TestContext } from "node:test";
import { createBounceGate, createGuessBudget, networkOf } from "@homing/bounce-handler";
import { createRewriter, parseMailbox, renderMailbox, sameDomain } from "@homing/srs-core";
import type { AdapterEvent } from "../../adapter-events.ts";
import { createOwnDomains } from "../../maps/own-domains.ts";
import type { SenderChecks, SenderVerdict } from "../../senders/sender-checks.ts";
import { listenAdapter } from "../../wire/listener.ts";
import type { MilterOptions } from "../milter-options.ts";
import { milterProtocol } from "../milter-protocol.ts";
import { dialMilter, type MilterClient, POSTFIX_OFFER, type Words } from "./milter-client.ts";

export const NOW = 1_700_000_000;
export const REWRITER = createRewriter({ secrets: ["a secret of the tests"], domain: "srs.example" });
const OWN = createOwnDomains(["home.example", "srs.example"]);

export function forged(sender: string): string {
  const parsed = parseMailbox(sender);
  const outcome = parsed.ok ? REWRITER.forward(parsed.mailbox, NOW) : parsed;
  if (!outcome.ok || !("rewritten" in outcome) || !outcome.rewritten)
    throw new Error(`not forged: ${sender}`);
  return renderMailbox(outcome.sender);
}

/** As `action` says, whoever sends. */
export function checksThat(action: SenderVerdict["action"], code = 550): SenderChecks {
  const answer = { result: action === "accept" ? "pass" : "fail" } as SenderVerdict["answer"];
  const reply = { code, enhanced: code < 500 ? "4.4.3" : "5.7.23", text: "100% not a sender" };
  return {
    check: async ({ sender }) => ({
      action,
      answer,
      ...(action === "accept" ? {} : { fault: "spf-fail" as const }),
      field: `Received-SPF: ${answer.result}\r\n envelope-from="${sender}";\r\n`,
      ...(action === "refuse" || action === "defer" ? { reply } : {}),
    }),
  };
}

export interface MilterScene {
  readonly events: readonly AdapterEvent[];
  /** A mail server's connection; agreed, unless the offer is undefined. */
  dial(offer?: Words | null): Promise<MilterClient>;
}

export async function milterScene(
  t: TestContext,
  options: Partial<MilterOptions> = {},
): Promise<MilterScene> {
  const events: AdapterEvent[] = [];
  const report = (event: AdapterEvent): void => void events.push(event);
  const gate = createBounceGate(
    (domain) => (sameDomain(domain, REWRITER.domain) ? REWRITER : undefined),
    createGuessBudget((alarm) => report({ event: "guessing", ...alarm })),
  );
  const protocol = milterProtocol({
    hostname: "mx.home.example",
    rewriter: REWRITER,
    gate,
    isNobody: (recipient) => recipient.endsWith("@srs.example"),
    ownDomains: () => OWN,
    now: () => NOW,
    rewrite: "leaving",
    bounces: "unwrap",
    takesAnswers: false,
    leavesSite: async ({ domain }) => (OWN.has(domain) ? "stays" : "leaves"),
    networkOf,
    report,
    ...options,
  });
  const listener = await listenAdapter({
    adapter: "milter",
    place: { host: "127.0.0.1", port: 0 },
    protocol,
    maxConnections: 50,
    report,
    nowMs: () => NOW * 1000,
  });
  t.after(() => listener.close());
  const { place } = listener;
  if ("path" in place) throw new Error("no port");
  return {
    events,
    async dial(offer = POSTFIX_OFFER) {
      const client = await dialMilter(place);
      t.after(() => client[Symbol.asyncDispose]());
      if (offer) await client.negotiate(offer);
      return client;
    },
  };
}
