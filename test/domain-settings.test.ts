// One service for two domains, one of them with an SRS domain and a reply of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { remoteBounce } from "./harness/bounce-peers.ts";
import { type HomingService, startHomingService } from "./harness/homing.ts";

const MESSAGE = "From: bob@source.example\r\nSubject: two domains\r\n\r\nHello!\r\n";
const SECRET = "a secret of the stories, long enough";

function config(hop: number): string {
  return `hostname: mx.home.example
listen: 127.0.0.1:0
domains: [home.example, club.example, shop.example]
domainAliases: { old-club.example: club.example }
aliasesFile: aliases
virtualFile: virtual
domainSettings:
  Club.Example:
    srsDomain: srs.club.example
    unknownReply: 550 5.1.1 the club has no member of this name
srs: { domain: srs.home.example, secretsFile: secrets }
delivery: { smartHost: "127.0.0.1:${hop}" }
`;
}

const VIRTUAL = `alice@home.example alice@away.example
carol@club.example carol@away.example
both@home.example carol@club.example
left@club.example :fail: 551 5.1.6 she left the club
later@club.example :defer: not before Monday
spam@club.example :blackhole:
@shop.example dave@away.example
`;

async function sent(service: HomingService, from: string, to: string): Promise<string> {
  using client = await greeted({ port: service.port });
  const message = from === "" ? remoteBounce({ target: "alice@away.example" }) : MESSAGE;
  return await transact(client, { from, to, message });
}

test("each domain has its SRS domain, its reply for unknown addresses, and its catch-all", async () => {
  await using hop = await startHop();
  await using service = await startHomingService({
    aliases: "postmaster: alice@away.example\n",
    config: config(hop.port),
    virtual: VIRTUAL,
    secret: SECRET,
  });
  const senderOfLast = (): string => {
    const commands = hop.commands.filter((line) => line.startsWith("MAIL FROM:"));
    return /^MAIL FROM:<([^>]*)>/.exec(commands.at(-1) ?? "")?.[1] ?? "";
  };

  assert.match(await sent(service, "bob@source.example", "alice@home.example"), /^250 /);
  const atHome = senderOfLast();
  assert.match(atHome, /^SRS0=.*=source\.example=bob@srs\.home\.example$/);
  for (const to of ["carol@club.example", "CAROL@Old-Club.Example"]) {
    assert.match(await sent(service, "bob@source.example", to), /^250 /);
    assert.match(senderOfLast(), /^SRS0=.*=source\.example=bob@srs\.club\.example$/);
  }
  const atClub = senderOfLast();
  // The domain that the sender wrote to, not the one that this leads to.
  assert.match(await sent(service, "bob@source.example", "both@home.example"), /^250 /);
  assert.match(senderOfLast(), /@srs\.home\.example$/);

  for (const srs of [atHome, atClub]) {
    assert.match(await sent(service, "", srs), /^250 /, "a bounce to either comes home");
    assert.match(hop.commands.join("\n"), /RCPT TO:<bob@source\.example>$/m);
    assert.match(await sent(service, "", srs.replace("=bob@", "=bill@")), /^550 5\.7\.1 /);
    assert.match(await sent(service, "eve@source.example", srs), /^550 5\.7\.1 /, "and only a bounce");
  }
  assert.match(
    await sent(service, atClub, "alice@home.example"),
    /^250 /,
    "an SRS address of ours comes from outside, as from a forwarder behind us",
  );
  assert.equal(senderOfLast(), atClub, "and is not wrapped again");
  assert.match(await sent(service, "bill@srs.club.example", "alice@home.example"), /^550 5\.7\.1 /);

  assert.match(
    await sent(service, "bob@source.example", "nobody@home.example"),
    /^550 5\.1\.1 no such address here/,
  );
  for (const to of ["nobody@club.example", "nobody@old-club.example"])
    assert.match(
      await sent(service, "bob@source.example", to),
      /^550 5\.1\.1 the club has no member of this name/,
    );
  assert.match(
    await sent(service, "bob@source.example", "left@club.example"),
    /^551 5\.1\.6 she left the club/,
  );
  assert.match(
    await sent(service, "bob@source.example", "later@club.example"),
    /^450 4\.2\.1 not before Monday/,
  );
  assert.match(await sent(service, "bob@source.example", "whatever@shop.example"), /^250 /);
  assert.match(hop.commands.join("\n"), /RCPT TO:<dave@away\.example>$/m);
  const before = hop.messages.length;
  assert.match(await sent(service, "bob@source.example", "spam@club.example"), /^250 /);
  assert.equal(hop.messages.length, before, "taken, and thrown away");
  assert.match(await sent(service, "bob@source.example", "postmaster@srs.club.example"), /^250 /);
});
