// Whether what a request holds has the shape that the schemas give it, and in plain words where it has not. Called by route.ts.
import { type Refused, refused } from "@homing/on-behalf";
import type { z } from "zod";

/** Of names that a client made up. */
const MAX_NAME = 64;

/** @param part what each member is: `member of a message` */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  part: string,
): { readonly ok: true; readonly value: T } | Refused {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const [issue] = result.error.issues;
  return issue === undefined ? NOT_ALLOWED : refusal(issue, value, part);
}

type Issue = z.core.$ZodIssue;

const DESCRIBED = "look it up in /v1/openapi.json";
const NOT_ALLOWED = refused("invalid-field", "It is not allowed", { hint: DESCRIBED });

function refusal(issue: Issue, value: unknown, part: string): Refused {
  const { found, path } = innermost(issue);
  const field = fieldName(path);
  if (found.code === "unrecognized_keys") {
    const name = cut(found.keys[0] ?? "");
    return refused("invalid-field", `${name} is no ${part}`, {
      field: field === "" ? name : `${field}.${name}`,
      hint: "the names are in /v1/openapi.json; capital letters count",
    });
  }
  if (field === "")
    return refused("invalid-field", "The body must be an object of JSON", {
      hint: "send { … }, with its members",
    });
  const { fault, hint } = saying(found, at(value, path));
  return refused("invalid-field", `${field} ${fault}`, { field, hint });
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

interface Saying {
  readonly fault: string;
  /** What to do. */
  readonly hint: string;
}

function saying(issue: Issue, value: unknown): Saying {
  if (value === undefined) return { fault: "is missing", hint: `add it: ${DESCRIBED}` };
  if (value === null) return { fault: "is null", hint: "leave a member out that does not apply" };
  switch (issue.code) {
    case "invalid_type":
      return mustBe([issue.expected], value);
    case "invalid_union":
      return mustBe(expectedBy(issue.errors), value);
    case "invalid_value":
      return {
        fault: `must be one of ${issue.values.map(String).join(", ")}`,
        hint: "capital letters count",
      };
    case "too_small":
      return hasLength(issue.origin)
        ? { fault: "must not be empty", hint: "give at least one" }
        : { fault: `must be ${issue.minimum} or more`, hint: RANGE };
    case "too_big":
      return hasLength(issue.origin)
        ? { fault: `is longer than ${issue.maximum}`, hint: "shorten it" }
        : { fault: `must be ${issue.maximum} or less`, hint: RANGE };
    case "custom":
      return { fault: issue.message, hint: "have a library write the JSON from whole characters" };
    default:
      return { fault: "has a value that it cannot have", hint: DESCRIBED };
  }
}

const RANGE = `give a whole number within its bounds, or leave it out: ${DESCRIBED}`;

function hasLength(origin: string): boolean {
  return origin === "array" || origin === "string";
}

function mustBe(expected: readonly string[], value: unknown): Saying {
  const kinds = expected.map((kind) => KINDS[kind] ?? kind).join(" or ");
  const hint = expected.includes("int") ? RANGE : `it is ${kindOf(value)}: ${DESCRIBED}`;
  return { fault: `must be ${kinds}`, hint };
}

function kindOf(value: unknown): string {
  const kind = Array.isArray(value) ? "array" : typeof value;
  return KINDS[kind] ?? kind;
}

function expectedBy(errors: readonly (readonly Issue[])[]): readonly string[] {
  return errors.flatMap(([first]) => (first?.code === "invalid_type" ? [first.expected] : []));
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
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
