// Attacks by SMTP: on the submission ports, by people and by sites, and where bounces come home. Rows of
// test/on-behalf-abuse.test.ts.
import assert from "node:assert/strict";
import { greeted, hello, sendMessage, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { overTls } from "../../packages/forwarder/src/testing/tls-client.ts";
import {
  type AbuseScene,
  ALICE,
  DAVE,
  FRED,
  NEVER,
  PENDING,
  REVOKED,
  SUPPRESSED,
  VICTIM,
  VISITOR,
} from "../harness/abuse-scene.ts";
import { BOUNCES, CAROL } from "../harness/on-behalf-site.ts";
import {
  authLogin,
  authPlain,
  dialStartTls,
  dialSubmission,
  type HandedIn,
  handIn,
  loggedInSite,
} from "../harness/submit-client.ts";
import { type Attack, row } from "./attack.ts";

const CARDS = "cards@site.example";
const letter = (from = CARDS, more = ""): string =>
  `From: ${from}\r\nTo: ${VICTIM}\r\nSubject: Hi\r\n${more}\r\nHello.\r\n`;

/** Over port 465, by a site. */
const bySite = (
  name: string,
  sees: string,
  mail: (scene: AbuseScene) => Partial<HandedIn>,
  site = "cards",
): Attack =>
  row(name, sees, async (scene) => {
    using client = await loggedInSite(scene.site, site);
    return await handIn(client, { from: ALICE, to: [VICTIM], message: letter(), ...mail(scene) });
  });
const NOT_OWN = "550 5.7.1 From holds an address that is not yours";
const refusedAs = (word: string): string => `550 5.7.1 ${word}: `;

export const SUBMISSION: readonly Attack[] = [
  row("a password in plain text", "538 5.7.11 ", async (scene) => {
    using client = await hello({ port: scene.site.ports.submission });
    return await authPlain(client, { name: "cards", password: scene.site.keyOf("cards") });
  }),
  row("mail in plain text, without a log-in", "530 5.7.0 ", async (scene) => {
    using client = await hello({ port: scene.site.ports.submission });
    return await client.ask(`MAIL FROM:<${ALICE}>`);
  }),
  row("mail over TLS, without a log-in", "530 5.7.0 ", async (scene) => {
    using client = await dialStartTls(scene.site);
    return await client.ask(`MAIL FROM:<${ALICE}>`);
  }),
  row("commands in the packet of STARTTLS: none is done behind it", "530 5.7.0 ", async (scene) => {
    const packet = `STARTTLS\r\nEHLO client.test\r\n`;
    using client = await hello({ port: scene.site.ports.submission });
    assert.match(await client.ask(`${packet}MAIL FROM:<${ALICE}>`), /^220 /);
    using secure = await overTls(client);
    // The first reply over TLS is the one to this.
    assert.match(await secure.ask("EHLO client.test"), /^250-/);
    return await secure.ask(`MAIL FROM:<${ALICE}>`);
  }),
  row("a log-in at the port for mail from others", "502 5.5.1 ", async (scene) => {
    using client = await hello({ port: scene.site.ports.smtp });
    return await authPlain(client, { name: "cards", password: scene.site.keyOf("cards") });
  }),
  row("a site key as a person's password", "535 5.7.8 ", async (scene) => {
    using client = await dialSubmission(scene.site);
    return await authLogin(client, { name: CAROL.name, password: scene.site.keyOf("cards") });
  }),
  row("a person's password as a site key", "535 5.7.8 ", async (scene) => {
    using client = await dialSubmission(scene.site);
    return await authLogin(client, { name: "cards", password: CAROL.password });
  }),
  row("another site's key", "535 5.7.8 ", async (scene) => {
    using client = await dialSubmission(scene.site);
    return await authPlain(client, { name: "cards", password: scene.site.keyOf("forum") });
  }),
  row("a good key, to act as somebody else", "535 5.7.8 ", async (scene) => {
    using client = await dialSubmission(scene.site);
    const text = `carol\0cards\0${scene.site.keyOf("cards")}`;
    return await client.ask(`AUTH PLAIN ${Buffer.from(text).toString("base64")}`);
  }),
  row(
    "a person's password, guessed: from the twenty-first on nobody looks, also at the right one",
    "454 4.7.0 ",
    async (scene) => {
      const guess = async (from: number): Promise<void> => {
        using client = await dialSubmission(scene.site, "127.0.0.9");
        for (let nth = from; nth < from + 10; nth++)
          assert.match(
            await authPlain(client, { name: DAVE.name, password: `guess ${nth}` }),
            /^535 5\.7\.8 /,
          );
      };
      await Promise.all([guess(0), guess(10)]);
      using client = await dialSubmission(scene.site, "127.0.0.9");
      return await authPlain(client, DAVE);
    },
  ),
  bySite("in the name of somebody who was not asked", refusedAs("identity-not-confirmed"), () => ({
    from: "stranger@users.example",
  })),
  bySite("in the name of somebody who has not answered", refusedAs("identity-not-confirmed"), () => ({
    from: PENDING,
  })),
  bySite("in the name of somebody who took it back", refusedAs("identity-not-confirmed"), () => ({
    from: REVOKED,
  })),
  bySite("in the name of another site's user", refusedAs("identity-not-confirmed"), () => ({ from: FRED })),
  bySite("in the name of a visitor", refusedAs("visitor-rules"), () => ({ from: VISITOR })),
  bySite("with an SRS address that is forged", refusedAs("identity-not-confirmed"), (scene) => ({
    from: scene.srsOf(ALICE).replace(/^SRS0=..../, "SRS0=aaaa"),
  })),
  bySite(
    "with a good SRS address of somebody who was not asked",
    refusedAs("identity-not-confirmed"),
    (scene) => ({
      from: scene.srsOf("stranger@users.example"),
    }),
  ),
  bySite("with an SRS address of another site", refusedAs("identity-not-confirmed"), (scene) => ({
    from: scene.srsOf(FRED, VICTIM, "bounce.town.example"),
  })),
  bySite(
    "with an address at the bounce domain that is none of SRS",
    refusedAs("identity-not-confirmed"),
    () => ({
      from: `alice@${BOUNCES}`,
    }),
  ),
  bySite(
    "without a sender, by a site that may not",
    refusedAs("profile-not-allowed"),
    () => ({ from: "" }),
    "forum",
  ),
  bySite(
    "as the site itself, by a site that may not",
    refusedAs("profile-not-allowed"),
    () => ({ from: "forum@town.example" }),
    "forum",
  ),
  bySite("with From of somebody else", NOT_OWN, () => ({ message: letter("ceo@bank.example") })),
  bySite("with From of somebody else beside the site's", NOT_OWN, () => ({
    message: letter(`${CARDS}, ceo@bank.example`),
  })),
  bySite("with two From fields", "550 5.7.1 the message has several From fields", () => ({
    message: letter(CARDS, "From: ceo@bank.example\r\n"),
  })),
  bySite("with From of the user, whose domain forbids it", refusedAs("from-not-permitted"), () => ({
    message: letter(ALICE),
  })),
  bySite("with From of another user of the site", NOT_OWN, () => ({ message: letter(REVOKED) })),
  bySite("with From of the user, and nobody behind it", NOT_OWN, () => ({
    from: "",
    message: letter(ALICE),
  })),
  bySite("with a line in the header that is no field", "550 5.6.0 ", () => ({
    message: letter(CARDS, "no field\r\n"),
  })),
  bySite("to a recipient whom the site suppressed", refusedAs("recipient-suppressed"), () => ({
    to: [SUPPRESSED],
  })),
  bySite("to somebody who said never again", refusedAs("recipient-suppressed"), () => ({ to: [NEVER] })),
  bySite("to six recipients", "452 4.5.3 too-many-recipients: ", () => ({
    to: Array.from({ length: 6 }, (_, nth) => `a${nth}@victims.example`),
  })),
  bySite(
    "a second time, where a user may once a day",
    "450 4.7.1 limit-user: ",
    () => ({
      from: "u1@users.example",
      message: letter("tight@site.example"),
    }),
    "tight",
  ),
  bySite("to an SRS address, as if it were a bounce", refusedAs("invalid-field"), (scene) => ({
    to: [scene.srsOf(ALICE)],
  })),
  row(
    "a person who sends as somebody else",
    "550 5.7.1 the sender is none of your addresses",
    async (scene) => {
      using client = await dialSubmission(scene.site);
      assert.match(await authPlain(client, CAROL), /^235 /);
      const own = { from: CAROL.address, to: [VICTIM] };
      assert.ok((await handIn(client, { ...own, message: letter(ALICE) })).startsWith(NOT_OWN));
      assert.match(
        await handIn(client, { ...own, message: letter(CAROL.address, `Sender: ${ALICE}\r\n`) }),
        /^550 5\.7\.1 Sender /,
      );
      assert.match(
        await handIn(client, { ...own, message: "Subject: Hi\r\n\r\nHello.\r\n" }),
        /^550 5\.7\.1 /,
      );
      return await handIn(client, { from: ALICE, to: [VICTIM], message: letter(CAROL.address) });
    },
  ),
];

const atPort25 = (
  name: string,
  sees: string,
  mail: (scene: AbuseScene) => { from: string; to: string },
): Attack =>
  row(name, sees, async (scene) => {
    using client = await greeted({ port: scene.site.ports.smtp });
    return await transact(client, { message: letter(), ...mail(scene) });
  });

export const PORT_25: readonly Attack[] = [
  atPort25(
    "a relay through the port for mail from others",
    "550 5.7.1 this server takes no mail for that domain",
    () => ({
      from: "x@y.example",
      to: VICTIM,
    }),
  ),
  atPort25(
    "a relay with a good SRS address as sender",
    "550 5.7.1 this server takes no mail for that domain",
    (scene) => ({
      from: scene.srsOf(ALICE),
      to: VICTIM,
    }),
  ),
  atPort25("a forged SRS address as sender", "550 5.7.1 ", () => ({
    from: `SRS0=aaaaaaaaaaaaaa=JL=strict.example=alice@${BOUNCES}`,
    to: "carol@club.example",
  })),
  atPort25("a forged SRS address as recipient", "550 5.7.1 this address takes only bounces", () => ({
    from: "",
    to: `SRS0=aaaaaaaaaaaaaa=JL=victims.example=someone@${BOUNCES}`,
  })),
  atPort25("mail with a sender, to an SRS address", "550 5.7.1 this address takes only bounces", (scene) => ({
    from: "x@y.example",
    to: scene.srsOf(VICTIM),
  })),
  atPort25(
    "mail without a report, to an SRS address",
    "550 5.7.1 this address takes only bounces",
    (scene) => ({
      from: "",
      to: scene.srsOf(VICTIM),
    }),
  ),
  atPort25("mail to an address at the bounce domain that is none of SRS", "550 5.7.1 ", () => ({
    from: "",
    to: `alice@${BOUNCES}`,
  })),
  // Whoever bounces to it is not to know; it is thrown away, whatever it is.
  atPort25("mail of anybody to nobody@ the bounce domain", "250 2.0.0 ", () => ({
    from: "x@y.example",
    to: `nobody@${BOUNCES}`,
  })),
  row("mail to nobody@ and on to somebody, in one transaction", "452 4.5.3 ", async (scene) => {
    using client = await greeted({ port: scene.site.ports.smtp });
    await client.ask("EHLO client.test");
    await client.ask("MAIL FROM:<>");
    assert.match(await client.ask(`RCPT TO:<nobody@${BOUNCES}>`), /^250 /);
    const second = await client.ask("RCPT TO:<carol@club.example>");
    assert.match(await sendMessage(client, letter()), /^250 /);
    return second;
  }),
];
