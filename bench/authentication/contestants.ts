// What is measured beside what: services that check and seal more or less, and the mail that each gets. Called by main.ts;
// the first is the plain path.
import type { DkimKey } from "@homing/forwarder";

export type ServiceName = "plain" | "checking" | "sealing-rsa" | "sealing-ed25519";

export interface Contestant {
  readonly name: string;
  readonly service: ServiceName;
  readonly mail: "signed" | "unsigned";
}

export const PLAIN = "authentication off";
/** What the benchmark is for. */
export const EVERYTHING = "everything, RSA seal";

export const CONTESTANTS: readonly Contestant[] = [
  { name: PLAIN, service: "plain", mail: "signed" },
  { name: EVERYTHING, service: "sealing-rsa", mail: "signed" },
  { name: "everything, Ed25519 seal", service: "sealing-ed25519", mail: "signed" },
  { name: "no seal", service: "checking", mail: "signed" },
  { name: "unsigned mail, RSA seal", service: "sealing-rsa", mail: "unsigned" },
  { name: "unsigned mail, no seal", service: "checking", mail: "unsigned" },
];

export type SealKeys = Readonly<Record<"rsa" | "ed25519", DkimKey>>;

export function sealKeyOf(service: ServiceName, keys: SealKeys): DkimKey | undefined {
  if (service === "sealing-rsa") return keys.rsa;
  return service === "sealing-ed25519" ? keys.ed25519 : undefined;
}
