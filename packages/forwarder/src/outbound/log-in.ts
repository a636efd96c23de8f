// AUTH at a smart host (RFC 4954). A refusal is temporary: the credentials are ours, and the operator can mend them.
// Called by smtp-out.ts.
import { parseReply } from "@homing/mail";
import type { Credentials } from "../next-hops.ts";
import type { TlsOutcome } from "./attempt.ts";
import type { FailedAttempt } from "./failed-attempt.ts";
import { type Library, responseOf } from "./library.ts";
import { isLoopback, unmet } from "./tls-demand.ts";

/** Both send the password as it is, so both want TLS; of two, the one with fewer turns. */
const METHODS = ["PLAIN", "LOGIN"];
/** Undefined when the server knows us. Its words may hold the password, so they go nowhere. */
export async function logIn(
  library: Library,
  credentials: Credentials,
  tls: TlsOutcome,
  timeIsUp: AbortSignal | undefined,
): Promise<FailedAttempt | undefined> {
  const address = library._socket ? (library._socket.remoteAddress ?? "") : "";
  if (tls === "none" && !isLoopback(address))
    return unmet(
      "4.7.4",
      "the server offers no TLS, and AUTH without it would tell everybody the password",
      tls,
    );
  const method = METHODS.find((known) => library._supportedAuth.includes(known));
  if (!method) return unmet("4.7.8", `the server offers neither AUTH ${METHODS.join(" nor AUTH ")}`, tls);
  const error = await loginError(library, method, credentials, timeIsUp);
  if (error === undefined) return undefined;
  const reply = parseReply(responseOf(error));
  // What is no reply may be our own words, sent back.
  if (!reply || reply.code < 400)
    return { kind: "no-answer", cause: `no answer to AUTH ${method}`, stage: "greeting" };
  const said = `${reply.code} ${reply.enhanced}`;
  const refusal = unmet(
    "4.7.8",
    `AUTH ${method} as ${credentials.user} refused (${said}): check the credentials`,
    tls,
  );
  return { ...refusal, login: { code: reply.code, enhanced: reply.enhanced } };
}

function loginError(
  library: Library,
  method: string,
  { user, password }: Credentials,
  timeIsUp: AbortSignal | undefined,
): Promise<unknown> {
  return new Promise((resolve) => {
    const lost = (error?: unknown): void => done(error ?? new Error("the connection was lost at AUTH"));
    const abort = (): void => library.close();
    const done = (error?: unknown): void => {
      timeIsUp?.removeEventListener("abort", abort);
      library.off("error", lost);
      library.off("end", lost);
      // A 421 ends the connection before its words are told: the end waits for them.
      resolve(error ?? undefined);
    };
    timeIsUp?.addEventListener("abort", abort);
    library.on("error", lost);
    library.on("end", () => queueMicrotask(lost));
    library.login({ method, credentials: { user, pass: password } }, done);
    if (timeIsUp?.aborted) abort();
  });
}
