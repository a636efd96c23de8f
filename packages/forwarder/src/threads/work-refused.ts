// The machine does not do a job in a thread now: the client whose mail it is may come again. Thrown by the files beside this
// one; whoever asked answers 451.

export class WorkRefused extends Error {
  /** `busy`: too many wait. `lost`: its thread is gone. `failed`: a bug, with its stack. `closed`: the service ends. */
  readonly reason: "busy" | "lost" | "failed" | "closed";

  constructor(reason: WorkRefused["reason"], message: string) {
    super(message);
    this.name = "WorkRefused";
    this.reason = reason;
  }
}
