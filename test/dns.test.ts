// The DNS client of the service before a real server: Knot from Debian, with odd records, broken zones and large answers.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { checkSpf, type DnsAnswer } from "@homing/spf";
import { openDns } from "../packages/forwarder/src/testing/test-dns.ts";
import { storiesNeed } from "./harness/availability.ts";
import { runOrThrow } from "./harness/command.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { homing, writeServiceFiles } from "./harness/homing.ts";
import { type Knot, startKnot } from "./harness/knot.ts";

const skip = await storiesNeed("knot");

/** Strings of 250 characters, as many as make so many octets. */
function longText(octets: number): string {
  return Array.from({ length: octets / 250 }, (_, at) => `"${String(at).padStart(250, ".")}"`).join(" ");
}

const MANY = Array.from({ length: 60 }, (_, at) => `text ${at} `.padEnd(200, "x"));
const LABEL = "x".repeat(63);
/** With `.a.test` 253 characters. */
const LONGEST = [LABEL, LABEL, LABEL, "x".repeat(54)].join(".");

const ZONES = {
  "a.test": `
@ TXT "v=spf1 ip4:192.0.2.1 -all"
plain A 192.0.2.1
  A 192.0.2.2
  AAAA 2001:db8::1
  MX 10 mx1
  MX 0 mx2.elsewhere.test.
null MX 0 .
empty TXT ""
empties TXT "" "" "a" ""
octets TXT "\\000\\127\\128\\255\\"\\\\"
many TXT ${MANY.map((text) => `"${text}"`).join("\nmany TXT ")}
ten TXT ( ${longText(10_000)} )
sixty TXT ( ${longText(60_000)} )
user\\+tag\\=x TXT "odd"
odd\\+many TXT ( ${longText(10_000)} )
odd\\+cname CNAME plain
back\\\\slash TXT "odd, too"
alias CNAME alias2
alias2 CNAME alias3
alias3 CNAME plain
nowhere CNAME no.such
outside CNAME www.elsewhere.test.
loop CNAME loop2
loop2 CNAME loop
tree DNAME plain-tree
b.plain-tree A 192.0.2.3
*.wild TXT "wild"
known.wild A 192.0.2.4
sub.known.deep A 192.0.2.5
_under_score TXT "under"
*.star A 192.0.2.6
many-a A 192.0.2.1
${Array.from({ length: 200 }, (_, at) => `many-a A 198.51.100.${at}`).join("\n")}
${LONGEST} TXT "longest"
short A 192.0.2.7
`,
  "broken.test": '$INCLUDE /etc/knot/there-is-none.zone\n@ TXT "never"\n',
  "2.0.192.in-addr.arpa": "1 PTR one.a.test.\n1 PTR two.a.test.\n1 PTR x\\032y.a.test.\n",
  "spf.test": `
pass TXT "v=spf1 ip4:192.0.2.0/24 -all"
fail TXT "v=spf1 -all"
include TXT "v=spf1 include:pass.spf.test -all"
to-broken TXT "v=spf1 include:broken.test -all"
to-nobody TXT "v=spf1 include:nobody.spf.test -all"
two TXT "v=spf1 -all"
two TXT "v=spf1 +all"
long TXT ( "v=spf1 ip4:198.51.100." "1 ${"ip4:203.0.113.77 ".repeat(14)}" ${`"${"ip4:203.0.113.78 ".repeat(14)}" `.repeat(40)} "ip4:192.0.2.1 -all" )
by-mx TXT "v=spf1 mx -all"
by-mx MX 5 plain.a.test.
by-mx MX 6 gone.a.test.
by-ptr TXT "v=spf1 ptr:a.test -all"
by-local TXT "v=spf1 exists:%{l}._spf.%{d} -all"
srs0\\=abcd\\=2b\\=x.example\\=joe\\+tag._spf.by-local A 127.0.0.2
silent TXT "v=spf1 a:www.refused.test -all"
empty TXT ""
prose TXT "v=spf1 -all" " and prose"
`,
};

let knot: Knot;
before(async () => {
  if (!skip) knot = await startKnot(ZONES);
});
after(() => knot?.stop());

const texts = (...records: string[]): DnsAnswer<string> => ({ kind: "records", records });
const failure = (cause: string): DnsAnswer<never> => ({ kind: "failed", cause: `DNS: ${cause}` });
const NOTHING = texts();
const NO_NAME: DnsAnswer<never> = { kind: "no-such-name" };
const joined = (octets: number): string => longText(octets).replaceAll('" "', "").slice(1, -1);

