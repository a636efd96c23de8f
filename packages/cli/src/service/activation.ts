// Socket activation, sd_listen_fds(3): the service manager has opened the port, and hands it over as a file descriptor.
// Called by `homing serve` and `homing dotforward`.

export type Activation =
  /** Nobody handed a socket to this process: the configuration's `listen` holds. */
  | { readonly kind: "none" }
  | { readonly kind: "socket"; readonly fd: number }
  | { readonly kind: "wrong"; readonly message: string };

/** SD_LISTEN_FDS_START: the first of them comes behind stdin, stdout and stderr. */
const FIRST_FD = 3;

/**
 * @param environment with LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, or without them
 * @param wanted FileDescriptorName= of the socket unit: needed only where the process is handed several sockets
 */
export function parseActivation(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
  wanted = "smtp",
): Activation {
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES } = environment;
  // Meant for a parent of ours, which passed its environment on, and not its sockets.
  if (LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return { kind: "none" };
  if (!/^\d{1,4}$/.test(LISTEN_FDS)) {
    return wrong(`LISTEN_FDS is "${LISTEN_FDS}", not a number: start homing by a socket unit, or unset it`);
  }
  const count = Number(LISTEN_FDS);
  if (count === 0) return { kind: "none" };
  if (count === 1) return { kind: "socket", fd: FIRST_FD };
  const names = (LISTEN_FDNAMES ?? "").split(":").slice(0, count);
  const index = names.indexOf(wanted);
  if (index < 0 || names.lastIndexOf(wanted) !== index) {
    return wrong(
      `${count} sockets were handed over, and not exactly one is named ${wanted}: ` +
        `write one ListenStream= and FileDescriptorName=${wanted} into the socket unit`,
    );
  }
  return { kind: "socket", fd: FIRST_FD + index };
}

function wrong(message: string): Activation {
  return { kind: "wrong", message };
}
