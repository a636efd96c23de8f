// Has the user confirmed his address? Each of those who are configured has to say yes. Called by on-behalf-plugin.ts.
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import { publicTokens } from "../tokens/create-tokens.ts";
import type { OpenedToken } from "../tokens/tokens.ts";
import type { HomingService } from "./homing-service.ts";
import { notConfirmed, type Stopped, stopped } from "./plugin-problem.ts";
import type { PluginRules } from "./plugin-rules.ts";
import { readUserAddress, type StatedUser } from "./read-user.ts";
import { checkStatement, ofOtherSite, visitor } from "./stated-identity.ts";

export type ConfirmedUser = { readonly ok: true; readonly mailbox: Mailbox; readonly name: string } | Stopped;

export async function confirmUser(rules: PluginRules, user: StatedUser): Promise<ConfirmedUser> {
  const found = await saidByMessage(rules, user);
  if (!found.ok) return found;
  const refusal =
    (rules.isConfirmed && (await askSite(rules.isConfirmed, found.mailbox))) ??
    // Asked last, and always: a user who revoked is known there alone.
    (rules.homing && (await askHoming(rules.homing, found)));
  return refusal ?? { ok: true, mailbox: found.mailbox, name: user.name };
}

interface Found {
  readonly ok: true;
  readonly mailbox: Mailbox;
  /** For which the user confirmed, where the message says it. */
  readonly site?: { readonly name: string; readonly of: "proof" | "identity" };
}

async function saidByMessage(rules: PluginRules, user: StatedUser): Promise<Found | Stopped> {
  const { mailbox, proof, statement } = user;
  const fault = statement && checkStatement(statement, rules.siteName, rules.world.now());
  if (fault) return fault;
  // Beside a statement it is verified where the site has the keys; a service is asked about the user himself.
  if (proof !== undefined && (rules.identityKeys || !statement || !mailbox))
    return openProof(rules, proof, mailbox);
  if (statement?.identity && rules.identityKeys)
    return notConfirmed("the identity has no proof to verify with identityKeys", "onBehalfOf.proof");
  if (mailbox && (statement || rules.isConfirmed || rules.homing)) {
    const site = statement?.identity?.site;
    return { ok: true, mailbox, ...(typeof site === "string" && { site: { name: site, of: "identity" } }) };
  }
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

async function openProof(
  rules: PluginRules,
  proof: string,
  stated: Mailbox | undefined,
): Promise<Found | Stopped> {
  const keys = await proofKeys(rules);
  if (!keys.ok) return keys;
  const opened = openToken(keys.keys, proof, rules.world.now());
  if (!opened.ok) return proofRefused(opened.reason);
  const { address, site } = opened.facts;
  // A site that was told of the proof could use it anywhere.
  if (rules.siteName !== undefined && site !== rules.siteName) return proofRefused("wrong-purpose");
  const read = readUserAddress(address, "onBehalfOf.proof");
  if (!read.ok) return read;
  if (stated && addressKey(stated) !== addressKey(read.mailbox)) return proofRefused("wrong-address");
  return { ok: true, mailbox: read.mailbox, site: { name: site, of: "proof" } };
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
  "wrong-address": ["token-wrong", "onBehalfOf.proof was made for another address than onBehalfOf.address"],
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
  if (site !== undefined && site.name !== identity.site)
    return site.of === "proof" ? proofRefused("wrong-purpose") : ofOtherSite();
  return identity.scope === "user" ? undefined : visitor("onBehalfOf");
}
