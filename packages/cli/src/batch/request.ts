// One line of `homing batch` as a request. Checked by hand, since the id of a bad one has to come back.
// Options and secrets are checked only when a rewriter is made of them: rewriters.ts.
import { MAX_UNIX_SECONDS } from "../time.ts";

export interface BatchRequest {
  readonly op: "forge" | "reverse" | "inspect";
  readonly address: string;
  readonly domain?: string;
  readonly secrets?: readonly string[];
  /** Unix seconds. */
  readonly now?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The caller's name for a request; it comes back in the answer. */
export type RequestId = string | number | boolean | null;

export type ParsedRequest = Checked & { readonly id?: RequestId };

type Checked =
  | { readonly ok: true; readonly request: BatchRequest }
  | { readonly ok: false; readonly message: string };

/** Windows programs put it at the beginning of a file, which may be joined to another. */
const BYTE_ORDER_MARK = 0xfeff;

/** What is null counts as left out: many programs write it so. */
export function parseRequest(line: string): ParsedRequest {
  let value: unknown;
  try {
    value = JSON.parse(line.charCodeAt(0) === BYTE_ORDER_MARK ? line.slice(1) : line);
  } catch {
    return { ok: false, message: "this line is not JSON: write one object on each line" };
  }
  if (!isObject(value)) return { ok: false, message: "this line is not a JSON object" };
  const { id = undefined, ...fields } = value;
  if (id === undefined) return checked(fields);
  if (!isScalar(id)) return { ok: false, message: "id: write a string or a number" };
  return { id, ...checked(fields) };
}

type Fields = Readonly<Record<string, unknown>>;

function checked({ op, address, domain, secrets, now, options }: Fields): Checked {
  if (op !== "forge" && op !== "reverse" && op !== "inspect")
    return bad("op: write forge, reverse or inspect");
  if (typeof address !== "string") return bad("address: write a string");
  if (domain != null && typeof domain !== "string") return bad("domain: write a string");
  if (op === "forge" && domain == null) return bad("domain is missing: forge needs the SRS domain");
  if (secrets == null) {
    if (op !== "inspect") return bad(`secrets are missing: ${op} needs them, newest first`);
  } else if (!isTexts(secrets) || secrets.length === 0 || secrets.includes("")) {
    return bad("secrets: write a list of strings, newest first, none of them empty");
  }
  if (now != null && !(typeof now === "number" && now >= 0 && now <= MAX_UNIX_SECONDS)) {
    return bad("now: write Unix seconds as a number");
  }
  if (options != null && !isFlatObject(options)) return bad("options: write an object of plain values");
  return {
    ok: true,
    request: {
      op,
      address,
      ...(domain == null ? {} : { domain }),
      ...(secrets == null ? {} : { secrets }),
      ...(now == null ? {} : { now }),
      ...(options == null ? {} : { options }),
    },
  };
}

function bad(message: string): Checked {
  return { ok: false, message };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is RequestId {
  return typeof value !== "object" || value === null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Without depth: whoever makes a key of it must not run out of stack. */
function isFlatObject(value: unknown): value is Fields {
  return isObject(value) && Object.values(value).every((item) => isScalar(item) || isTexts(item));
}
