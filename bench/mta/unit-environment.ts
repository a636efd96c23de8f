// What deploy/systemd/homing.service sets for Node and the C library: it is measured as it is deployed. Called by homing-peer.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const UNIT = join(import.meta.dirname, "../../deploy/systemd/homing.service");

export function unitEnvironment(): Readonly<Record<string, string>> {
  const lines = readFileSync(UNIT, "utf8").matchAll(/^Environment=(\w+)=(\S+)$/gm);
  return Object.fromEntries([...lines].map(([, name = "", value = ""]) => [name, value]));
}
