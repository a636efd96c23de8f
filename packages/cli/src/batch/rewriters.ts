// The rewriters of `homing batch`: one for each set of domain, secrets and options, made when it is first met and kept
// for a while, since making one costs as much as 9 addresses. Called by answer.ts.
import { createRewriter, DEFAULT_MAX_AGE_DAYS, type Rewriter } from "@homing/srs-core";
import * as z from "zod";
import type { BatchRequest } from "./request.ts";

/** Enough for the domains of a large site in any order; a bound, because the memory must not grow with the input. */
const MAX_KEPT = 256;

/** Where a request to reverse or inspect names no domain. It stands in no answer. */
const NO_DOMAIN = "batch.invalid";
/** Where a request to inspect gives none: domain and options are checked all the same, and no tag is judged. */
const NO_SECRETS = ["none"];

export interface GoodOptions {
  readonly ok: true;
  readonly rewriter: Rewriter;
  readonly maxAgeDays: number;
  readonly ownDomains: readonly string[];
}

export type KeptRewriter = GoodOptions | { readonly ok: false; readonly message: string };

export interface Rewriters {
  /** For `inspect` every scheme is tried, unless the options name one. */
  find(request: BatchRequest): KeptRewriter;
}

const optionsSchema = z.strictObject({
  scheme: z.enum(["strong", "classic"]).nullish(),
  separator: z.enum(["=", "+", "-"]).nullish(),
  tagLength: z.int().nullish(),
  minTagLength: z.int().nullish(),
  alphabet: z.enum(["base64", "base64url"]).nullish(),
  maxAgeDays: z.int().nullish(),
  ownDomains: z.array(z.string()).nullish(),
  alwaysRewrite: z.boolean().nullish(),
});

export function createRewriters(): Rewriters {
  const kept = new Map<string, KeptRewriter>();
  return {
    find(request) {
      const { op, domain, secrets, options } = request;
      // Unambiguous, and independent of anything but the request.
      const key = JSON.stringify([op === "inspect", domain, secrets, options]);
      const known = kept.get(key);
      if (known) return known;
      const made = make(request);
      const [oldest] = kept.keys();
      if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest);
      kept.set(key, made);
      return made;
    },
  };
}

function make({ op, domain, secrets = NO_SECRETS, options = {} }: BatchRequest): KeptRewriter {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = ["options", ...(issue?.path ?? [])].join(".");
    return { ok: false, message: `${place}: ${issue?.message.replace(/^Invalid (input|option): /, "")}` };
  }
  const given = withoutNull(parsed.data);
  const { maxAgeDays = DEFAULT_MAX_AGE_DAYS, ownDomains = [] } = given;
  const accept =
    op === "inspect" && given.scheme === undefined ? { accept: ["strong", "classic", "exim"] as const } : {};
  try {
    const rewriter = createRewriter({
      ...given,
      ...accept,
      secrets,
      domain: domain ?? NO_DOMAIN,
      maxAgeDays,
    });
    return {
      ok: true,
      rewriter,
      maxAgeDays,
      ownDomains: domain === undefined ? [] : [domain, ...ownDomains],
    };
  } catch (error) {
    // The rewriter's words for options that contradict themselves.
    if (error instanceof RangeError || error instanceof TypeError)
      return { ok: false, message: error.message };
    throw error;
  }
}

type WithoutNull<Fields> = { [Name in keyof Fields]?: NonNullable<Fields[Name]> };

function withoutNull<Fields extends object>(fields: Fields): WithoutNull<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value != null),
  ) as WithoutNull<Fields>;
}
