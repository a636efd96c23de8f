// The public names of http.
export type { ApiRefusal } from "./api/api.ts";
export type { AppOptions, PublishedOnBehalf } from "./app.ts";
export type { InboxMail } from "./inbox.ts";
export { type HttpListener, listenHttp } from "./listen-http.ts";
