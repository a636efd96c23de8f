// Attacks with what stands in a message, and with too much of it. Rows of test/on-behalf-abuse.test.ts.
import assert from "node:assert/strict";
import { FRED, NEVER, SUPPRESSED, VICTIM, VISITOR } from "../harness/abuse-scene.ts";
import { type Attack, message, RETRY, row } from "./attack.ts";

const invalid = (field: string): string => `422 invalid-field ${field}`;
const BCC = `\r\nBcc: other@victims.example`;
const OWN = { profile: "transactional", onBehalfOf: undefined };
const IP = "192.0.2.7";

export const MESSAGES: readonly Attack[] = [
  message("a header behind the subject", { subject: `Hi${BCC}` }, invalid("subject")),
  message("a bare LF in the subject", { subject: "Hi\nBcc: other@victims.example" }, invalid("subject")),
  message("a line separator in the subject", { subject: "Hi\u2028Bcc: x" }, invalid("subject")),
  message("an encoded word in the subject", { subject: "=?utf-8?q?=0D=0ABcc:?=" }, invalid("subject")),
  message("half of a surrogate pair in the subject", { subject: "\ud800" }, invalid("subject")),
  message("a header behind the name", { name: `Alice${BCC}` }, invalid("name")),
  message("NUL in the name", { name: "Al\0ice" }, invalid("name")),
  message("a name that reads from right to left", { name: "Alice \u202egro.knab@" }, invalid("name")),
  message("an address inside the name", { name: "ceo@bank.example" }, invalid("name")),
  message(
    "an address inside the name, with the @ of another alphabet",
    { name: "ceo＠bank.example" },
    invalid("name"),
  ),
  message("an encoded word in the name", { name: "=?utf-8?q?ceo=40bank.example?=" }, invalid("name")),
  message("a name of 65 characters", { name: "A".repeat(65) }, invalid("name")),
  message("a header behind the recipient", { to: `${VICTIM}${BCC}` }, invalid("to[0]")),
  message("two recipients in one", { to: `${VICTIM}, other@victims.example` }, invalid("to[0]")),
  message("a recipient with a name and angle brackets", { to: `A <${VICTIM}>` }, invalid("to[0]")),
  message("a recipient that reads from right to left", { to: "a\u202eb@victims.example" }, invalid("to[0]")),
  message("one recipient twice, in other letters", { to: [VICTIM, VICTIM.toUpperCase()] }, invalid("to[1]")),
  message("no recipient", { to: [] }, invalid("to")),
  message("a header behind the reference", { reference: `42${BCC}` }, invalid("reference")),
  message("a header behind the reply address", { ...OWN, replyTo: `a@b.example${BCC}` }, invalid("replyTo")),
  message("a reply address that is not the user's", { replyTo: "a@b.example" }, invalid("replyTo")),
  message("a header behind the visitor's IP address", { visitorIp: `${IP}${BCC}` }, invalid("visitorIp")),
  message("NUL in the text", { text: "Hello\0" }, invalid("text")),
  message("ESC in the HTML", { html: "<p>\u001b[2J</p>" }, invalid("html")),
  message(
    "six recipients",
    { to: Array.from({ length: 6 }, (_, nth) => `a${nth}@victims.example`) },
    "422 too-many-recipients to",
  ),
  message("a text of 100,001 characters", { text: "a".repeat(100_001) }, "413 message-too-large text"),
  message("a recipient whom the site suppressed", { to: SUPPRESSED }, "422 recipient-suppressed to[0]"),
  message(
    "somebody who said never again, beside another",
    { to: [VICTIM, NEVER] },
    "422 recipient-suppressed to[1]",
  ),
  message(
    "somebody who said never again, by another site",
    { onBehalfOf: FRED, to: NEVER },
    "422 recipient-suppressed to[0]",
    "forum",
  ),
  message(
    "somebody who said never again, with something behind a plus",
    { to: NEVER.replace("@", "+1@") },
    "422 recipient-suppressed to[0]",
  ),
  message(
    "a profile that the site has not",
    { profile: "transactional", onBehalfOf: undefined },
    "403 profile-not-allowed profile",
    "forum",
  ),
  message("a profile that there is not", { profile: "bulk" }, invalid("profile")),
  message("a user behind mail that does not matter", { profile: "unimportant" }, invalid("onBehalfOf")),
  message("a user in From whose domain forbids it", { fromMode: "user" }, "422 from-not-permitted fromMode"),
  message("a visitor without an IP address", { onBehalfOf: VISITOR }, "422 visitor-rules visitorIp"),
  message(
    "a visitor with HTML",
    { onBehalfOf: VISITOR, visitorIp: IP, html: "<p>Hi" },
    "422 visitor-rules html",
  ),
  message(
    "a visitor with a link",
    { onBehalfOf: VISITOR, visitorIp: IP, text: "HTTPS://buy.example" },
    "422 visitor-rules text",
  ),
  message(
    "a visitor with a link in the subject",
    { onBehalfOf: VISITOR, visitorIp: IP, subject: "WWW.buy.example" },
    "422 visitor-rules subject",
  ),
  message(
    "a visitor with what mail programs make a link of",
    { onBehalfOf: VISITOR, visitorIp: IP, text: "buy at ｓｐａｍ．ex\u00adample/offer" },
    "422 visitor-rules text",
  ),
  message(
    "a visitor with 1,001 characters",
    { onBehalfOf: VISITOR, visitorIp: IP, text: "é".repeat(1001) },
    "422 visitor-rules text",
  ),
  row("another message with the same Idempotency-Key", "409 idempotency-conflict", async (scene) => {
    const key = { "Idempotency-Key": "one" };
    const to = "friend4@others.example";
    scene.expected.push(to);
    assert.match(await scene.send({ to }, "cards", key), /^202 /);
    return await scene.send({}, "cards", key);
  }),
  row(
    "one message ten times at the same time, with one Idempotency-Key: one is taken",
    "202 x1",
    async (scene) => {
      const to = "friend6@others.example";
      scene.expected.push(to);
      const all = await Promise.all(
        Array.from({ length: 10 }, () => scene.send({ to }, "cards", { "Idempotency-Key": "ten" })),
      );
      for (const one of all) assert.match(one, /^(?:202 |200 |409 idempotency-under-way, Retry-After$)/);
      return `202 x${all.filter((one) => one.startsWith("202 ")).length}`;
    },
  ),
  row("an Idempotency-Key of 257 characters", "400 idempotency-key-invalid", (scene) =>
    scene.send({}, "cards", { "Idempotency-Key": "k".repeat(257) }),
  ),
  row("an Idempotency-Key with a letter that is not ASCII", "400 idempotency-key-invalid", (scene) =>
    scene.send({}, "cards", { "Idempotency-Key": "cl\u00e9" }),
  ),
];

