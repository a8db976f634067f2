import type { RemoteBucketOptions } from "@sluice/core";
import type { PlaceOptions } from "./names.js";
import type { SchemaOptions } from "./schema.js";

/** What a {@link PostgresBucket} can be told. */
export interface PostgresBucketOptions extends RemoteBucketOptions, PlaceOptions {
  /**
   * Whether connections may keep the statements prepared, which spares the server most of the
   * work; true when left out. Set it to false behind a PgBouncer that pools transactions and
   * knows no prepared statements (before 1.21, or with `max_prepared_statements = 0`).
   */
  readonly prepare?: boolean;
}

/** What {@link PostgresBucket.open} can be told. */
export interface PostgresOpenOptions extends PostgresBucketOptions, SchemaOptions {
  /** Whether to make the tables and functions where they are missing, see {@link migrate}; true when left out. */
  readonly migrate?: boolean;
}
