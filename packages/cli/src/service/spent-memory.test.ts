import { test } from "node:test";
import { givesBackSpentMemory } from "./spent-memory.ts";

test("V8 has the function that collects", () => {
  givesBackSpentMemory();
});
