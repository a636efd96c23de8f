// The vectors of testdata: the failures that other engines show, and zones as the early articles on SPF gave them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkSpf } from "./check-host.ts";
import { NOW } from "./testing/cases.ts";
import { readVectors } from "./testing/vectors.ts";
import { resolverOf } from "./testing/zone.ts";

const FOLDER = join(import.meta.dirname, "../testdata");
const FILES: Readonly<Record<string, number>> = { "example-zones.yml": 44, "spf-extra.yml": 37 };

test("all files of vectors are run", () => {
  assert.deepEqual(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith(".yml"))
      .sort(),
    Object.keys(FILES),
  );
});

for (const [file, count] of Object.entries(FILES)) {
  const vectors = readVectors(readFileSync(join(FOLDER, file), "utf8"));
  test(`${file} has ${count} vectors`, () => assert.equal(vectors.length, count));
  for (const { name, zone, question, results, explanation } of vectors) {
    test(name, async () => {
      for (const later of [false, true]) {
        const answer = await checkSpf(question, { resolver: resolverOf(zone, { later }), now: () => NOW });
        assert.ok(results.includes(answer.result), `${answer.result}: ${answer.problem}`);
        if (explanation !== undefined) assert.equal(answer.explanation, explanation);
      }
    });
  }
}