export const LIMITS: readonly Attack[] = [
  message(
    "a user's second message, where one a day is allowed",
    { onBehalfOf: "u1@users.example" },
    `429 limit-user onBehalfOf${RETRY}`,
    "tight",
  ),
  message(
    "a recipient's second message, from another user",
    { onBehalfOf: "u2@users.example", to: "FRIEND1@others.example" },
    `429 limit-recipient to[0]${RETRY}`,
    "tight",
  ),
  message(
    "a recipient's second message, with something behind a plus",
    { onBehalfOf: "u2@users.example", to: "friend1+2@others.example" },
    `429 limit-recipient to[0]${RETRY}`,
    "tight",
  ),
  message(
    "another visitor, from another address of the same /64",
    { onBehalfOf: "u4@users.example", visitorIp: "2001:db8:1:2:ffff::9" },
    `429 limit-visitor visitorIp${RETRY}`,
    "tight",
  ),
  message(
    "a site's second message, where one a day is allowed",
    { onBehalfOf: "s1@users.example" },
    `429 limit-site${RETRY}`,
    "spent",
  ),
  row("a site's second confirmation mail, where one a day is allowed", `429 limit-site${RETRY}`, (scene) =>
    scene.api("POST", "/v1/identities", { site: "spent", body: { address: VICTIM } }),
  ),
  row("twenty messages at the same time, where one is allowed", "202 x1, 429 x19", async (scene) => {
    const user = "u2@users.example";
    scene.expected.push("friend5@others.example");
    const all = await Promise.all(
      Array.from({ length: 20 }, () =>
        scene.send({ onBehalfOf: user, to: "friend5@others.example" }, "tight"),
      ),
    );
    const count = (status: string): number => all.filter((one) => one.startsWith(status)).length;
    return `202 x${count("202")}, 429 x${count("429")}`;
  }),
];
