// Zones and questions for `npm run bench:spf`: one network; a large provider's includes; a macro for each user.
export interface SpfCase {
  readonly name: string;
  /** Checks a round. */
  readonly count: number;
  readonly client: string;
  readonly sender: string;
  readonly zone: SpfZone;
}

export type SpfZone = Readonly<
  Record<string, { readonly TXT?: readonly string[]; readonly A?: readonly string[] }>
>;

function networks(from: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `ip4:198.18.${from + index}.0/24`).join(" ");
}

export const SPF_CASES: readonly SpfCase[] = [
  {
    name: "one ip4 term",
    count: 10_000,
    client: "192.0.2.1",
    sender: "user@one.example",
    zone: { "one.example": { TXT: ["v=spf1 ip4:192.0.2.0/24 -all"] } },
  },
  {
    name: "nested includes: 7 TXT records, 41 networks",
    count: 1500,
    client: "192.0.2.1",
    sender: "user@nested.example",
    zone: {
      "nested.example": { TXT: ["v=spf1 include:a.example include:b.example -all"] },
      "a.example": { TXT: ["v=spf1 include:a1.example include:a2.example ~all"] },
      "a1.example": { TXT: [`v=spf1 ${networks(0, 10)} ~all`] },
      "a2.example": { TXT: [`v=spf1 ${networks(10, 10)} ~all`] },
      "b.example": { TXT: ["v=spf1 include:b1.example include:b2.example ~all"] },
      "b1.example": { TXT: [`v=spf1 ${networks(20, 10)} ~all`] },
      "b2.example": { TXT: [`v=spf1 ${networks(30, 10)} ip4:192.0.2.0/24 ~all`] },
    },
  },
  {
    name: "exists with macros",
    count: 10_000,
    client: "192.0.2.1",
    sender: "some.user+tag@macros.example",
    zone: {
      "macros.example": { TXT: ["v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all"] },
      "1.2.0.192.some.user._spf.macros.example": { A: ["127.0.0.2"] },
    },
  },
];
