// Mail servers take `bob@origin.example.` for `bob@origin.example`, and some ask before they do. Called by the maps, policy, milter
// and the checks of senders.

/** Of one dot: two are no domain for anybody. */
export function withoutRootDot(address: string): string {
  return address.endsWith(".") && !address.endsWith("..") ? address.slice(0, -1) : address;
}
