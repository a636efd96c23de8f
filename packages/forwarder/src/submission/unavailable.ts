// Thrown where it cannot be known now whether a log-in is right: the client is told to come again (454 4.7.0), and its guess
// costs nothing. Thrown by whoever knows passwords, caught by log-in-desk.ts.

export class LogInUnavailable extends Error {
  override readonly name = "LogInUnavailable";
}
