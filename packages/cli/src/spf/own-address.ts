// The address from which this host connects to a server, and whether a configuration trusts it. Called by `homing spf
// selftest`, which shows nothing to a server that trusts it.
import { once } from "node:events";
import { connect } from "node:net";
import { type HostPort, renderHostPort } from "@homing/forwarder/host-port";
import { blockList } from "@homing/forwarder/trust";
import { CommandFailure } from "../failure.ts";

const TIMEOUT_MS = 10_000;

/** As the server sees it, where no address translation is in between. */
export async function ownAddress(server: HostPort): Promise<string> {
  const socket = connect({ host: server.host, port: server.port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return (socket.localAddress ?? "").replace(/^::ffff:/, "");
  } catch (error) {
    const place = renderHostPort(server);
    throw new CommandFailure(
      "unavailable",
      `no server at ${place}: ${causeOf(error)}: is one running there?`,
    );
  } finally {
    socket.destroy();
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error) || error.name === "AbortError") return "it does not answer";
  // Where a name has several addresses, the message is empty.
  return error.message || ("code" in error ? String(error.code) : error.name);
}

export function isTrusted(address: string, trustedNetworks: readonly string[]): boolean {
  return blockList(trustedNetworks).check(address, address.includes(":") ? "ipv6" : "ipv4");
}