type Type = "txt" | "a" | "aaaa" | "mx" | "ptr";
const answers: [what: string, type: Type, name: string, answer: DnsAnswer<unknown>][] = [
  ["a text", "txt", "a.test", texts("v=spf1 ip4:192.0.2.1 -all")],
  ["addresses", "a", "plain.a.test", texts("192.0.2.1", "192.0.2.2")],
  ["addresses of a name in capitals", "aaaa", "PLAIN.A.Test", texts("2001:db8::1")],
  [
    "MX hosts",
    "mx",
    "plain.a.test",
    {
      kind: "records",
      records: [
        { exchange: "mx1.a.test", priority: 10 },
        { exchange: "mx2.elsewhere.test", priority: 0 },
      ],
    },
  ],
  ["a null MX", "mx", "null.a.test", { kind: "records", records: [{ exchange: "", priority: 0 }] }],
  [
    "names, one with a blank",
    "ptr",
    "1.2.0.192.in-addr.arpa",
    texts("one.a.test", "two.a.test", "x y.a.test"),
  ],
  ["no name", "ptr", "9.2.0.192.in-addr.arpa", NO_NAME],
  ["a text of nothing", "txt", "empty.a.test", texts("")],
  ["a text of empty strings", "txt", "empties.a.test", texts("a")],
  ["octets one to one", "txt", "octets.a.test", texts('\0\x7f\x80\xff"\\')],
  ["sixty texts, over TCP", "txt", "many.a.test", texts(...MANY)],
  ["a text of 10 KB, over TCP", "txt", "ten.a.test", texts(joined(10_000))],
  ["a text of 60 KB", "txt", "sixty.a.test", texts(joined(60_000))],
  ["a name with plus and equals", "txt", "user+tag=x.a.test", texts("odd")],
  ["10 KB of such a name, over TCP", "txt", "odd+many.a.test", texts(joined(10_000))],
  ["addresses behind a CNAME of such a name", "a", "odd+cname.a.test", texts("192.0.2.1", "192.0.2.2")],
  ["a backslash in a name", "txt", "back\\slash.a.test", texts("odd, too")],
  ["such a name that is not there", "a", "no+such.a.test", NO_NAME],
  ["such a name of a broken zone", "a", "x+y.broken.test", failure("ESERVFAIL for the A of x+y.broken.test")],
  ["what a chain of CNAMEs leads to", "a", "alias.a.test", texts("192.0.2.1", "192.0.2.2")],
  ["a CNAME that leads nowhere", "a", "nowhere.a.test", NO_NAME],
  ["a CNAME whose target the server does not know", "a", "outside.a.test", NOTHING],
  ["CNAMEs in a circle", "a", "loop.a.test", NOTHING],
  ["a text of CNAMEs in a circle", "txt", "loop.a.test", NOTHING],
  ["what a DNAME leads to", "a", "b.tree.a.test", texts("192.0.2.3")],
  ["a wildcard", "txt", "any.wild.a.test", texts("wild")],
  ["a wildcard of two labels", "txt", "a.b.wild.a.test", texts("wild")],
  ["nothing of a wildcard where the name is known", "txt", "known.wild.a.test", NOTHING],
  ["a name that only has names below", "a", "known.deep.a.test", NOTHING],
  ["another type of a name", "txt", "plain.a.test", NOTHING],
  ["no such name", "txt", "no.a.test", NO_NAME],
  ["a name with underscores", "txt", "_under_score.a.test", texts("under")],
  ["the longest name", "txt", `${LONGEST}.a.test`, texts("longest")],
  ["a name that is longer", "txt", `x${LONGEST}.a.test`, NO_NAME],
  ["a label that is too long", "txt", `${LABEL}x.a.test`, NO_NAME],
  [
    "a name of one label, which no search list makes longer",
    "a",
    "short",
    failure("EREFUSED for the A of short"),
  ],
  ["a zone with a broken include", "txt", "broken.test", failure("ESERVFAIL for the TXT of broken.test")],
  ["a zone that is not served", "txt", "x.refused.test", failure("EREFUSED for the TXT of x.refused.test")],
];
for (const [what, type, name, answer] of answers) {
  test(`Knot gives ${what}`, { skip }, async (t) => {
    const found = await openDns(t, { servers: [knot.place] })[type](name);
    assert.deepEqual(sorted(found), sorted(answer));
  });
}

/** Records of a type have no order. */
function sorted(answer: DnsAnswer<unknown>): unknown {
  return answer.kind === "records" ? [...answer.records].map((one) => JSON.stringify(one)).sort() : answer;
}

test("two hundred addresses come whole", { skip }, async (t) => {
  const found = await openDns(t, { servers: [knot.place] }).a("many-a.a.test");
  assert.equal(found.kind === "records" && found.records.length, 201);
});

test("beside a silent server, Knot answers after two seconds, and the next look-up waits no more", {
  skip,
}, async (t) => {
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const place = { host: "127.0.0.1", port: silent.address().port };
  const started = performance.now();
  const since = (): number => Math.round((performance.now() - started) / 1000);
  const dns = openDns(t, { servers: [place, knot.place] });
  assert.deepEqual(await dns.txt("empty.a.test"), texts(""));
  assert.equal(since(), 2);
  assert.deepEqual(await dns.txt("a.test"), texts("v=spf1 ip4:192.0.2.1 -all"));
  assert.equal(since(), 2);
  const alone = openDns(t, { servers: [place] });
  const names = ["empty.a.test", "odd+tag.a.test"] as const;
  assert.deepEqual(await Promise.all(names.map((one) => alone.txt(one))), [
    failure("ETIMEOUT for the TXT of empty.a.test"),
    failure("ETIMEOUT for the TXT of odd+tag.a.test"),
  ]);
  assert.equal(since(), 14);
});

