// Networks: which clients are trusted, and where nobody else's DNS may lead us. Called by forwarder.ts.
import { BlockList, isIP } from "node:net";

/** Throws where a network is none: whoever reads the configuration has checked it. */
export function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = address.includes(":") ? "ipv6" : "ipv4";
    list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/**
 * What is no other host of the Internet: this machine, private and link-local networks, multicast, documentation, what is
 * reserved (RFC 6890). Whoever writes an address has DNS of his own, and would have us talk to the neighbours.
 */
const SPECIAL_NETWORKS = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Addresses with an IPv4 address inside, which a gateway may unpack: a private one, too. Old IPv4-compatible ones with ::
  // and ::1 (RFC 4291 §2.5.5.1), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056). Where NAT64 is the way out, allow it.
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2002::/16",
  "2001:db8::/32",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

/** @param allowed networks of those that are the operator's own */
export function createMayConnect(allowed: readonly string[]): (address: string) => boolean {
  const special = blockList(SPECIAL_NETWORKS);
  const own = blockList(allowed);
  return (address) => {
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    // An IPv4 address in IPv6 clothes is judged as what it is.
    return !special.check(address, family) || own.check(address, family);
  };
}
