// Sites and users for attacks: some confirmed, some not, some at the end of their limits; and what an attacker sees of each
// answer, on one line. Called by test/on-behalf-abuse.test.ts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PROBLEMS, type Problem, type ProblemType } from "@homing/on-behalf";
import { createRewriter } from "@homing/srs-core";
import { srsAddress } from "./bounce-peers.ts";
import { linkIn, problemOf } from "./on-behalf-calls.ts";
import { type Answer, type Asking, BOUNCES, type OnBehalfSite, startOnBehalfSite } from "./on-behalf-site.ts";

/** Confirmed at cards; his domain's DMARC lets nobody else write it into From. */
export const ALICE = "alice@strict.example";
export const PENDING = "pending@users.example";
export const REVOKED = "revoked@users.example";
/** At cards; not logged in there. */
export const VISITOR = "visitor@users.example";
/** Confirmed at the forum, and nowhere else. */
export const FRED = "fred@users.example";
/** Said "never again", to all sites. */
export const NEVER = "never@users.example";
/** Cards suppressed him. */
export const SUPPRESSED = "suppressed@victims.example";
/** Where nothing may ever arrive. */
export const VICTIM = "someone@victims.example";
export const DAVE = { name: "dave", password: "another battery staple" };

const LIMITS = { userPerDay: 1, recipientPerDay: 1, visitorPerDay: 1 };
const limited = (name: string, limits: object) => ({
  title: `Site ${name}`,
  from: `${name}@site.example`,
  bounceDomain: `${name}.site.example`,
  limits,
});

interface Legit {
  readonly onBehalfOf: string;
  readonly to: string;
  readonly visitorIp?: string;
}

