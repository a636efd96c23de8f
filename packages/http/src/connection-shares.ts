// Nobody alone takes all connections: each address (IPv6: /64) has a share. Called by listen-http.ts.
import type { Socket } from "node:net";
import { createClientCounts } from "@homing/forwarder";
import { LOOPBACK } from "./client-address.ts";

/** @param most at the same time; of this machine as many as there are, for a web server there asks for everybody */
export function createConnectionShares(
  most: number,
): (socket: Pick<Socket, "remoteAddress" | "once" | "destroy">) => void {
  const counts = createClientCounts(most, LOOPBACK);
  return (socket) => {
    // Without an address it has ended already.
    const leave = counts.enter(socket.remoteAddress ?? "");
    if (leave) socket.once("close", leave);
    else socket.destroy();
  };
}
