// A server that takes mail as a provider's submission service does: AUTH over TLS alone, each recipient answered as he is told,
// and what came kept. Not ours: the library's own server. Called by the stories of `homing sendmail`.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { runOrThrow } from "./command.ts";

export interface TakenMail {
  readonly user: string;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly message: string;
}

export interface SubmissionPeer extends AsyncDisposable {
  readonly port: number;
  readonly taken: readonly TakenMail[];
  /** Log-ins, right or wrong. */
  readonly logIns: number;
}

export interface SubmissionPeerOptions {
  /** With cert.pem and key.pem. */
  readonly folder: string;
  /** TLS from the first octet. */
  readonly implicitTls?: boolean;
  /** No STARTTLS, and AUTH without it. */
  readonly plain?: boolean;
  readonly password?: string;
  /** `550 5.1.1 no such user`; undefined to take it. */
  readonly rcpt?: (address: string, before: number) => string | undefined;
  readonly mail?: (address: string) => string | undefined;
  readonly dot?: () => string | undefined;
}

/** For localhost and 127.0.0.1, signed by itself: cert.pem and key.pem. */
export async function certifyLocalhost(folder: string): Promise<void> {
  await runOrThrow([
    ...[
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "3",
    ],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ...["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")],
  ]);
}

export async function startSubmissionPeer(options: SubmissionPeerOptions): Promise<SubmissionPeer> {
  const { folder, password = "a good password", plain = false } = options;
  const taken: TakenMail[] = [];
  let logIns = 0;
  const server = new SMTPServer({
    cert: readFileSync(join(folder, "cert.pem")),
    key: readFileSync(join(folder, "key.pem")),
    secure: options.implicitTls === true,
    disabledCommands: plain ? ["STARTTLS"] : [],
    allowInsecureAuth: plain,
    disableReverseLookup: true,
    onAuth(auth, _session, done) {
      logIns += 1;
      if (auth.username === "web" && auth.password === password) done(null, { user: "web" });
      else done(refusal("535 5.7.8 who are you?"));
    },
    onMailFrom: (address, _session, done) => done(refusal(options.mail?.(address.address))),
    onRcptTo: (address, { envelope }, done) =>
      done(refusal(options.rcpt?.(address.address, envelope.rcptTo.length))),
    onData(stream, { envelope, user }, done) {
      void buffer(stream).then((octets) => {
        const refused = refusal(options.dot?.());
        if (!refused)
          taken.push({
            user: String(user),
            reversePath: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
            recipients: envelope.rcptTo.map(({ address }) => address),
            message: octets.toString("latin1"),
          });
        done(refused);
      });
    },
  });
  server.on("error", () => {});
  const listener = server.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    taken,
    get logIns() {
      return logIns;
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The library writes the code itself. */
function refusal(reply: string | undefined): Error | null {
  if (reply === undefined) return null;
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}
