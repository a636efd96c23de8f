// Users' .forward files: the process that reads them, and those who ask it. The package's entrance
// `@homing/forwarder/dot-forward`: the process beside the service receives no mail.
export * from "../dot-forward/dot-forward.ts";
