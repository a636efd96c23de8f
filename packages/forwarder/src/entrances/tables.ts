// Where addresses of ours lead: the route tables, and users' .forward files behind them. The package's entrance
// `@homing/forwarder/tables`, for commands and adapters that ask the tables and receive no mail.
export { followUsers, type UserForwards } from "../follow-users.ts";
export type { Entry, FilePlace, TableProblem } from "../tables/entry.ts";
export { follow, type Step } from "../tables/follow.ts";
export { type Destination, type Dropped, type Followed, SET_UP_WRONGLY } from "../tables/followed.ts";
export type { OpenTable } from "../tables/included-lists.ts";
export { type LoadedTables, loadTables, type TableFiles } from "../tables/load-tables.ts";
export { createTableRules, isOurs, type TableRules, type Tables } from "../tables/tables.ts";
