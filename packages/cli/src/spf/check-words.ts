// The answer to `homing spf check` for a person: the result in a sentence, why, and what was looked at.
import { SPF_LIMITS, type SpfAnswer, type SpfResult, type SpfStep } from "@homing/spf";
import { paint, type Style } from "../output.ts";
import { safe } from "../terminal-text.ts";

const LABEL_WIDTH = 11;
/** Of one term or record. */
const MAX_SHOWN = 200;

/** @param client as it was given */
export function checkLines(answer: SpfAnswer, client: string): string[] {
  const { result, explanation, path } = answer;
  const lines = [`${paint(STYLES[result], result.padEnd(LABEL_WIDTH))}${sentence(answer, client)}`];
  lines.push(fact("why", why(answer)));
  if (explanation !== undefined)
    lines.push(fact("explained", `${safe(answer.domain)} says: ${shown(explanation)}`));
  if (path.length > 1) lines.push(fact("path", path.map(stepWords).join(", then ")));
  if (answer.passesEverybody)
    lines.push(fact("warning", "this record lets everybody pass: the result says nothing"));
  return [...lines, fact("look-ups", lookupWords(answer))];
}

export function traceLines({ trace }: SpfAnswer): string[] {
  return trace.map(({ depth, domain, term, outcome }) => {
    const text = `${shown(domain)}  ${shown(term)}  ${shown(outcome)}`;
    return fact("", `${"  ".repeat(depth)}${text}`);
  });
}

const STYLES: Readonly<Record<SpfResult, Style>> = {
  pass: "green",
  fail: "red",
  softfail: "yellow",
  neutral: "yellow",
  none: "yellow",
  temperror: "red",
  permerror: "red",
};

function sentence(answer: SpfAnswer, client: string): string {
  const domain = safe(answer.domain) || "the sender's domain";
  const act = actWords(answer);
  switch (answer.result) {
    case "pass":
      return `${client} may ${act}`;
    case "fail":
      return `${client} must not ${act}`;
    case "softfail":
      return `${client} should not ${act}, but ${domain} is not yet sure of that`;
    case "neutral":
      return `${domain} does not say whether ${client} may ${act}`;
    case "none":
      return `nobody says whether ${client} may ${act}`;
    case "temperror":
      return `it cannot be told now whether ${client} may ${act}: ask again later`;
    case "permerror":
      return `it cannot be told whether ${client} may ${act}: the owner of ${domain} must mend its records`;
  }
}

function actWords({ identity, sender, domain }: SpfAnswer): string {
  return identity === "helo" ? `call itself ${safe(domain)}` : `send mail as ${safe(sender)}`;
}

function why({ problem, path, domain }: SpfAnswer): string {
  if (problem !== undefined) return shown(problem);
  const last = path.at(-1);
  if (last === undefined) return "there is nothing to go by";
  if (last.mechanism === "default")
    return `no term of ${safe(last.domain || domain)} matches, and there is no all`;
  return `${stepWords(last)} matches`;
}

function stepWords({ domain, mechanism }: SpfStep): string {
  return `${shown(mechanism)} of ${safe(domain)}`;
}

function lookupWords({ lookups, voidLookups }: SpfAnswer): string {
  const { lookups: limit, voidLookups: voidLimit } = SPF_LIMITS;
  return `${lookups} (limit ${limit}); that found nothing: ${voidLookups} (limit ${voidLimit})`;
}

function shown(text: string): string {
  return safe(text, MAX_SHOWN);
}

function fact(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${text}`;
}