export interface AbuseScene extends AsyncDisposable {
  readonly site: OnBehalfSite;
  /** Ids at cards, and at the forum for Fred. */
  readonly ids: Readonly<Record<"alice" | "fred", string>>;
  /** Links that nobody has used. */
  readonly tokens: Readonly<Record<"pending" | "aliceMine", string>>;
  /** Of a message of the forum. */
  readonly forumMessage: string;
  send(more: object, site?: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  api(method: string, path: string, asking?: Asking): Promise<string>;
  page(method: string, path: string, form?: Readonly<Record<string, string>>): Promise<string>;
  /** Good, as the site's own secrets make it. */
  srsOf(user: string, recipient?: string, domain?: string): string;
  /** Mail that shall arrive there in the end, each as often as it stands here. */
  readonly expected: string[];
}

export async function startAbuseScene(): Promise<AbuseScene> {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(
    await startOnBehalfSite({
      zone: { "_dmarc.strict.example": [{ type: "TXT", strings: ["v=DMARC1; p=reject"] }] },
      sites: { tight: limited("tight", LIMITS), spent: limited("spent", { sitePerDay: 1 }) },
      users: [DAVE],
    }),
  );
  const page = await documentedTypes();
  const expected: string[] = [];
  const confirmed: OnBehalfSite["confirmed"] = async (address, ...rest) => {
    expected.push(address);
    return await site.confirmed(address, ...rest);
  };
  const legit = async (at: string, body: Legit): Promise<string> => {
    const message = { profile: "on-behalf", subject: "A card", text: "Hello.", ...body };
    const { status, text, body: sent } = await site.api("POST", "/v1/messages", { site: at, body: message });
    assert.equal(status, 202, text);
    expected.push(body.to);
    return sent.id ?? assert.fail(text);
  };
  const seenApi: AbuseScene["api"] = async (...call) => seen(await site.api(...call), page);

  const ids = { alice: await confirmed(ALICE), fred: await confirmed(FRED, "forum") };
  await confirmed(VISITOR, "cards", "visitor");
  const revoked = await confirmed(REVOKED);
  assert.equal((await site.api("DELETE", `/v1/identities/${revoked}`)).status, 200);
  expected.push(PENDING);
  const pending = await site.asked(PENDING);
  await legit("cards", { onBehalfOf: ALICE, to: NEVER });
  const never = {
    t: linkIn((await site.mailTo(NEVER))[0] ?? assert.fail(), "mine"),
    action: "never",
    site: "all",
  };
  assert.equal((await site.page("POST", "/mine", never)).status, 200);
  assert.equal((await site.api("POST", "/v1/suppressions", { body: { address: SUPPRESSED } })).status, 200);
  const forumMessage = await legit("forum", { onBehalfOf: FRED, to: "friend@others.example" });
  await spendLimits(confirmed, legit);
  const aliceMine = linkIn((await site.mailTo(ALICE))[0] ?? assert.fail(), "mine");
  const kept = stack.move();
  return {
    site,
    ids,
    tokens: { pending, aliceMine },
    forumMessage,
    expected,
    api: seenApi,
    send: (more, at = "cards", headers = {}) =>
      seenApi("POST", "/v1/messages", {
        site: at,
        headers,
        body: { profile: "on-behalf", onBehalfOf: ALICE, to: VICTIM, subject: "Hi", text: "Hello.", ...more },
      }),
    page: async (...call) => seenPage(await site.page(...call)),
    srsOf(user, recipient = VICTIM, domain = BOUNCES) {
      const secrets = readFileSync(join(site.folder, "cards.secrets"), "utf8").trim().split("\n");
      const rewriter = createRewriter({ secrets, domain, alwaysRewrite: true });
      return srsAddress(rewriter, recipient, user, Math.floor(Date.now() / 1000));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Users of `tight` are u1 to u4; the message of each is gone but that of u2 and u4. */
async function spendLimits(
  confirmed: OnBehalfSite["confirmed"],
  legit: (at: string, body: Legit) => Promise<string>,
): Promise<void> {
  await confirmed("u1@users.example", "tight");
  await confirmed("u2@users.example", "tight");
  await confirmed("u3@users.example", "tight", "visitor");
  await confirmed("u4@users.example", "tight", "visitor");
  await legit("tight", { onBehalfOf: "u1@users.example", to: "friend1@others.example" });
  const visitorIp = "2001:db8:1:2::1";
  await legit("tight", { onBehalfOf: "u3@users.example", to: "friend2@others.example", visitorIp });
  await confirmed("s1@users.example", "spent");
  await legit("spent", { onBehalfOf: "s1@users.example", to: "friend3@others.example" });
}

/** `422 invalid-field subject`, with `, Retry-After` where that is there. Whatever it is, it is documented. */
function seen(answer: Answer, documented: ReadonlySet<string>): string {
  const type = problemOf(answer);
  if (type === undefined) return `${answer.status} ${answer.text}`;
  const { status, title } = PROBLEMS[type as ProblemType];
  assert.ok(documented.has(`${status} ${type} ${title}`), `${type} is in docs/http-api.md`);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  const { body } = answer;
  assert.deepEqual(
    [answer.status, body.status, (body as { title?: string }).title, typeof body.detail],
    [status, status, title, "string"],
  );
  return line({
    status,
    type,
    field: body.field,
    retryAfter: answer.headers.get("retry-after") ?? undefined,
  });
}

export function seenProblem({ type, field, retryAfter }: Problem): string {
  return line({ status: PROBLEMS[type].status, type, field, retryAfter });
}

interface Line {
  readonly status: number;
  readonly type: string;
  readonly field: string | undefined;
  readonly retryAfter: string | number | undefined;
}

function line({ status, type, field, retryAfter }: Line): string {
  const waits = retryAfter !== undefined && Number(retryAfter) >= 1 && Number(retryAfter) <= 86_400;
  return `${status} ${type}${field === undefined ? "" : ` ${field}`}${waits ? ", Retry-After" : ""}`;
}

/** `410 This link was used before` */
function seenPage({ status, text }: Answer): string {
  return `${status} ${/<h1>([^<]*)<\/h1>/.exec(text)?.[1] ?? text}`;
}

async function documentedTypes(): Promise<ReadonlySet<string>> {
  const text = await readFile(resolve(import.meta.dirname, "../../docs/http-api.md"), "utf8");
  const rows = text.matchAll(/^\| (\d{3}) \| `([a-z-]+)` \| (.+) \|$/gm);
  return new Set([...rows].map(([, status, type, title]) => `${status} ${type} ${title}`));
}
