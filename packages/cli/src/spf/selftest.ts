// Does a server enforce SPF? A legitimate message must pass, and a forged one must not: the procedure of `homing spf
// selftest`. What it needs of the world, the command passes in.
import type { Attempt } from "@homing/forwarder";
import { type Reply, renderReply } from "@homing/mail";
import type { SpfAnswer } from "@homing/spf";
import type { FailureReason } from "../failure.ts";
import { safe } from "../terminal-text.ts";
import type { Reason } from "./why-taken.ts";

export interface Trial {
  readonly sender: string;
  readonly what: "legitimate" | "forged";
  /** The server's answer, or why there was none. */
  readonly answer: string;
}

export type Verdict =
  | { readonly kind: "enforced"; readonly reply: string; readonly link?: string }
  | (Reason & { readonly kind: "not-shown" });

export interface SelftestWorld {
  readonly legitimate: string;
  readonly forged: string;
  /** What DNS says of a sender that comes from this host. */
  readonly policy: (sender: string) => Promise<SpfAnswer>;
  readonly deliver: (sender: string) => Promise<Attempt>;
  /** Why the server took the forged message. */
  readonly whyTaken: () => Promise<Reason>;
  /** Why it put it off; undefined: it may pass. */
  readonly whyDeferred: () => Reason | undefined;
  /** Told as they are made. */
  readonly tried: (trial: Trial) => void;
}

export async function selftest(world: SelftestWorld): Promise<Verdict> {
  const unfit = (await unfitForged(world)) ?? (await unfitLegitimate(world));
  if (unfit) return unfit;
  const good = await attempt(world, "legitimate");
  if (good.kind !== "accepted") return notTaken(good);
  const forged = await attempt(world, "forged");
  if (forged.kind === "accepted") return taken(await world.whyTaken());
  if (forged.kind === "no-answer")
    return notShown("unavailable", `no answer to the forged message: ${forged.cause}`);
  return forged.reply.code < 500 ? deferred(world.whyDeferred()) : judged(forged.reply);
}

function taken({ reason, message }: Reason): Verdict {
  return notShown(reason, `the forged message was taken: ${message}`);
}

function deferred(why: Reason | undefined): Verdict {
  const { reason, message } = why ?? { reason: "temporary", message: "try again later" };
  return notShown(reason, `the forged message was deferred: ${message}`);
}

async function attempt(world: SelftestWorld, what: Trial["what"]): Promise<Attempt> {
  const sender = world[what];
  const outcome = await world.deliver(sender);
  const answer = outcome.kind === "no-answer" ? `no answer: ${outcome.cause}` : renderReply(outcome.reply);
  world.tried({ sender, what, answer });
  return outcome;
}

async function unfitForged({ forged, policy }: SelftestWorld): Promise<Verdict | undefined> {
  const { result, problem } = await policy(forged);
  if (result === "fail") return undefined;
  const shown = safe(forged);
  if (result === "temperror")
    return notShown("temporary", `--forged ${shown}: DNS does not answer: ${problem}`);
  const why = `SPF says ${result} for it from this host, so nobody would refuse it`;
  const fix = 'name a sender at a domain that sends no mail and publishes "v=spf1 -all"';
  return notShown("usage", `--forged ${shown}: ${why}: ${fix}`);
}

async function unfitLegitimate({ legitimate, policy }: SelftestWorld): Promise<Verdict | undefined> {
  const { result } = await policy(legitimate);
  if (result !== "fail") return undefined;
  const why = "its domain's SPF record forbids this host to send as it, so it would be refused, and rightly";
  return notShown("usage", `--from ${safe(legitimate)}: ${why}: name a sender of this host`);
}

function notTaken(attempt: Exclude<Attempt, { kind: "accepted" }>): Verdict {
  if (attempt.kind === "no-answer")
    return notShown("unavailable", `no answer to the legitimate message: ${attempt.cause}`);
  const temporary = attempt.reply.code < 500;
  const why = temporary
    ? "was deferred: try again later"
    : "was refused: mend that first (homing route shows the alias)";
  return notShown(temporary ? "temporary" : "negative", `the legitimate message ${why}`);
}

/** RFC 7372 §3.2: 5.7.23. Other servers may say it in words alone. */
function judged(reply: Reply): Verdict {
  if (reply.enhanced !== "5.7.23" && !/\bspf\b/i.test(reply.text)) {
    return notShown(
      "negative",
      "the forged message was refused, and not for SPF: the reply has another reason",
    );
  }
  const link = /https?:\/\/[\x21-\x7e]+/.exec(reply.text)?.[0];
  return { kind: "enforced", reply: renderReply(reply), ...(link !== undefined && { link }) };
}

function notShown(reason: FailureReason, message: string): Verdict {
  return { kind: "not-shown", reason, message };
}
