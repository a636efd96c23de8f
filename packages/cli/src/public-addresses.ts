// The addresses of this machine that the world may see it by. Called by `homing config check --dns`.
import { networkInterfaces } from "node:os";
import { createMayConnect } from "@homing/forwarder/dns";

/** None behind NAT. */
export function publicAddresses(): readonly string[] {
  const isPublic = createMayConnect([]);
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && isPublic(address))
    .map(({ address }) => address);
}
