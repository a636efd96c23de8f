// The people who may submit mail, and their passwords. The package's entrance `@homing/forwarder/users`, for commands that read and
// change a users file.
export { hashPassword, parsePasswordHash, verifyPassword } from "../submission/password-hash.ts";
export {
  addressKey as ownKey,
  nameKey,
  nameProblem,
  type OwnAddresses,
  type ParsedUsers,
  parseAddresses,
  parseUsersFile,
  type User,
  type Users,
} from "../submission/users-file.ts";
