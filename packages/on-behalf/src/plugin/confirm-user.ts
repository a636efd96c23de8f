// Has the user confirmed his address? Each of those who are configured has to say yes. Called by on-behalf-plugin.ts.
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import { publicTokens } from "../tokens/create-tokens.ts";
import type { OpenedToken } from "../tokens/tokens.ts";
import type { HomingService } from "./homing-service.ts";
import { checkConfirmed } from "./moment.ts";
import { type Stopped, stopped } from "./plugin-problem.ts";
import type { PluginRules } from "./plugin-rules.ts";
import { readUserAddress, type StatedUser } from "./read-user.ts";

export type ConfirmedUser = { readonly ok: true; readonly mailbox: Mailbox; readonly name: string } | Stopped;

export async function confirmUser(rules: PluginRules, user: StatedUser): Promise<ConfirmedUser> {
  const found = user.kind === "proof" ? await openProof(rules, user.proof) : await saidBySite(rules, user);
  if (!found.ok) return found;
  // Asked last, and always: a user who revoked is known there alone.
  const refusal = rules.homing && (await askHoming(rules.homing, found));
  return refusal ?? { ok: true, mailbox: found.mailbox, name: user.name };
}

/** `site` of a proof: the one that it was made for. */
type Found = { readonly ok: true; readonly mailbox: Mailbox; readonly site?: string };

async function saidBySite(
  rules: PluginRules,
  user: Exclude<StatedUser, { readonly kind: "proof" }>,
): Promise<Found | Stopped> {
  const found = { ok: true, mailbox: user.mailbox } as const;
  if (user.kind === "stated") return checkConfirmed(user, rules.world.now()) ?? found;
  if (rules.isConfirmed) return (await askSite(rules.isConfirmed, user.mailbox)) ?? found;
  if (rules.homing) return found;
  return stopped("confirmation-not-configured", "nothing says that this user has confirmed the address", {
    field: "onBehalfOf",
    hint: "give onBehalf the option isConfirmed or homing, or say { address, confirmedAt } in the message",
  });
}

async function askSite(
  isConfirmed: NonNullable<PluginRules["isConfirmed"]>,
  mailbox: Mailbox,
): Promise<Stopped | undefined> {
  try {
    // Whatever else it gives, a row of a table or "no", is not taken for a yes.
    if ((await isConfirmed(renderMailbox(mailbox))) === true) return undefined;
  } catch (cause) {
    return stopped("unavailable", "isConfirmed failed, so that nobody knows whether the user is confirmed", {
      field: "isConfirmed",
      hint: "nothing was sent: look at the cause, and try again",
      cause,
    });
  }
  return notConfirmed("isConfirmed did not answer true");
}

async function openProof(rules: PluginRules, proof: string): Promise<Found | Stopped> {
  const keys = await proofKeys(rules);
  if (!keys.ok) return keys;
  const opened = openToken(keys.keys, proof, rules.world.now());
  if (!opened.ok) return proofRefused(opened.reason);
  const { address, site } = opened.facts;
  // A site that was told of the proof could use it anywhere.
  if (rules.siteName !== undefined && site !== rules.siteName) return proofRefused("wrong-purpose");
  const read = readUserAddress(address, "onBehalfOf.proof");
  return read.ok ? { ok: true, mailbox: read.mailbox, site } : read;
}

async function proofKeys(
  rules: PluginRules,
): Promise<{ readonly ok: true; readonly keys: readonly string[] } | Stopped> {
  if (rules.identityKeys) return { ok: true, keys: rules.identityKeys };
  if (rules.homing) return rules.homing.publicKeys();
  return stopped("confirmation-not-configured", "there is no key to verify the proof with", {
    field: "onBehalfOf.proof",
    hint: "give onBehalf the options identityKeys and site, or homing",
  });
}

function openToken(keys: readonly string[], proof: string, now: number): OpenedToken {
  try {
    return publicTokens(keys).open(proof, "identity", now);
  } catch {
    // Keys that the service gave, and that are none.
    return { ok: false, reason: "bad-signature" };
  }
}

const PROOF_PROBLEMS = {
  malformed: ["token-malformed", "onBehalfOf.proof is no proof, or not all of it"],
  "bad-signature": ["token-wrong", "onBehalfOf.proof was not signed with any of the known keys"],
  "wrong-purpose": ["token-wrong", "onBehalfOf.proof was made for something else, or for another site"],
  expired: ["token-expired", "onBehalfOf.proof is too old"],
} as const;

function proofRefused(reason: keyof typeof PROOF_PROBLEMS): Stopped {
  const [code, detail] = PROOF_PROBLEMS[reason];
  const hint = "get the identity from the Homing service again; its proof is good for some weeks";
  return stopped(code, detail, { field: "onBehalfOf.proof", hint });
}

async function askHoming(homing: HomingService, { mailbox, site }: Found): Promise<Stopped | undefined> {
  const asked = await homing.identity(renderMailbox(mailbox));
  if (!asked.ok) return asked;
  const { identity } = asked;
  if (identity.status !== "confirmed") {
    return notConfirmed(`at the Homing service the user's identity is: ${identity.status}`);
  }
  const known = parseMailbox(identity.address);
  if (!known.ok || addressKey(known.mailbox) !== addressKey(mailbox)) {
    return notConfirmed("the Homing service answered about another address");
  }
  if (site !== undefined && site !== identity.site) return proofRefused("wrong-purpose");
  if (identity.scope === "user") return undefined;
  return stopped("visitor-rules", "the user is a visitor, who may only send short notes", {
    field: "onBehalfOf",
    hint: "send it with POST /v1/messages of the Homing service, which keeps to the rules of visitors",
  });
}

function notConfirmed(why: string): Stopped {
  return stopped("identity-not-confirmed", `the user has not confirmed the address: ${why}`, {
    field: "onBehalfOf",
    hint: "let him confirm it first; nothing was sent",
  });
}
