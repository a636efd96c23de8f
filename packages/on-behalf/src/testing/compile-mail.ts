// Messages as the plug-in makes them of what a site gives to nodemailer. Used by the tests of plugin/.
import assert from "node:assert/strict";
import { createRewriter, parseMailbox } from "@homing/srs-core";
import { onBehalf } from "../plugin/on-behalf-plugin.ts";
import type { OnBehalfPluginOptions } from "../plugin/options.ts";
import { OnBehalfError } from "../plugin/plugin-problem.ts";

export const NOW = 1_780_000_000;
export const DAY = 86_400;
export const SECRET = "a secret of more than 22 characters";
export const OPTIONS = {
  secrets: [SECRET],
  bounceDomain: "bounce.site.example",
  from: { name: "Example Cards", address: "cards@site.example" },
  isConfirmed: (address: string) => address === "alice@example.org",
} satisfies OnBehalfPluginOptions;
export const MAIL = {
  onBehalfOf: "alice@example.org",
  to: "bob@peer.example",
  subject: "A card",
  text: "Hello",
};

export type Data = Record<string, unknown>;

/** What the message is then; rejects with what the callback was given. */
export function compile(data: object, options: Partial<OnBehalfPluginOptions> = {}): Promise<Data> {
  const world = { now: () => NOW, lookUpTxt: async () => ["v=DMARC1; p=reject"], newId: () => "id-1" };
  const plugin = onBehalf({ ...OPTIONS, world, ...options });
  const mail = { data: { headers: {}, ...data } as Data };
  return new Promise((resolve, reject) => {
    plugin(mail, (error) => (error ? reject(error) : resolve(mail.data)));
  });
}

export async function refusal(
  data: object,
  options: Partial<OnBehalfPluginOptions> = {},
): Promise<OnBehalfError> {
  const error: unknown = await compile(data, options).catch((rejected: unknown) => rejected);
  assert.ok(error instanceof OnBehalfError, `no OnBehalfError: ${JSON.stringify(error)}`);
  assert.doesNotMatch(error.message, /[\r\n]/);
  return error;
}

export function reversed(sender: string, secret = SECRET) {
  const parsed = parseMailbox(sender);
  assert.ok(parsed.ok);
  assert.equal(parsed.mailbox.domain, "bounce.site.example");
  const rewriter = createRewriter({ secrets: [secret], domain: "bounce.site.example" });
  const back = rewriter.reverse(parsed.mailbox, NOW);
  assert.ok(back.ok);
  return { back, rewriter };
}
