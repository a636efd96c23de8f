// Notes each module that a process loads in its main thread, in the file that LOADED_MODULES names, a URL a line. Loaded by `node --import` before the
// program; test/start-weight.test.ts reads the list.
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";

const loaded: string[] = [];

registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});

if (isMainThread)
  process.on("exit", () => writeFileSync(process.env.LOADED_MODULES ?? "", loaded.join("\n")));
