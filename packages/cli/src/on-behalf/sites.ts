// Mail on behalf of users, put together from what the configuration names, the state and the forwarder. Called by `homing
// serve` and `homing local`.
import type { DkimKey, Forwarder, SentMail, State, SubmissionPolicy, World } from "@homing/forwarder";
import { createOnBehalf, createTokens, type LookUpTxt, type OnBehalf } from "@homing/on-behalf";
import type { Rewriter } from "@homing/srs-core";
import type { Config } from "../config/schema.ts";
import { createDomainSigner } from "../domain-signer.ts";
import { randomSecretId } from "../system-world.ts";
import { createFactsStore } from "./facts-store.ts";
import type { ReadSites } from "./read-sites.ts";
import { sentMailOf } from "./site-mail.ts";
import { createSitePolicy } from "./site-policy.ts";

export interface RunningSites {
  readonly onBehalf: OnBehalf;
  readonly sentMail: SentMail;
  /** Of sites that log in to the submission ports. */
  readonly submission: Pick<SubmissionPolicy, "keyed">;
  /** From then on mail goes out; before, sites hear that it cannot be stored now. */
  connect(forwarder: Pick<Forwarder, "post">): void;
}

export interface SitesOptions {
  readonly read: ReadSites;
  readonly state: Pick<State, "failures">;
  readonly hostname: string;
  /** Of links in mail. */
  readonly publicUrl: string;
  readonly dkimKeys: readonly DkimKey[];
  readonly world: Pick<World, "now" | "newId" | "txt">;
}

/** Undefined where the configuration has no sites; with some, it has `http` and a state, too. */
export function sitesOf(
  read: ReadSites | undefined,
  { hostname, http }: Pick<Config, "hostname" | "http">,
  state: State | undefined,
  rest: Pick<SitesOptions, "dkimKeys" | "world">,
): RunningSites | undefined {
  if (!read || !http || !state) return undefined;
  return createRunningSites({ read, state, hostname, publicUrl: http.publicUrl, ...rest });
}

/** RFC 8058 §4: the button in a mail program is shown only where they are signed. */
const WAYS_OUT = ["List-Unsubscribe", "List-Unsubscribe-Post"];

export function createRunningSites({ read, state, world, ...options }: SitesOptions): RunningSites {
  let forwarder: Pick<Forwarder, "post"> | undefined;
  const { hostname, publicUrl, dkimKeys } = options;
  const sign = createDomainSigner(dkimKeys, world.now, WAYS_OUT);
  const onBehalf = createOnBehalf({
    sites: read.sites,
    store: createFactsStore({ notes: state.failures.notes, forwarder: () => forwarder }),
    tokens: createTokens(read.linkKeys),
    publicUrl,
    hostname,
    rewriterOf: (bounceDomain) => rewriterAt(read, bounceDomain),
    sign,
    lookUpTxt: lookUpTxtOf(world),
    now: world.now,
    newSecretId: randomSecretId,
    newId: world.newId,
  });
  return {
    onBehalf,
    sentMail: sentMailOf(onBehalf, read.rewriters.values()),
    submission: createSitePolicy({ ...onBehalf, sign, now: world.now }),
    connect(connected) {
      forwarder = connected;
    },
  };
}

function rewriterAt({ rewriters }: ReadSites, bounceDomain: string): Rewriter {
  const rewriter = rewriters.get(bounceDomain);
  if (!rewriter) throw new Error(`${bounceDomain} is the bounce domain of no site`);
  return rewriter;
}

function lookUpTxtOf({ txt }: Pick<World, "txt">): LookUpTxt {
  return async (name) => {
    const answer = await txt?.(name);
    if (answer?.kind === "texts") return answer.texts;
    throw new Error(`DNS does not say what ${name} is: ${answer?.cause ?? "nobody was asked"}`);
  };
}
