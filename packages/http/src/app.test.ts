import assert from "node:assert/strict";
import { test } from "node:test";
import { createWhyLinks, type WhyFacts } from "@homing/forwarder";
import fc from "fast-check";
import { createApp } from "./app.ts";

const NOW = 1_700_000_000;
const hostname = "mx.forwarder.example";
const publicUrl = `https://${hostname}`;
let now = NOW;
const whyLinks = createWhyLinks({ publicUrl, secrets: ["a secret of this test"], now: () => now });
const bugs: unknown[] = [];
const app = createApp({ hostname, whyLinks, failed: (error) => bugs.push(error) });

const FACTS: WhyFacts = {
  fault: "spf-fail",
  action: "refuse",
  at: NOW,
  client: "192.0.2.1",
  helo: "mail.host.example",
  sender: "bob@origin.example",
  domain: "origin.example",
  mechanism: "-all",
};

async function get(path: string, init?: RequestInit): Promise<{ response: Response; text: string }> {
  const response = await app.request(path, init);
  return { response, text: await response.text() };
}

/** As a reader sees it. */
function seen(text: string): string {
  const body = text.slice(text.indexOf("<main>"), text.indexOf("</main>"));
  return body
    .replace(/<[^>]*>/g, " ")
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, " ");
}

async function pageOf(facts: Partial<WhyFacts>): Promise<string> {
  const { response, text } = await get(whyLinks.mint({ ...FACTS, ...facts }));
  assert.equal(response.status, 200);
  return seen(text);
}

test("a link of ours says who sent, from where, which term said no, when, and what everybody can do", async () => {
  const page = await pageOf({});
  for (const words of [
    "Why this mail was refused",
    "Sender that was given bob@origin.example",
    "It came from 192.0.2.1 , a server that calls itself mail.host.example",
    "Domain that was asked origin.example",
    "Term of the SPF record that decided -all",
    "Time 2023-11-14 22:13:20 UTC",
    `Refused by ${hostname}`,
    "By the record of origin.example, 192.0.2.1 is none of them, so the mail looks forged.",
    "If you wrote the mail",
    "If you did not write it",
    "put ip4:192.0.2.1, or the include",
    `ask postmaster@${hostname} to enter 192.0.2.1 among the trusted forwarders`,
  ])
    assert.ok(page.includes(words), `${words}\nin\n${page}`);
});

