// Fields of every answer. Called by app.ts and api/.

/** Nothing is kept by caches or indexes, and neither is guessed what it is. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  // The address of a page names a sender, or is a signed link: neither the next site, nor a search engine hears of it.
  "Referrer-Policy": "no-referrer",
  "X-Robots-Tag": "noindex, nofollow",
  "Cache-Control": "no-store",
  "Cross-Origin-Resource-Policy": "same-origin",
};
