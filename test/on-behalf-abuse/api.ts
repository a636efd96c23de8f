// Attacks on the API itself, and on where it sends users back to. Rows of test/on-behalf-abuse.test.ts.
import { type AbuseScene, ALICE, VICTIM } from "../harness/abuse-scene.ts";
import { type Attack, NOT_CONFIRMED, row } from "./attack.ts";

const BODY = { profile: "on-behalf", onBehalfOf: ALICE, to: VICTIM, subject: "Hi", text: "Hello." };
const request = (name: string, sees: string, body: unknown, headers = {}): Attack =>
  row(name, sees, (scene) => scene.api("POST", "/v1/messages", { body, headers }));
const withAuthorization = (name: string, value: (scene: AbuseScene) => string): Attack =>
  row(name, "401 unauthorized", (scene) =>
    scene.api("POST", "/v1/messages", { body: BODY, headers: { Authorization: value(scene) } }),
  );

export const API: readonly Attack[] = [
  row("no site key", "401 unauthorized", (scene) =>
    scene.api("POST", "/v1/messages", { site: undefined, body: BODY }),
  ),
  withAuthorization("a key that no site has", () => "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
  withAuthorization("the key by the scheme Basic", (scene) => `Basic ${scene.site.keyOf("cards")}`),
  withAuthorization(
    "the key in small letters",
    (scene) => `Bearer ${scene.site.keyOf("cards").toLowerCase()}`,
  ),
  withAuthorization(
    "the beginning of the key",
    (scene) => `Bearer ${scene.site.keyOf("cards").slice(0, -1)}`,
  ),
  row("the key in the URL", "401 unauthorized key", (scene) =>
    scene.api("POST", `/v1/messages?key=${encodeURIComponent(scene.site.keyOf("cards"))}`, {
      site: undefined,
      body: BODY,
    }),
  ),
  row("a key that is good, for the user of another site", NOT_CONFIRMED, (scene) => scene.send({}, "forum")),
  request("a body of 600 KiB", "413 too-large", { ...BODY, text: "a".repeat(600 * 1024) }),
  request("JSON that is 100,000 deep", "400 malformed-request", "[".repeat(100_000)),
  request("no JSON", "400 malformed-request", "profile=on-behalf"),
  request(
    "a member that stands twice",
    "400 malformed-request to",
    `{"to":"a@b.example",${JSON.stringify(BODY).slice(1)}`,
  ),
  request("a member that there is not", "422 invalid-field bcc", { ...BODY, bcc: "other@victims.example" }),
  request(
    "a member of JavaScript's",
    "422 invalid-field __proto__",
    JSON.stringify(BODY).replace("{", '{"__proto__":{"admin":true},'),
  ),
  request("an object in place of an address", "422 invalid-field to", {
    ...BODY,
    to: { path: "/etc/passwd" },
  }),
  request("a file in place of a text", "422 invalid-field text", { ...BODY, text: { path: "/etc/passwd" } }),
  request("a list in place of a request", "422 invalid-field", [BODY]),
  request("a form in place of JSON", "415 unsupported-media-type Content-Type", "to=a", {
    "Content-Type": "application/x-www-form-urlencoded",
  }),
  request(
    "JSON of a form of another site (text/plain)",
    "415 unsupported-media-type Content-Type",
    JSON.stringify(BODY),
    { "Content-Type": "text/plain" },
  ),
  request("a compressed body", "415 unsupported-media-type Content-Encoding", BODY, {
    "Content-Encoding": "gzip",
  }),
  row("GET in place of POST", "405 method-not-allowed", (scene) => scene.api("GET", "/v1/messages")),
  row("DELETE of all messages", "405 method-not-allowed", (scene) => scene.api("DELETE", "/v1/messages")),
  row("the events of nobody", "401 unauthorized", (scene) =>
    scene.api("GET", "/v1/events", { site: undefined }),
  ),
];

const RETURN_URLS: readonly string[] = [
  "https://site.example.evil.example/cards/",
  "https://site.example@evil.example/cards/",
  "https://user@site.example/cards/",
  "https://site.example/cards/../admin",
  "https://site.example/cards/%2e%2e/admin",
  "https://site.example/cards-of-others/",
  "https://site.example\\@evil.example/cards/",
  "http://site.example/cards/",
  "https://site.example:8443/cards/",
  "//evil.example/cards/",
  "javascript:alert(1)//https://site.example/cards/",
  "https://site.example/cards/\r\nSet-Cookie: a=b",
];
export const RETURNS: readonly Attack[] = RETURN_URLS.map((returnUrl) =>
  row(`sent back to ${JSON.stringify(returnUrl)}`, "422 return-url-not-allowed returnUrl", (scene) =>
    scene.api("POST", "/v1/identities", { body: { address: VICTIM, returnUrl } }),
  ),
);