const told: [facts: Partial<WhyFacts>, ...words: string[]][] = [
  [{ fault: "spf-softfail" }, "is probably none of them, so the mail may be forged"],
  [{ fault: "spf-neutral" }, "does not say whether 192.0.2.1 is one of them"],
  [{ fault: "spf-none", client: "2001:db8::1" }, "v=spf1 ip6:2001:db8::1 -all"],
  [{ fault: "spf-permerror" }, "has a mistake"],
  [{ fault: "spf-temperror", action: "defer" }, "Why this mail has to wait", "tries again by itself"],
  [{ fault: "no-answer", action: "defer" }, "keys of its signatures, its DMARC record", "Put off by"],
  [{ fault: "dmarc-reject" }, "DMARC record", "have it sign with DKIM, with d=origin.example"],
  [{ fault: "dmarc-unclear" }, "more than one", "RFC 5322"],
  [{ fault: "dmarc-quarantine" }, "Domain of the author (From) origin.example"],
  [{ fault: "header-too-long" }, "The header of the mail", "in a loop"],
  [{ fault: "own-domain" }, "is at home on this server"],
  [{ sender: "" }, "Sender that was given none: a bounce or an automatic reply"],
  [{ sender: `${"x".repeat(300)}@origin.example` }, "Sender that was given an address at origin.example"],
  [{ domain: "", helo: "", mechanism: "" }, "It came from 192.0.2.1 Result spf-fail"],
  [{ domain: "call 0123 and pay" }, "By the record of origin.example, 192.0.2.1"],
  [{ domain: "x".repeat(300), sender: "" }, "By the record of the sender's domain, 192.0.2.1"],
];
for (const [facts, ...words] of told) {
  test(`the page of ${JSON.stringify(facts).slice(0, 80)} says: ${words.join("; ")}`, async () => {
    const page = (await pageOf(facts)).replaceAll("&#39;", "'");
    for (const one of words) assert.ok(page.includes(one), page);
    assert.doesNotMatch(page, /undefined|null|\[object/);
  });
}

test("the page begins with what a lay reader understands, and ends with what administrators ask for", async () => {
  const page = await pageOf({});
  const order = [
    "Sender that was given",
    "What it means",
    "If you wrote the mail",
    "If you expected the mail",
    "For administrators",
    "Result spf-fail",
  ];
  const places = order.map((words) => page.indexOf(words));
  assert.deepEqual(
    places.toSorted((a, b) => a - b),
    places,
  );
  assert.ok(!places.includes(-1), page);
});

test("a property of every fault: a sender whom the page may be wrong about is not told that he forged", async () => {
  for (const fault of ["spf-fail", "spf-softfail", "dmarc-reject", "own-domain"] as const)
    assert.doesNotMatch(await pageOf({ fault }), /\bis (?:probably )?forged[.,]/);
});

test("what a stranger wrote is text: no tag, no entity, no quote of his gets into the page", async () => {
  const tags = (text: string): string[] => text.match(/<[^>]*>/g) ?? [];
  const plain = tags((await get(whyLinks.mint(FACTS))).text);
  const hostile = `<script>alert(1)</script>"'><img src=x onerror=y>&lt;b&gt;`;
  for (const key of ["helo", "sender", "domain", "mechanism"] as const) {
    const { text } = await get(
      whyLinks.mint({ fault: "spf-fail", action: "refuse", at: NOW, client: "::1", ...{ [key]: hostile } }),
    );
    assert.ok(text.includes("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img"), key);
    assert.ok(text.includes("&amp;lt;b&amp;gt;"), key);
    for (const tag of tags(text)) assert.ok(plain.includes(tag), tag);
  }
});

test("a property of every page: whatever the facts, its tags are ours", async () => {
  const texts = fc.string({ unit: fc.constantFrom(..."<>&\"'`=/ \r\n\0ab@:;%\u202e"), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(texts, texts, texts, async (helo, sender, mechanism) => {
      const { text } = await get(whyLinks.mint({ ...FACTS, helo, sender, mechanism }));
      for (const [tag] of text.matchAll(/<[^>]*>/g))
        assert.match(
          tag,
          /^<(?:!doctype html|html lang="en"|meta [a-z-]+="[^"<>]*"(?: content="[^"<>]*")?|\/?[a-z1-2]+)>$/,
        );
      assert.doesNotMatch(text, /[\0\r]/);
    }),
  );
});

const refused: [what: string, path: string, status: number, words: RegExp][] = [
  ["no parameters", "/why", 404, /not complete/],
  ["parameters without a tag", "/why?s=eve%3Cscript%3E@evil.example&f=spf-fail", 404, /not complete/],
  ["an altered sender", whyLinks.mint(FACTS).replace("bob", "eve"), 404, /not complete/],
  ["a parameter twice", whyLinks.mint(FACTS).replace("&k=", "&s=eve@evil.example&k="), 404, /not complete/],
  ["a line break", `${whyLinks.mint(FACTS).slice(0, 80)}%0D%0ASet-Cookie:%20eve=1`, 404, /not complete/],
  ["broken escapes", "/why?s=%E0%A4%A&%&%zz&eve=%00", 404, /not complete/],
  ["a link that goes on", `${whyLinks.mint(FACTS)}&eve=1`, 404, /not complete/],
  ["a huge query", `/why?s=${"eve".repeat(1000)}`, 414, /not complete/],
  ["another path", "/eve", 404, /no such page/],
  ["a path above", "/why/../../eve", 404, /no such page/],
  ["another method", "/why", 405, /only be read/],
];
for (const [what, path, status, words] of refused) {
  test(`${what} is ${status} in plain words, with nothing of the request in it`, async () => {
    const { response, text } = await get(path, status === 405 ? { method: "POST", body: "eve" } : {});
    assert.equal(response.status, status);
    assert.match(seen(text), words);
    assert.doesNotMatch(text, /eve(?!r)|origin\.example/);
  });
}

test("an old link is gone, and says nothing of what it held", async () => {
  const link = whyLinks.mint(FACTS);
  now = NOW + 31 * 86_400;
  const { response, text } = await get(link);
  now = NOW;
  assert.equal(response.status, 410);
  assert.match(seen(text), /too old/);
  assert.doesNotMatch(text, /origin\.example|192\.0\.2\.1/);
});

for (const path of ["/", "/why", "/nowhere", whyLinks.mint(FACTS)]) {
  test(`${path.slice(0, 40)} loads nothing, runs nothing, and is kept by nobody`, async () => {
    const { response, text } = await get(path);
    const { headers } = response;
    const style = /<style>(.*)<\/style>/s.exec(text)?.[1] ?? "";
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(style))).toString("base64");
    const policy = headers.get("content-security-policy") ?? "";
    assert.ok(
      policy.startsWith(`default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none';`),
      policy,
    );
    assert.equal(headers.get("content-type"), "text/html; charset=UTF-8");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("cache-control"), "no-store");
    assert.match(headers.get("x-robots-tag") ?? "", /noindex/);
    assert.equal(headers.get("set-cookie"), null);
    assert.doesNotMatch(text, /<script|<link|<img|<form|\bsrc=|\bhref=|url\(|@import|\son[a-z]+=|style=/);
    assert.match(text, /^<!doctype html>\n<html lang="en">/);
    assert.equal(text.match(/<h1>/g)?.length, 1);
  });
}

test("HEAD is answered as GET, without a body; a refused method names those that there are", async () => {
  const { response, text } = await get(whyLinks.mint(FACTS), { method: "HEAD" });
  assert.deepEqual([response.status, text], [200, ""]);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PURGE"]) {
    const { response } = await get("/why", { method });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"], method);
  }
});

test("a bug is 500 in plain words, and goes to the log", async () => {
  const broken = createApp({
    hostname,
    whyLinks: {
      read: () => {
        throw new Error("a bug");
      },
    },
    failed: (error) => bugs.push(error),
  });
  const response = await broken.request("/why?eve");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /a bug|eve(?!r)/);
  assert.deepEqual(bugs.map(String), ["Error: a bug"]);
});
