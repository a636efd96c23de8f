// The public names of http.
export { type HttpListener, listenHttp } from "./listen-http.ts";
