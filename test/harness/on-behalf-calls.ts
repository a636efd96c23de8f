// What a site and its users do: ask over HTTP, follow mailed links, press buttons, wait for what comes. Called by
// on-behalf-site.ts and by the stories.
import assert from "node:assert/strict";
import { join } from "node:path";
import { greeted, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { type ReadMail, readMail } from "../../packages/on-behalf/src/testing/read-mail.ts";
import { remoteBounce } from "./bounce-peers.ts";
import { homing } from "./homing.ts";
import {
  type Answer,
  type AnswerBody,
  type OnBehalfSite,
  PUBLIC_URL,
  type Running,
  type SeenEvent,
} from "./on-behalf-site.ts";
import type { ScriptedHop, Taken } from "./scripted-hop.ts";
import { waitFor } from "./wait.ts";

const SECONDS = 20;
/** As many events as there may be in an answer. */
const PAGE = 1000;

export interface Base {
  readonly folder: string;
  readonly hop: ScriptedHop;
  readonly keyOf: (site: string) => string;
  readonly get: () => Running;
}

type Calls = Pick<OnBehalfSite, "api" | "page" | "bounce">;
type Waits = Pick<OnBehalfSite, "mailTo" | "eventsOf" | "waitForEvents" | "settled">;

export function callsOf({ keyOf, get }: Base): Calls {
  const http = (path: string): string => `http://127.0.0.1:${get().ports.http}${path}`;
  return {
    async api(method, path, { body, headers = {}, ...asking } = {}) {
      const site = "site" in asking ? asking.site : "cards";
      return await answerOf(
        await fetch(http(path), {
          method,
          headers: {
            ...(site === undefined ? {} : { Authorization: `Bearer ${keyOf(site)}` }),
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        }),
      );
    },
    async page(method, path, form) {
      const body = form === undefined ? {} : { body: new URLSearchParams(form) };
      return await answerOf(await fetch(http(path), { method, redirect: "manual", ...body }));
    },
    async bounce(to, bounce) {
      using client = await greeted({ port: get().ports.smtp });
      return await transact(client, { from: "", to, message: remoteBounce(bounce) });
    },
  };
}

export function waitsOf({ folder, hop, keyOf, get }: Base): Waits {
  const eventsOf: OnBehalfSite["eventsOf"] = async (site, type) => {
    const url = new URL(`http://127.0.0.1:${get().ports.http}/v1/events?limit=${PAGE}`);
    const all: SeenEvent[] = [];
    for (;;) {
      const answer = await answerOf(
        await fetch(url, { headers: { Authorization: `Bearer ${keyOf(site)}` } }),
      );
      assert.equal(answer.status, 200, answer.text);
      const { events = [], next } = answer.body;
      all.push(...events);
      if (events.length < PAGE || next === undefined) return all.filter((event) => event.type === type);
      url.searchParams.set("after", next);
    }
  };
  return {
    eventsOf,
    mailTo: (address, count = 1) =>
      waitFor(
        () => {
          const mails = hop.taken.filter(({ recipient }) => recipient === address);
          return mails.length >= count ? mails : undefined;
        },
        { seconds: SECONDS, otherwise: () => `not ${count} mails to ${address}:\n${get().process.stdout()}` },
      ),
    waitForEvents: (type, count, site = "cards") =>
      waitFor(
        async () => {
          const events = await eventsOf(site, type);
          return events.length >= count ? events : undefined;
        },
        { seconds: SECONDS, otherwise: () => `not ${count} events ${type}:\n${get().process.stdout()}` },
      ),
    async settled() {
      let shown = "";
      await waitFor(
        async () => {
          const { stdout } = await homing([
            "queue",
            "list",
            "--json",
            "--config",
            join(folder, "homing.yaml"),
          ]);
          shown = stdout.toString();
          return /^\{"ok":true,"messages":0,/m.test(shown) ? true : undefined;
        },
        { seconds: SECONDS, otherwise: () => `the queue is not empty:\n${shown}` },
      );
    },
  };
}

export function peopleOf(calls: Calls & Waits): Pick<OnBehalfSite, "asked" | "confirmed"> {
  const asked: OnBehalfSite["asked"] = async (address, site = "cards", more = {}) => {
    const answer = await calls.api("POST", "/v1/identities", { site, body: { address, ...more } });
    assert.equal(answer.status, 202, answer.text);
    const mail = (await calls.mailTo(address)).at(-1);
    return linkIn(mail ?? assert.fail(), "confirm");
  };
  return {
    asked,
    async confirmed(address, site = "cards", scope = "user") {
      const token = await asked(address, site, { scope });
      const pressed = await calls.page("POST", "/confirm", { t: token });
      assert.equal(pressed.status, 200, pressed.text);
      const found = await calls.api("GET", `/v1/identities/${encodeURIComponent(address)}`, { site });
      assert.equal(found.body.status, "confirmed", found.text);
      return found.body.id ?? assert.fail(found.text);
    },
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /^application\/(?:problem\+)?json/.test(response.headers.get("content-type") ?? "");
  const body = isJson ? (JSON.parse(text) as AnswerBody) : {};
  return { status: response.status, headers: response.headers, text, body };
}

/** Name of the problem that an answer is. */
export function problemOf({ body }: Answer): string | undefined {
  return body.type?.slice(`${PUBLIC_URL}/problems/`.length);
}

export function read({ message }: Pick<Taken, "message">): ReadMail {
  return readMail(Buffer.from(message, "latin1"));
}

/** Token of the link to a page. */
export function linkIn(mail: Pick<Taken, "message">, page: "confirm" | "mine"): string {
  const text = read(mail).parts.get("text/plain") ?? "";
  const found = new RegExp(`^${PUBLIC_URL}/${page}\\?t=([\\w-]+)\\r$`, "m").exec(text);
  return found?.[1] ?? assert.fail(`no link to ${page} in ${text}`);
}
