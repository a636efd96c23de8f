// A small site whose users send an article to friends: the server. Started by: node deploy/on-behalf-demo/site.ts
// Nothing but Node is needed, and Homing behind it; README.md says how.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { createHoming } from "./homing-api.ts";
import { problemBody, renderPage } from "./pages.ts";
import { createRoutes, type Reply, type Route } from "./routes.ts";
import { createSessions, type Session } from "./sessions.ts";
import { readUsers } from "./users.ts";

const HOST = "127.0.0.1";
/** A form with a note of 1,000 characters is much smaller. */
const MAX_FORM_OCTETS = 16 * 1024;
const HERE = new URL("./", import.meta.url);

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    homing: { type: "string", default: "http://127.0.0.1:8025" },
    "key-file": { type: "string", default: new URL("secrets", HERE).pathname },
  },
});

const siteKey = (await readFile(options["key-file"], "utf8")).split("\n")[0]?.trim() ?? "";
const users = await readUsers(new URL("users.json", HERE));
const sessions = createSessions(false);
const files = {
  "/style.css": { type: "text/css; charset=utf-8", text: await readFile(new URL("public/style.css", HERE)) },
  "/swift.svg": { type: "image/svg+xml", text: await readFile(new URL("public/swift.svg", HERE)) },
  "/evening.svg": { type: "image/svg+xml", text: await readFile(new URL("public/evening.svg", HERE)) },
};

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    refuse(response, 500, "Something went wrong", "The fault is ours. Try again later.");
  });
});
await new Promise<void>((resolve, reject) => {
  server.once("error", reject).listen(Number(options.port), HOST, resolve);
});
const url = `http://${HOST}:${(server.address() as AddressInfo).port}`;
const routes: Readonly<Record<string, Route>> = createRoutes({
  homing: createHoming(options.homing, siteKey),
  ...{ users, sessions, url },
});
console.log(`The site is at ${url}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  const { pathname = "", searchParams: query = new URLSearchParams() } =
    URL.parse(request.url ?? "", url) ?? {};
  if (Object.hasOwn(files, pathname)) {
    const { type, text } = files[pathname as keyof typeof files];
    response.setHeader("Content-Type", type).end(text);
    return;
  }
  const method = request.method === "HEAD" ? "GET" : request.method;
  const name = `${method} ${pathname}`;
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (!route) return refuse(response, 404, "No such page", "There is nothing at this address.");

  const session = sessions.of(request.headers.cookie);
  const form = method === "POST" ? await readForm(request) : new URLSearchParams();
  if (form === undefined)
    return refuse(response, 413, "Too much", "The form was too large. Write a shorter note.");
  if (method === "POST" && !isOurs(request, form, session))
    return refuse(
      response,
      403,
      "Please try again",
      "The form was too old, or of another site. Load the page again.",
    );
  reply(response, await route({ session, cookies: request.headers.cookie, query, form }));
}

/** Nothing is loaded from elsewhere, run or framed; forms go to this site alone. */
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  // Not no-referrer: browsers then send `Origin: null` with our own forms.
  "Referrer-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** The browser says which site a form is of; and one of a user who is signed in carries his token. */
function isOurs({ headers }: IncomingMessage, form: URLSearchParams, session: Session | undefined): boolean {
  if (headers.origin !== url) return false;
  return session === undefined || isSame(form.get("csrf") ?? "", session.csrf);
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  // Every browser says the length of a form, and Node takes no more than was said.
  if (!(Number(request.headers["content-length"]) <= MAX_FORM_OCTETS)) return undefined;
  let text = "";
  for await (const part of request.setEncoding("latin1")) text += part;
  return new URLSearchParams(text);
}

function reply(response: ServerResponse, answer: Reply): void {
  if ("page" in answer) {
    sendPage(response, answer.status, answer.page);
  } else {
    if (answer.cookie !== undefined) response.setHeader("Set-Cookie", answer.cookie);
    response.writeHead(303, { Location: answer.seeOther }).end();
  }
}

function refuse(response: ServerResponse, status: number, title: string, text: string): void {
  const body = problemBody(title, text);
  sendPage(response, status, renderPage({ title, path: "", session: undefined, body }));
}

function sendPage(response: ServerResponse, status: number, page: string): void {
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8" }).end(page);
}
