// Base32 (RFC 4648) in lower case and without padding: the letters of everything that we make and that hops may fold.
import base32Encode from "base32-encode";

export function base32(octets: Uint8Array): string {
  return base32Encode(octets, "RFC4648", { padding: false }).toLowerCase();
}
