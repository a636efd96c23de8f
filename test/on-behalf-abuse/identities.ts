// Attacks on identities: addresses that nobody confirmed, other sites' users, and the links that confirm. Rows of
// test/on-behalf-abuse.test.ts.
import assert from "node:assert/strict";
import { createTokens } from "@homing/on-behalf";
import { type AbuseScene, ALICE, FRED, NEVER, PENDING, REVOKED, VICTIM } from "../harness/abuse-scene.ts";
import { type Attack, message, NOT_CONFIRMED, RETRY, row } from "./attack.ts";

const BROKEN = "400 This link is not complete";
const confirmWith = (name: string, tokenOf: (scene: AbuseScene) => string, sees = BROKEN): Attack =>
  row(name, sees, (scene) => scene.page("POST", "/confirm", { t: tokenOf(scene) }));

export const IDENTITIES: readonly Attack[] = [
  message("an address that nobody was asked about", { onBehalfOf: "stranger@users.example" }, NOT_CONFIRMED),
  message("an address that was asked, and has not answered", { onBehalfOf: PENDING }, NOT_CONFIRMED),
  message("a permission that was taken back", { onBehalfOf: REVOKED }, NOT_CONFIRMED),
  message("an identity of no shape that there is", { onBehalfOf: "idn_../../alice" }, NOT_CONFIRMED),
  row("the id of another site's user", NOT_CONFIRMED, (scene) => scene.send({ onBehalfOf: scene.ids.fred })),
  message("the address of another site's user", { onBehalfOf: FRED }, NOT_CONFIRMED),
  row("another site's identity, read", "404 not-found", (scene) =>
    scene.api("GET", `/v1/identities/${scene.ids.fred}`),
  ),
  row("another site's identity, ended", "404 not-found", (scene) =>
    scene.api("DELETE", `/v1/identities/${scene.ids.fred}`),
  ),
  row("another site's message, read", "404 not-found", (scene) =>
    scene.api("GET", `/v1/messages/${scene.forumMessage}`),
  ),
  row("a second confirmation mail on the same day", `429 confirmation-pending address${RETRY}`, (scene) =>
    scene.api("POST", "/v1/identities", { body: { address: PENDING } }),
  ),
  row("a second one, asked by another site", `429 confirmation-pending address${RETRY}`, (scene) =>
    scene.api("POST", "/v1/identities", { site: "forum", body: { address: PENDING } }),
  ),
  row("a second one, in other letters", `429 confirmation-pending address${RETRY}`, (scene) =>
    scene.api("POST", "/v1/identities", { body: { address: "PENDING@Users.Example" } }),
  ),
  row("a second one, with something behind a plus", `429 confirmation-pending address${RETRY}`, (scene) =>
    scene.api("POST", "/v1/identities", { body: { address: PENDING.replace("@", "+2@") } }),
  ),
  row("a confirmation mail to somebody who wants none", "422 recipient-suppressed address", (scene) =>
    scene.api("POST", "/v1/identities", { body: { address: NEVER } }),
  ),
  row("a confirmation mail to two addresses in one", "422 invalid-field address", (scene) =>
    scene.api("POST", "/v1/identities", { body: { address: `${VICTIM}, other@victims.example` } }),
  ),
  row("a confirmation mail with a header behind the address", "422 invalid-field address", (scene) =>
    scene.api("POST", "/v1/identities", { body: { address: `${VICTIM}\r\nBcc: other@victims.example` } }),
  ),
  row("a link scanner that opens the link ten times", NOT_CONFIRMED, async (scene) => {
    for (let times = 0; times < 5; times++)
      for (const method of ["GET", "HEAD"])
        assert.match(await scene.page(method, `/confirm?t=${scene.tokens.pending}`), /^200 /);
    return await scene.send({ onBehalfOf: PENDING });
  }),
  row("the token in the URL of a POST, without a form", "400 That was not understood", (scene) =>
    scene.page("POST", `/confirm?t=${scene.tokens.pending}`),
  ),
  row("the token in the URL of a POST, with an empty form", BROKEN, (scene) =>
    scene.page("POST", `/confirm?t=${scene.tokens.pending}`, {}),
  ),
  row("PUT in place of POST", "405 That cannot be done here", (scene) =>
    scene.page("PUT", `/confirm?t=${scene.tokens.pending}`),
  ),
  row("a link that was used, again", "410 This link was used before", async (scene) => {
    scene.expected.push("replay@users.example");
    const t = await scene.site.asked("replay@users.example");
    assert.match(await scene.page("POST", "/confirm", { t }), /^200 /);
    return await scene.page("POST", "/confirm", { t });
  }),
  row(
    "a link that was used, again, behind its end by the site",
    "410 This link was used before",
    async (scene) => {
      scene.expected.push("ended@users.example");
      const t = await scene.site.asked("ended@users.example");
      assert.match(await scene.page("POST", "/confirm", { t }), /^200 /);
      assert.match(await scene.api("DELETE", "/v1/identities/ended@users.example"), /^200 /);
      const again = await scene.page("POST", "/confirm", { t });
      assert.equal(await scene.send({ onBehalfOf: "ended@users.example" }), NOT_CONFIRMED);
      return again;
    },
  ),
  row(
    "ten presses of the button at the same time: one confirms",
    "200 x1, 410 x9, 1 event",
    async (scene) => {
      scene.expected.push("many@users.example");
      const t = await scene.site.asked("many@users.example");
      const all = await Promise.all(Array.from({ length: 10 }, () => scene.page("POST", "/confirm", { t })));
      const count = (status: string): number => all.filter((one) => one.startsWith(status)).length;
      const events = await scene.site.eventsOf("cards", "identity.confirmed");
      const told = events.filter(({ data }) => data.address === "many@users.example").length;
      return `200 x${count("200")}, 410 x${count("410")}, ${told} event`;
    },
  ),
  row("a turned bit, anywhere in the token", BROKEN, async (scene) => {
    const octets = Buffer.from(scene.tokens.pending, "base64url");
    const seen = new Set<string>();
    for (let bit = 0; bit < octets.length * 8; bit += 23) {
      const turned = Buffer.from(octets);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      seen.add(await scene.page("POST", "/confirm", { t: turned.toString("base64url") }));
    }
    return [...seen].join("; ");
  }),
  confirmWith("a link to somebody's own page, for the button", (scene) => scene.tokens.aliceMine),
  row("a link that confirms, for somebody's own page", BROKEN, (scene) =>
    scene.page("POST", "/mine", { t: scene.tokens.pending, action: "never", site: "all" }),
  ),
  row("a proof of an identity, for somebody's own page", BROKEN, async (scene) => {
    const { proof = "" } = (await scene.site.api("GET", `/v1/identities/${ALICE}`)).body;
    assert.ok(proof.length > 100);
    return await scene.page("POST", "/mine", { t: proof, action: "revoke", id: scene.ids.alice });
  }),
  row("one click with a link that confirms", BROKEN, (scene) =>
    scene.page("POST", `/mine?t=${scene.tokens.pending}`, { "List-Unsubscribe": "One-Click" }),
  ),
  row(
    "the form that mails links, fed one address five times: one mail",
    "200 Look into your mail",
    async (scene) => {
      const address = "flooded@users.example";
      scene.expected.push(address);
      const seen = new Set<string>();
      for (let times = 0; times < 5; times++) seen.add(await scene.page("POST", "/mine", { address }));
      return [...seen].join("; ");
    },
  ),
  row(
    "the form that mails links, with a header behind the address",
    "422 Mail in your name, and mail to you",
    (scene) => scene.page("POST", "/mine", { address: `${VICTIM}\r\nBcc: other@victims.example` }),
  ),
  row("somebody's own page, to end the permission of another", "404 That is not there any more", (scene) =>
    scene.page("POST", "/mine", { t: scene.tokens.aliceMine, action: "revoke", id: scene.ids.fred }),
  ),
  confirmWith("the token with padding", (scene) => `${scene.tokens.pending}==`),
  confirmWith("the token in the alphabet with + and /", (scene) =>
    Buffer.from(scene.tokens.pending, "base64url").toString("base64"),
  ),
  confirmWith("the token with a blank behind it", (scene) => `${scene.tokens.pending} `),
  confirmWith("the token with an octet more", (scene) =>
    Buffer.concat([Buffer.from(scene.tokens.pending, "base64url"), Buffer.from(" ")]).toString("base64url"),
  ),
  confirmWith("the token with its last bits set, which say nothing", (scene) =>
    otherSpelling(scene.tokens.pending),
  ),
  confirmWith("the token twice over", (scene) => scene.tokens.pending.repeat(2)),
  confirmWith("a token of 100,000 characters", () => "A".repeat(100_000), "413 That was not understood"),
  confirmWith("a token signed with somebody else's key", () =>
    createTokens(["a secret that is not the one of this server"]).sign({
      purpose: "confirm",
      address: PENDING,
      site: "cards",
      nonce: "AAAAAAAAAAAAAAAAAAAAAAAA",
      expires: Math.floor(Date.now() / 1000) + 3600,
    }),
  ),
];

/** Of 1 or 2 octets that are over, some bits of the last character stand for nothing. */
function otherSpelling(token: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const octets = Buffer.from(token, "base64url");
  for (const letter of letters) {
    const other = token.slice(0, -1) + letter;
    if (other !== token && Buffer.from(other, "base64url").equals(octets)) return other;
  }
  // None are over: then there is a spelling with a character too many.
  return `${token}A`;
}
