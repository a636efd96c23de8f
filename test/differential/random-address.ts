// Random senders, and what hops, typists and attackers do to addresses on their way.
import type { Random } from "./random.ts";

const ATOM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const ATEXT = `${ATOM}!#$%&'*+-/=?^_\`{|}~`;
const HOSTILE = `${ATEXT}..@@ "\\()<>,;:[]\t\r\x01\x7f`;
const UTF8 = "äöÜßéñжПλΣ例え漢字\u{200b}";
const BASE64 = `${ATOM}+/-_`;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Mostly what mail has; then each kind that has a rule of its own. No line feed: the batch script ends lines with it. */
export function randomSender(random: Random): string {
  const kind = random.int(1, 100);
  if (kind <= 55) return `${dotString(random)}@${hostName(random)}`;
  if (kind <= 70) return srsAddress(random);
  if (kind <= 76) return `${random.text(UTF8 + ATOM, 1, 12)}@${hostName(random)}`;
  if (kind <= 80) return `${random.text(ATEXT, 20, 80)}@${hostName(random)}`;
  if (kind <= 84) return `"${random.text(`${ATOM} .@`, 1, 12)}"@${hostName(random)}`;
  if (kind <= 88) return `${random.text(`${ATOM}..`, 1, 9)}@${hostName(random)}`;
  if (kind <= 92) return `${dotString(random)}@${oddDomain(random)}`;
  if (kind <= 96) return `${random.text(HOSTILE, 0, 14)}@${hostName(random)}`;
  if (kind <= 98) return srsLike(random);
  return random.text(HOSTILE, 0, 40);
}

export function dotString(random: Random): string {
  const atoms = Array.from({ length: random.int(1, 2) }, () =>
    random.text(random.chance(50) ? ATOM : ATEXT, 1, 6),
  );
  return atoms.join(".");
}

export function hostName(random: Random): string {
  const labels = Array.from({ length: random.int(1, 2) }, () => {
    return random.text(ATOM, 1, 6) + (random.chance(15) ? `-${random.text(ATOM, 1, 3)}` : "");
  });
  return `${labels.join(".")}.${random.pick(["example", "test", "Example"])}`;
}

function oddDomain(random: Random): string {
  const host = hostName(random);
  return random.pick([
    `${host}.`,
    `-${host}`,
    `a-.${host}`,
    `${random.text(ATOM, 1, 3)}=${host}`,
    `.${host}`,
    `${host} `,
    "[192.0.2.1]",
    "[IPv6:2001:db8::1]",
    `${random.text("äöüж例", 1, 4)}.example`,
    "",
  ]);
}

/** What other forwarders make, with tags of their own. */
function srsAddress(random: Random): string {
  const separator = random.pick(["=", "=", "+", "-"]);
  const tag = random.text(BASE64, 1, random.chance(70) ? 4 : 12);
  const inner = `${separator}${tag}=${random.text(BASE32, 2, 2)}=${hostName(random)}=${dotString(random)}`;
  const letters = random.pick(["SRS", "SRS", "SRS", "srs", "Srs"]);
  if (random.chance(50)) return `${letters}0${inner}@${hostName(random)}`;
  const outer = random.pick(["=", "+", "-"]);
  return `${letters}1${outer}${random.text(BASE64, 1, 8)}=${hostName(random)}=${inner}@${hostName(random)}`;
}

/** Nearly SRS. */
function srsLike(random: Random): string {
  const parts = Array.from({ length: random.int(0, 5) }, () =>
    random.pick(["", "G3", "host.example", "abcd", "=", "x", "+q", "a_b"]),
  );
  return `${random.pick(["SRS0", "SRS1", "srs1", "SRS2"])}${random.pick(["=", "+", "-", "_", ""])}${parts.join("=")}@${hostName(random)}`;
}

/** Most come back as they went; the others as changed by a hop, a typist or a guesser. */
export function changedOnTheWay(random: Random, address: string): string {
  // Each costs Mail::SRS the patience that it is given.
  if (random.int(1, 50_000) === 1) return address.replace(/^(.{5}[^=]*=..)=([^=]*?)(?=[^=]{4}=)/, "$1$2=");
  const kind = random.int(1, 100);
  const at = random.int(0, Math.max(address.length - 1, 0));
  if (kind <= 40) return address;
  if (kind <= 48) return address.toLowerCase();
  if (kind <= 56) return address.toUpperCase();
  if (kind <= 62)
    return address.replace(/[A-Za-z]/g, (char) =>
      random.chance(50) ? char.toLowerCase() : char.toUpperCase(),
    );
  if (kind <= 66) return address.replace(/^(.{5}[^=]*)./, "$1");
  if (kind <= 70) return address.replace(/^(.{5})[^=]{1,3}(?=[^=])/, "$1");
  if (kind <= 74) return address.replace(/^(.{5}[^=]*)=/, `$1${random.text(BASE64, 1, 4)}=`);
  if (kind <= 78)
    return address.replace(/^(.{5})([^=]*)/, (_, head: string, tag: string) => head + otherAlphabet(tag));
  if (kind <= 87) return address.slice(0, at) + random.pick([...ATEXT, "@", "."]) + address.slice(at + 1);
  if (kind <= 90) return movedBorder(random, address);
  if (kind <= 92) return address.replace(/^(.{4})[=+-]/, `$1${random.pick(["=", "+", "-", "_"])}`);
  if (kind <= 94) return address.replace(/@[^@]*$/, random.pick(["@elsewhere.example", "", "@"]));
  if (kind <= 96) return address.replace(/^([^"].*)@/, '"$1"@');
  if (kind <= 98) return random.pick([`${address} `, ` ${address}`, `<${address}>`]);
  return address.replace(/=[^=]*/, "");
}

/** A classic tag covers fields with nothing between them: an equals sign one to the left or right leaves it right. */
function movedBorder(random: Random, address: string): string {
  const borders = [...address.matchAll(/(?<=[^=])=(?=[^=])/g)].map((match) => match.index);
  if (borders.length < 3) return address;
  const at = random.pick(borders.slice(1));
  const [before, after] = [address.charAt(at - 1), address.charAt(at + 1)];
  const moved = random.chance(50) ? `=${before}${after}` : `${before}${after}=`;
  return address.slice(0, at - 1) + moved + address.slice(at + 2);
}

function otherAlphabet(tag: string): string {
  const other: Readonly<Record<string, string>> = { "+": "-", "/": "_", "-": "+", _: "/" };
  return tag.replace(/[+/_-]/g, (char) => other[char] ?? char);
}