test("a server that has gone is a failure, and is asked again when that is forgotten", {
  skip,
}, async (t) => {
  const own = await startKnot({ "b.test": '@ TXT "here"\n' });
  t.after(() => own.stop());
  const dns = openDns(t, { servers: [own.place] });
  assert.deepEqual(await dns.txt("b.test"), texts("here"));
  await own.stop();
  assert.deepEqual(await dns.txt("c.b.test"), failure("ECONNREFUSED for the TXT of c.b.test"));
  assert.deepEqual(dns.txt("b.test"), texts("here"), "what is known stays");
});

/** Without a setting the system's servers are asked, without its search list: in a mount namespace with another one. */
test("with the search list of resolv.conf, names are asked for as they are", { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const conf = join(folder, "resolv.conf");
  await writeFile(conf, `nameserver 127.0.0.1:${knot.place.port}\nsearch a.test\noptions ndots:5\n`);
  const module = pathToFileURL(join(import.meta.dirname, "../packages/cli/src/system-dns.ts")).href;
  const script = `
    const dns = (await import(${JSON.stringify(module)})).systemDns();
    const names = ["short", "plain.a.test", "plain.a", "odd+cname.a.test"];
    console.log(JSON.stringify(await Promise.all(names.map((name) => dns.a(name)))));
    dns.close();`;
  const mounted = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', conf];
  const told = await runOrThrow([...mounted, process.execPath, "--input-type=module", "--eval", script]);
  assert.deepEqual(JSON.parse(told.toString()), [
    failure("EREFUSED for the A of short"),
    texts("192.0.2.1", "192.0.2.2"),
    failure("EREFUSED for the A of plain.a"),
    texts("192.0.2.1", "192.0.2.2"),
  ]);
});

const PASS = "192.0.2.1";
const checks: [what: string, sender: string, client: string, result: string][] = [
  ["a network", "joe@pass.spf.test", PASS, "pass"],
  ["nobody", "joe@fail.spf.test", PASS, "fail"],
  ["an include", "joe@include.spf.test", PASS, "pass"],
  ["an include that does not match", "joe@include.spf.test", "198.51.100.1", "fail"],
  ["an include of a zone that fails", "joe@to-broken.spf.test", PASS, "temperror"],
  ["a zone that fails", "joe@broken.test", PASS, "temperror"],
  ["an include of a name without a record", "joe@to-nobody.spf.test", PASS, "permerror"],
  ["two records", "joe@two.spf.test", PASS, "permerror"],
  ["a record of 10 KB over TCP", "joe@long.spf.test", PASS, "pass"],
  ["MX hosts, one without an address", "joe@by-mx.spf.test", PASS, "pass"],
  ["a PTR", "joe@by-ptr.spf.test", PASS, "fail"],
  ["a local part with plus and equals", "SRS0=abcd=2B=x.example=joe+tag@by-local.spf.test", PASS, "pass"],
  ["another local part", "SRS0=abcd=2B=x.example=ann+tag@by-local.spf.test", PASS, "fail"],
  ["a name that the server refuses", "joe@silent.spf.test", PASS, "temperror"],
  ["an empty text", "joe@empty.spf.test", PASS, "none"],
  ["prose behind -all", "joe@prose.spf.test", PASS, "permerror"],
  ["no such name", "joe@nobody.spf.test", PASS, "none"],
];
for (const [what, sender, client, result] of checks) {
  test(`SPF over Knot, of ${what}: ${result}`, { skip }, async (t) => {
    const resolver = openDns(t, { servers: [knot.place] });
    const answer = await checkSpf({ client, helo: "mx.a.test", sender }, { resolver, now: () => 0 });
    assert.equal(answer.result, result, answer.problem);
  });
}

test("config check asks the servers of --dns in turn", { skip }, async (t) => {
  const path = await writeServiceFiles({
    config:
      "hostname: mx.a.test\ndomains: [a.test]\naliasesFile: aliases\ndkim: unsigned\n" +
      "srs: { domain: no.a.test, secretsFile: secrets }\n",
    aliases: "",
    secret: "a-secret-that-is-long-enough-0",
  });
  t.after(() => rm(join(path, ".."), { recursive: true }));
  const dns = ["--dns", `127.0.0.1:${PORT_OF_NOBODY}`, "--dns", `127.0.0.1:${knot.place.port}`];
  const { stderr } = await homing(["config", "check", "--config", path, ...dns]);
  assert.match(stderr, /SRS domain no\.a\.test: DNS does not have it/);
});
