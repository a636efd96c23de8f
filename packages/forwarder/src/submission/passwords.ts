// Whoever knows people's passwords: the users file or Dovecot. Asked by people.ts.
import type { LogIn } from "./submission-policy.ts";

export interface Passwords {
  /**
   * The name that the password is right for; undefined where it is wrong, and just as late where nobody has the name.
   * Rejects with `LogInUnavailable` where it cannot be known now.
   */
  check(login: LogIn): Promise<string | undefined>;
}
