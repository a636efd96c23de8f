// A small site whose users send an article to friends: the server. Started by: node deploy/on-behalf-demo/site.ts
// Nothing but Node is needed, and Homing behind it; README.md says how.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
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

const options = readOptions();
const siteKey = await readSiteKey(options["key-file"]);
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
const port = await listen(options.port);
const url = `http://${HOST}:${port}`;
/** Names of this machine, which a browser may have been given. A site of yours has one, with https. */
const OWN_HOSTS = [`${HOST}:${port}`, `localhost:${port}`];
const routes: Readonly<Record<string, Route>> = createRoutes({
  homing: createHoming(options.homing, siteKey),
  ...{ users, sessions },
});
console.log(`The site is at ${url}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "8080" },
        homing: { type: "string", default: "http://127.0.0.1:8025" },
        "key-file": { type: "string", default: fileURLToPath(new URL("secrets", HERE)) },
      },
    }).values;
  } catch (error) {
    return fail(messageOf(error));
  }
}

/** As Homing reads it: lines with # are comments, and the first key is the newest. */
async function readSiteKey(file: string): Promise<string> {
  const make = `make one as README.md says, or name it with --key-file`;
  const text = await readFile(file, "utf8").catch((error: unknown) =>
    fail(`the site key cannot be read: ${messageOf(error)}: ${make}`),
  );
  const lines = text.split("\n").map((line) => line.trim());
  const key = lines.find((line) => line !== "" && !line.startsWith("#"));
  return key ?? fail(`${file} holds no site key: ${make}`);
}

/** @returns the port */
async function listen(wanted: string): Promise<number> {
  if (!/^\d{1,5}$/.test(wanted) || Number(wanted) > 65_535)
    return fail(`--port ${wanted}: write a number from 0 to 65535`);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(Number(wanted), HOST, resolve);
  }).catch((error: unknown) =>
    fail(`cannot listen on ${HOST}:${wanted}: ${messageOf(error)}: choose another port with --port`),
  );
  return (server.address() as AddressInfo).port;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One line for a person. */
function fail(message: string): never {
  console.error(`site: ${message}`);
  process.exit(1);
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
  const own = ownUrl(request);
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
      `The form was too old, or of another site. Open ${own} and try again from there.`,
    );
  reply(response, await route({ session, cookies: request.headers.cookie, query, form, url: own }));
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

/** As the browser knows the site, so that he who comes back from elsewhere has his cookie. */
function ownUrl({ headers: { host = "" } }: IncomingMessage): string {
  return OWN_HOSTS.includes(host) ? `http://${host}` : url;
}

/** The browser says which site a form is of; and one of a user who is signed in carries his token. */
function isOurs(request: IncomingMessage, form: URLSearchParams, session: Session | undefined): boolean {
  if (request.headers.origin !== ownUrl(request)) return false;
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
