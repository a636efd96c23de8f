// The machine does not check or seal a message now: its client may come again. Thrown by the files beside this one; whoever
// asked answers 451.

export class CheckRefused extends Error {
  /** `busy`: too many wait. `lost`: its thread is gone. `failed`: a bug, with its stack. `closed`: the service ends. */
  readonly reason: "busy" | "lost" | "failed" | "closed";

  constructor(reason: CheckRefused["reason"], message: string) {
    super(message);
    this.name = "CheckRefused";
    this.reason = reason;
  }
}
