// What is wrong with a page for those who see little, hear it, or have a small telephone: the checks of page-faults.js, on a
// telephone in light and on a desk in dark. Called by stories about pages.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

const CHECKS = readFileSync(join(import.meta.dirname, "page-faults.js"), "utf8");

/** Colours do not depend on the width. */
const READERS = [
  { width: 360, colorScheme: "light" },
  { width: 1280, colorScheme: "dark" },
] as const;

/** One line each, with where it was seen; none is right. */
export async function pageFaults(page: Page): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { width, colorScheme } of READERS) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    const found = (await page.evaluate(CHECKS)) as string[];
    const where = `${new URL(page.url()).pathname} at ${width}, ${colorScheme}`;
    faults.push(...found.map((fault) => `${where}: ${fault}`));
  }
  return faults;
}
