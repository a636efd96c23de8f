// Three forwarders that share nothing, of which we are one, in each place: the bounce must come home.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertDocumented, markdownTable } from "./testing/docs-tables.ts";
import { type Journey, journey } from "./testing/journeys.ts";
import { mixedChains } from "./testing/vectors.ts";

const chains = mixedChains();
const PLACES = [0, 1, 2];
const SCHEMES = ["classic", "strong"] as const;

test("with us in any place of any chain, no bounce is lost that the others let through", () => {
  for (const scheme of SCHEMES) {
    for (const place of PLACES) {
      for (const chain of chains) {
        const result = journey(chain, place, scheme);
        const what = `${chain.id}, ${scheme} in place ${place + 1}: ${JSON.stringify(result)}`;
        assert.notEqual(result.end, "lost", what);
        if (result.end === "peer-refused") assert.equal(chain.roundtrip_ok, false, what);
        if (result.end === "in-lower-case")
          assert.ok(
            chain.hops.some((hop) => hop.peer.startsWith("exim")),
            what,
          );
      }
    }
  }
});

test("in the place of a peer of the classic scheme we forward byte for byte as it did", () => {
  let compared = 0;
  for (const place of PLACES) {
    for (const chain of chains) {
      const { peer = "" } = chain.hops[place] ?? {};
      // libsrs2 doubles what it wraps again, and PostSRSd 2 writes the other alphabet.
      if (!/^(?:mail-srs|postsrsd-1|pysrs|go)-/.test(peer) && !(peer.startsWith("libsrs2") && place < 2))
        continue;
      const result = journey(chain, place, "classic");
      if (!("forwards" in result)) continue;
      assert.equal(result.forwards[place], chain.forwards[place], chain.id);
      compared += 1;
    }
  }
  assert.equal(compared, 74);
});

test("in the place of libsrs2 as the third hop we bring home what it loses", () => {
  const lost = chains.filter((chain) => chain.hops[2]?.peer.startsWith("libsrs2"));
  assert.ok(lost.length > 0 && lost.every((chain) => !chain.roundtrip_ok));
  const ends = lost.map((chain) => journey(chain, 2, "classic").end);
  assert.equal(ends.filter((end) => end === "home").length, 5);
  assert.ok(ends.every((end) => end !== "lost" && end !== "peer-refused"));
});

test("docs/srs.md has the table of mixed chains", () => {
  const ends: Journey["end"][] = [
    "home",
    "in-lower-case",
    "too-long",
    "peer-refused",
    "not-checkable",
    "lost",
  ];
  const rows = SCHEMES.flatMap((scheme) =>
    PLACES.map((place) => {
      const results = chains.map((chain) => journey(chain, place, scheme).end);
      return [
        scheme,
        String(place + 1),
        ...ends.map((end) => String(results.filter((one) => one === end).length)),
      ];
    }),
  );
  const heads = [
    "Our scheme",
    "Our place",
    "Home",
    "Home in lower case (Exim)",
    "Too long",
    "Lost by libsrs2",
    "Not checkable",
    "Lost",
  ];
  assertDocumented("mixed-chains", markdownTable(heads, rows));
});
