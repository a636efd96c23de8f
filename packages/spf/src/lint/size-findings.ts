// Does the record fit into a TXT record and into one DNS answer (RFC 7208 §3.3, §3.4)? Called by lint.ts.
import type { Finding } from "./finding.ts";

/** RFC 1035 §3.3.14: octets of one string. */
export const MAX_STRING = 255;
/** §3.4: name and TXT records together, so that an answer of 512 octets holds them. */
const MAX_ANSWER = 450;

/** @param texts all TXT records of the domain, the record among them */
export function sizeFindings(domain: string, record: string, texts: readonly string[]): readonly Finding[] {
  const findings: Finding[] = [];
  const answer = domain.length + texts.reduce((sum, text) => sum + text.length, 0);
  if (answer > MAX_ANSWER) {
    const whole = texts.length > 1 ? `the ${texts.length} TXT records of the domain have` : "the record has";
    const message = `with the name, ${whole} ${answer} octets: over ${MAX_ANSWER}, some receivers never see the answer`;
    const fix = "move networks into an include, and other TXT records to names of their own";
    findings.push({ severity: "warning", name: "long-answer", domain, message, fix });
  }
  if (record.length > MAX_STRING) {
    const message = `${record.length} characters: a TXT string holds ${MAX_STRING}, so the zone file needs several`;
    const fix = "write them behind one another, each in quotes: receivers join them without a space";
    findings.push({ severity: "hint", name: "long-string", domain, message, fix });
  }
  return findings;
}
