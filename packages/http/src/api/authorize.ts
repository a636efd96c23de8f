// Whose request it is: a site key as Bearer token (RFC 6750). Called by api.ts, before anything of a body is read.
import { type Refused, refused, type Site, type Sites } from "@homing/on-behalf";

/** Keys are hashed, all of them, for each request. */
const MAX_KEY = 512;
const HINT = "send the field Authorization: Bearer KEY, with the key of the site";
/** URLs are in the logs of every proxy, and in browsers' histories. */
const KEY_PARAMETERS = ["key", "apikey", "api_key", "sitekey", "site_key", "token", "access_token"];

export function authorize(
  headers: Headers,
  query: URLSearchParams,
  sites: Pick<Sites, "ofKey">,
): { readonly ok: true; readonly site: Site } | Refused {
  for (const name of query.keys()) {
    if (KEY_PARAMETERS.includes(name.toLowerCase()))
      return refused("unauthorized", "A key must not stand in a URL, which is logged on its way", {
        field: name.toLowerCase(),
        hint: `${HINT}; and make a new key, if that was one`,
      });
  }
  const field = headers.get("authorization");
  if (field === null) return refused("unauthorized", "There is no field Authorization", { hint: HINT });
  const space = field.indexOf(" ");
  // RFC 9110 §11.1: the scheme in any case.
  if (field.slice(0, Math.max(space, 0)).toLowerCase() !== "bearer")
    return refused("unauthorized", "The field Authorization holds no Bearer token", { hint: HINT });
  const key = field.slice(space).trim();
  const site = key === "" || key.length > MAX_KEY ? undefined : sites.ofKey(key);
  if (!site) return refused("unauthorized", "No site has this key", { hint: HINT });
  return { ok: true, site };
}
