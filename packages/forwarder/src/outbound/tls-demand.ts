// What we demand of a connection's TLS, and what it is. RFC 7435 (opportunistic), RFC 8461 §4.2 (certificates).
// Called by smtp-out.ts.
import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { printable } from "@homing/srs-core";
import { blockList } from "../networks.ts";
import type { NextHop } from "../next-hops.ts";
import type { TlsOutcome } from "./attempt.ts";
import type { Library } from "./library.ts";

export type TlsDemand = NonNullable<NextHop["tls"]>;

const MAX_TEXT = 500;
const LOOPBACK = blockList(["127.0.0.0/8", "::1"]);

export function tlsDemand({ tls, credentials, host }: NextHop): TlsDemand {
  if (tls) return tls;
  // Whoever sits in between may offer a certificate, too, and would be told the password.
  return credentials && !isLoopback(host) ? "required-verified" : "opportunistic";
}

export function isLoopback(address: string): boolean {
  return isIP(address) > 0 && LOOPBACK.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

export function tlsOutcome({ _socket }: Library): TlsOutcome {
  if (!(_socket instanceof TLSSocket)) return "none";
  return _socket.authorized ? "verified" : "unverified";
}

/**
 * Undefined when it meets the demand. RFC 8461 §5 has failures temporary: policy or server may be mended. The codes are
 * those of RFC 3463 and its registry: 4.7.4 security features not supported, 4.7.5 cryptographic failure.
 */
export function unmetDemand(demand: TlsDemand, { _socket }: Library) {
  if (demand === "opportunistic") return undefined;
  if (!(_socket instanceof TLSSocket))
    return unmet("4.7.4", "TLS is required here, and was not offered", "none");
  if (demand === "required" || _socket.authorized) return undefined;
  // A string code, whatever its type says.
  const why = String(_socket.authorizationError);
  return unmet("4.7.5", `the server's certificate is not verified: ${why}`, "unverified");
}

/** A refusal of ours, before the server was given anything: the next server may do better. */
export function unmet(enhanced: string, text: string, tls: TlsOutcome) {
  const reply = { code: 451, enhanced, text: printable(text, MAX_TEXT) };
  return { kind: "answered", reply, stage: "greeting", tls, ours: true } as const;
}
