// What a request in the names of Mail::SPF asks: of the spfd protocol, or of `homing spfquery`.
import { isIP } from "node:net";
import type { SpfQuestion } from "@homing/spf";
import { printable } from "@homing/srs-core";

/** versions, scope, identity, ip_address, helo_identity; others are not looked at. */
export type SpfRequest = ReadonlyMap<string, string | undefined>;

export type SpfAsked =
  | { readonly ok: true; readonly question: SpfQuestion }
  /** One line, printable. */
  | { readonly ok: false; readonly problem: string };

export function parseSpfRequest(request: SpfRequest): SpfAsked {
  const scope = request.get("scope") || "mfrom";
  const client = request.get("ip_address");
  const identity = request.get("identity");
  const helo = request.get("helo_identity") ?? "";
  const problem =
    scopeProblem(scope) ?? versionProblem(request.get("versions") ?? "") ?? clientProblem(client);
  if (problem !== undefined || client === undefined) return { ok: false, problem: problem ?? "" };
  if (identity === undefined) return { ok: false, problem: "no identity: nobody to check" };
  if (scope === "mfrom") return { ok: true, question: { client, helo, sender: identity } };
  if (identity === "") return { ok: false, problem: "the identity is empty: nobody to check" };
  return { ok: true, question: { client, helo: identity, sender: "", identity: "helo" } };
}

function scopeProblem(scope: string): string | undefined {
  if (scope === "mfrom" || scope === "helo") return undefined;
  return `scope ${printable(scope)}: only mfrom and helo are checked (Sender ID's pra never came into use)`;
}

/** RFC 7208 knows one. */
function versionProblem(versions: string): string | undefined {
  const asked = versions === "" ? ["1"] : versions.split(",");
  if (asked.includes("1") && asked.every((version) => version === "1" || version === "2")) return undefined;
  return `versions ${printable(versions)}: only 1 (v=spf1) is checked`;
}

function clientProblem(client: string | undefined): string | undefined {
  if (client === undefined) return "no ip_address: whose mail is it?";
  return isIP(client) === 0 ? `ip_address ${printable(client)}: no IP address` : undefined;
}
