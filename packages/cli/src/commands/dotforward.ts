// `homing dotforward`: the reader process for .forward files. It runs beside the forwarder, with the right to read homes
// that are 0700, and answers parsed targets on a UNIX socket (docs/dot-forward.md).
import { lstat, unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import process from "node:process";
import {
  createBoundedReader,
  createForwardReader,
  createHomes,
  type ListenPlace,
  maxHomesOf,
  parseHomePattern,
  type ReaderServer,
  startReaderServer,
  systemFiles,
} from "@homing/forwarder/dot-forward";
import { CommandFailure, EXIT, listenFailure } from "../failure.ts";
import { createOutput } from "../output.ts";
import { parseActivation } from "../service/activation.ts";
import { unixMilliseconds } from "../time.ts";
import { endUnless, untilSignal } from "../until-signal.ts";

export interface DotForwardOptions {
  readonly home?: string;
  readonly passwd?: string;
  readonly socket?: string;
  readonly json?: true;
}

/** The forwarder's group may ask, nobody else. */
const SOCKET_UMASK = 0o117;
/** FileDescriptorName= of homing-dotforward.socket. */
const SOCKET_NAME = "dotforward";

/** Answers until a signal comes. Returns the exit code. */
export async function dotforward(options: DotForwardOptions): Promise<number> {
  // Nothing here needs a reload, and whoever sends one to all services must not end this one.
  process.on("SIGHUP", () => {});
  const output = createOutput(options.json === true);
  const place = placeOption(options.socket);
  const findHome = createHomes({
    render: homeOption(options),
    passwd: passwdOption(options.passwd),
    files: systemFiles,
    now: unixMilliseconds,
  });
  const reader = createBoundedReader({
    reader: createForwardReader({ findHome, files: systemFiles, now: unixMilliseconds }),
    maxHomes: maxHomesOf(process.env),
  });
  const name = "path" in place ? place.path : `file descriptor ${place.fd}`;
  const server = await start(place, {
    reader,
    onError(error) {
      process.stderr.write(
        `homing: this is a bug in Homing: ${error instanceof Error ? error.stack : error}\n`,
      );
    },
  }).catch((error: unknown) => {
    throw listenFailure(error, name, "choose another --socket");
  });
  output.document({ time: new Date().toISOString(), event: "listening", socket: name });
  await untilSignal();
  await server.close();
  endUnless(reader.close(), () =>
    process.stderr.write("homing: a home does not answer: ended by SIGTERM, without waiting for it\n"),
  );
  return EXIT.ok;
}

function homeOption({ home, passwd }: DotForwardOptions): ((user: string) => string) | undefined {
  if (home === undefined) {
    if (passwd !== undefined) return undefined;
    throw new CommandFailure(
      "usage",
      "where are the homes? give --home /home/{user}, or --passwd /etc/passwd",
    );
  }
  const pattern = parseHomePattern(home);
  if (pattern.ok) return pattern.render;
  throw new CommandFailure("usage", `--home: ${pattern.message}`);
}

function passwdOption(path: string | undefined): string | undefined {
  if (path === undefined || path.startsWith("/")) return path;
  throw new CommandFailure("usage", `--passwd ${path}: write the whole path, as /etc/passwd`);
}

function placeOption(socket: string | undefined): ListenPlace {
  const activation = parseActivation(process.env, process.pid, SOCKET_NAME);
  if (activation.kind === "wrong") throw new CommandFailure("config", activation.message);
  if (activation.kind === "socket") return { fd: activation.fd };
  if (socket?.startsWith("/")) return { path: socket };
  throw new CommandFailure(
    "usage",
    socket === undefined
      ? "where to listen? give --socket /run/homing-dotforward.sock, or start it by a socket unit"
      : `--socket ${socket}: write the whole path`,
  );
}

async function start(
  place: ListenPlace,
  options: Omit<Parameters<typeof startReaderServer>[0], "place">,
): Promise<ReaderServer> {
  const umask = process.umask(SOCKET_UMASK);
  try {
    if ("path" in place && (await isLeftOver(place.path))) await unlink(place.path);
    return await startReaderServer({ place, ...options });
  } finally {
    process.umask(umask);
  }
}

/** A socket that nobody listens on: a reader that was killed leaves it, and it would be in the way for ever. */
async function isLeftOver(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  if (!status?.isSocket()) return false;
  return await new Promise((resolve) => {
    const socket = createConnection(path);
    socket.on("connect", () => resolve(false));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    socket.on("connect", () => socket.destroy());
  });
}
