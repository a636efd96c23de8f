// What a form of ours, or a mail program's one-click, sends. Called by people.ts.
import { readBody } from "../read-body.ts";

/** A token has up to 1,024 characters, an address 254; boundaries of multipart/form-data come on top. */
const MAX_FORM_OCTETS = 8192;

export type Form =
  | { readonly kind: "form"; readonly get: (name: string) => string | undefined }
  | { readonly kind: "too-large" }
  | { readonly kind: "no-form" };

/** RFC 8058 §3.2 lets mail programs choose between the two types. */
const TYPES = ["application/x-www-form-urlencoded", "multipart/form-data"];

/** @param ms for its body: it is a few lines, and whoever is slow holds a connection */
export async function readForm(request: Request, ms: number): Promise<Form> {
  const type = request.headers.get("content-type") ?? "";
  const name = type.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!TYPES.includes(name)) return { kind: "no-form" };
  const body = await readBody(request, { octets: MAX_FORM_OCTETS, ms });
  if (body.kind === "too-large") return body;
  if (body.kind === "broken-off") return { kind: "no-form" };
  try {
    const parts = await new Response(new Uint8Array(body.octets), {
      headers: { "Content-Type": type },
    }).formData();
    return { kind: "form", get: (field) => textOf(parts.getAll(field)) };
  } catch {
    return { kind: "no-form" };
  }
}

/** A field twice, or a file, is none of our forms. */
function textOf(values: readonly unknown[]): string | undefined {
  const [value] = values;
  return values.length === 1 && typeof value === "string" ? value : undefined;
}
