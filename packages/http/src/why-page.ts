// The page behind a why-link: which mail, what that means, what each of those concerned can do, and the facts for those who
// look after mail. Called by app.ts.
// Everything in the facts is of a stranger's making.
import type { WhyFacts } from "@homing/forwarder";
import { html } from "hono/html";
import type { Html, Page } from "./page.ts";
import { type Advice, adviceOf } from "./why-words.ts";

export function whyPage(facts: WhyFacts, hostname: string): Page {
  const { meaning, ...advice } = adviceOf(facts, hostname);
  const title = facts.action === "refuse" ? "Why this mail was refused" : "Why this mail has to wait";
  return {
    title,
    body: html`${list(whichMail(facts, hostname))}
<h2>What it means</h2>
${meaning.map((text) => html`<p>${text}</p>`)}
${sections(advice)}
<h2>For administrators</h2>
${list(details(facts))}` as Html,
  };
}

type Row = readonly [name: string, value: Html | string | undefined];

/** So that the reader knows his own. */
function whichMail(facts: WhyFacts, hostname: string): readonly Row[] {
  return [
    ["Sender that was given", senderText(facts.sender)],
    ["Time", `${new Date(facts.at * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`],
    [facts.action === "refuse" ? "Refused by" : "Put off by", quoted(hostname)],
  ];
}

function details(facts: WhyFacts): readonly Row[] {
  return [
    ["It came from", from(facts)],
    [domainName(facts), quotedIfAny(facts.domain)],
    ["Term of the SPF record that decided", quotedIfAny(facts.mechanism)],
    ["Result", facts.fault],
  ];
}

function list(rows: readonly Row[]): Html {
  return html`<dl>
${rows.filter(([, value]) => value !== undefined).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>` as Html;
}

function domainName({ fault }: WhyFacts): string {
  return fault.startsWith("spf-") ? "Domain that was asked" : "Domain of the author (From)";
}

function senderText(sender: string | undefined): Html | string | undefined {
  if (sender === undefined) return undefined;
  if (sender === "") return "none: a bounce or an automatic reply";
  return sender.startsWith("@") ? (html`an address at ${quoted(sender.slice(1))}` as Html) : quoted(sender);
}

function from({ client, helo }: WhyFacts): Html {
  const name = helo ? html`, a server that calls itself ${quoted(helo)}` : "";
  return html`${quoted(client)}${name}` as Html;
}

function quotedIfAny(text: string | undefined): Html | undefined {
  return text ? quoted(text) : undefined;
}

/** Text that runs from right to left stays inside. */
function quoted(text: string): Html {
  return html`<bdi><code>${text}</code></bdi>` as Html;
}

const HEADINGS: readonly (readonly [key: keyof Omit<Advice, "meaning">, heading: string])[] = [
  ["author", "If you wrote the mail"],
  ["stranger", "If you did not write it"],
  ["administrator", "If you look after the sender's domain"],
  ["recipient", "If you expected the mail"],
];

function sections(advice: Omit<Advice, "meaning">): readonly Html[] {
  return HEADINGS.filter(([key]) => advice[key].length > 0).map(
    ([key, heading]) =>
      html`<h2>${heading}</h2>
<ul>
${advice[key].map((text) => html`<li>${text}</li>\n`)}</ul>
` as Html,
  );
}
