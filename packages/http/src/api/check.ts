// Whether what a request holds has the shape that the schemas give it, and in plain words where it has not. Called by route.ts.
import { type Refused, refused } from "@homing/on-behalf";
import type { z } from "zod";

/** Of names that a client made up. */
const MAX_NAME = 64;

export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly ok: true; readonly value: T } | Refused {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const [issue] = result.error.issues;
  return issue === undefined ? refused("invalid-field", "It is not allowed.") : refusal(issue, value);
}

type Issue = z.core.$ZodIssue;

function refusal(issue: Issue, value: unknown): Refused {
  const { found, path } = innermost(issue);
  const field = fieldName(path);
  if (found.code === "unrecognized_keys") {
    const name = cut(found.keys[0] ?? "");
    return refused("invalid-field", `There is no ${name}.`, {
      field: field === "" ? name : `${field}.${name}`,
      hint: "the names are in /v1/openapi.json; capital letters count",
    });
  }
  if (field === "") return refused("invalid-field", "The body must be an object of JSON.", { hint: "{ … }" });
  return refused("invalid-field", `${field} ${saying(found, at(value, path))}.`, { field });
}

interface Innermost {
  readonly found: Issue;
  readonly path: readonly PropertyKey[];
}

/** Of alternatives that one which came furthest: in a list, the item. */
function innermost(issue: Issue): Innermost {
  const own: Innermost = { found: issue, path: issue.path };
  if (issue.code !== "invalid_union") return own;
  const inner = issue.errors
    .flatMap((errors) => errors.slice(0, 1))
    .filter(({ path, code }) => path.length > 0 || code !== "invalid_type")
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  return inner ? { found: inner, path: [...issue.path, ...inner.path] } : own;
}

/** `to[1]` */
function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === "number") return `${name}[${part}]`;
    return name === "" ? cut(String(part)) : `${name}.${cut(String(part))}`;
  }, "");
}

function saying(issue: Issue, value: unknown): string {
  if (value === undefined) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return issue.origin === "array" || issue.origin === "string"
        ? "must not be empty"
        : `must be ${issue.minimum} or more`;
    case "too_big":
      return issue.origin === "array" || issue.origin === "string"
        ? `is longer than ${issue.maximum}`
        : `must be ${issue.maximum} or less`;
    case "custom":
      return issue.message;
    case "invalid_union":
      return `must be ${kindsOf(issue.errors).join(" or ")}`;
    default:
      return "has a value that it cannot have";
  }
}

function kindsOf(errors: readonly (readonly Issue[])[]): readonly string[] {
  return errors.flatMap(([first]) =>
    first?.code === "invalid_type" ? [KINDS[first.expected] ?? first.expected] : [],
  );
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  array: "a list",
  object: "an object",
};

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inside, part) =>
      typeof inside === "object" && inside !== null && Object.hasOwn(inside, part)
        ? (inside as Record<PropertyKey, unknown>)[part]
        : undefined,
    value,
  );
}

function cut(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
}
