// The plug-in for nodemailer's `compile` step: `transporter.use("compile", onBehalf({ … }))`. Sites call it. A message with
// `onBehalfOf` gets a return path that brings its bounces to the user, and says in its header who sent it for whom.
import { asciiLower, createRewriter, type Mailbox, NULL_PATH, renderMailbox } from "@homing/srs-core";
import { chooseFrom } from "../sender/choose-from.ts";
import { type ConfirmedUser, confirmUser } from "./confirm-user.ts";
import { checkMailData, checkSenders, type MailData, messageIdOf } from "./mail-data.ts";
import type { OnBehalfPlugin, OnBehalfPluginOptions } from "./options.ts";
import type { Entry } from "./plain-address.ts";
import { OnBehalfError, type Stopped, stopped, stoppedBy } from "./plugin-problem.ts";
import { type PluginRules, pluginRules } from "./plugin-rules.ts";
import { type Recipients, readRecipients } from "./read-recipients.ts";
import { readUser } from "./read-user.ts";

/**
 * Makes the plug-in. Throws an OnBehalfError with the code `wrong-options` where the options cannot be used. What goes wrong
 * with a message goes to the callback of `sendMail`, as an OnBehalfError, and nothing is sent.
 *
 * @example
 * transporter.use("compile", onBehalf({ secretsFile, bounceDomain: "bounce.site.example", from: "cards@site.example" }));
 * await transporter.sendMail({ onBehalfOf: { address, name, confirmedAt }, to, subject, text });
 */
export function onBehalf(options: OnBehalfPluginOptions): OnBehalfPlugin {
  const rules = pluginRules(options);
  return (mail, callback) => {
    const data = mail.data as MailData;
    if (!("onBehalfOf" in data)) {
      callback();
      return;
    }
    prepare(rules, data).then(
      (prepared) => {
        if (!prepared.ok) return callback(new OnBehalfError(prepared.problem));
        apply(data, prepared);
        tell(mail, prepared.reason);
        goOn(callback);
      },
      // A bug of ours, or of a world that was passed in.
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  };
}

interface Prepared {
  readonly ok: true;
  readonly set: Readonly<Record<string, unknown>>;
  readonly reason: string;
}

/** Cheap things first: nobody is asked about a message that cannot be sent anyway. */
async function prepare(rules: PluginRules, data: MailData): Promise<Prepared | Stopped> {
  const { site, world } = rules;
  const stated = readUser(data.onBehalfOf);
  if (!stated.ok) return stated;
  const fault = checkMailData(data);
  if (fault) return fault;
  const recipients = readRecipients(data, rules.maxRecipients);
  if (!recipients.ok) return recipients;
  const messageId = messageIdOf(data, site.from, world.newId);
  if (typeof messageId !== "string") return messageId;

  const user = await confirmUser(rules, stated);
  if (!user.ok) return user;
  const contradiction = checkSenders(data, site.from, user.mailbox);
  if (contradiction) return contradiction;
  const returnPath = await returnPathOf(rules, user.mailbox, recipients);
  if (!returnPath.ok) return returnPath;
  const header = await headerOf(rules, user);
  if (!header.ok) return header;
  const to = recipients.mailboxes.map(renderLower);
  const envelope = { from: renderMailbox(returnPath.sender), to };
  return { ...header, set: { ...recipientFields(recipients), ...header.set, envelope, messageId } };
}

/** SRS0 at the bounce domain. With one recipient the tag says which: then a bounce tells who could not be reached. */
async function returnPathOf(
  rules: PluginRules,
  user: Mailbox,
  { mailboxes }: Recipients,
): Promise<{ readonly ok: true; readonly sender: Mailbox } | Stopped> {
  const secrets = await rules.secrets();
  if (!secrets.ok) return secrets;
  const options = { secrets: secrets.lines, domain: rules.bounceDomain, alwaysRewrite: true };
  const context = mailboxes.length === 1 ? { alias: mailboxes[0] } : {};
  const out = createRewriter(options).forward(user, rules.world.now(), context);
  if (out.ok && out.rewritten) return { ok: true, sender: out.sender };
  return stopped("sender-too-long", `the user's address does not fit into a return path: ${reasonOf(out)}`, {
    field: "onBehalfOf",
    hint: "the user needs a shorter address",
  });
}

function reasonOf(out: ReturnType<ReturnType<typeof createRewriter>["forward"]>): string {
  if (!out.ok) return out.message;
  return out.sender === NULL_PATH ? "it is empty" : "it is a return path itself";
}

async function headerOf(
  { site, fromMode, world }: PluginRules,
  user: Extract<ConfirmedUser, { readonly ok: true }>,
): Promise<Prepared | Stopped> {
  const { lookUpTxt } = world;
  const chosen = await chooseFrom({ mode: fromMode, site, user: user.mailbox, name: user.name, lookUpTxt });
  if (!chosen.ok) return stoppedBy(chosen, "fromMode");
  const { from, sender, replyTo, reason } = chosen;
  return { ok: true, reason, set: { from, sender, replyTo } };
}

/** As objects: no text is left for nodemailer to take apart. */
function recipientFields({ fields }: Recipients): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, entries]) => [key, entries.map(addressObject)]),
  );
}

function addressObject({ name, mailbox }: Entry): object {
  return { name, address: renderLower(mailbox) };
}

/** As nodemailer writes addresses on the wire, whichever its transport. */
function renderLower(mailbox: Mailbox): string {
  return renderMailbox({ ...mailbox, domain: asciiLower(mailbox.domain) });
}

/** What is not set is taken away: it said the same, or nothing. */
function apply(data: MailData, { set }: Prepared): void {
  delete data.onBehalfOf;
  for (const [key, value] of Object.entries(set)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) delete data[key];
    else data[key] = value;
  }
}

/** Why which address stands in From: with nodemailer's option `logger`, in the site's log. */
function tell(mail: object, reason: string): void {
  const { mailer } = mail as {
    readonly mailer?: { readonly logger?: { info?: (...values: unknown[]) => void } };
  };
  mailer?.logger?.info?.({ tnx: "on-behalf" }, "%s", reason);
}

/** nodemailer composes the message inside this call; before 10 it throws there, with nobody to catch it. */
function goOn(callback: (error?: Error | null) => void): void {
  try {
    callback();
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)));
  }
}
