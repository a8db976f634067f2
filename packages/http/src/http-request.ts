/**
 * What the heart of this package needs to know of a request, whatever server it came through.
 *
 * @module
 */

/**
 * Header fields, as a record with names in lower case (as Node gives them) or as anything
 * with the `get` of `Headers`.
 */
export type HttpFields =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | {
      /** The value of a field, whatever the case of its name; `null` or `undefined` where there is none. */
      get(name: string): string | null | undefined;
    };

/**
 * A request. Those of Node, Express and Fastify fit as they are; a `Request` of the fetch
 * standard lacks only `socket`, which its adapter adds.
 */
export interface HttpRequest {
  /** `GET`, `POST` and so on. */
  readonly method?: string | undefined;
  /** The target of the request. */
  readonly url?: string | undefined;
  /** The header fields. */
  readonly headers: HttpFields;
  /** The connection, whose other end is the client or the nearest proxy. */
  readonly socket?:
    | {
        /** The address of the other end; `undefined` for a unix socket. */
        readonly remoteAddress?: string | undefined;
      }
    | null
    | undefined;
}

/** The value of a field; several lines are joined by `", "`. */
export function fieldOf(fields: HttpFields, lowerCaseName: string): string | undefined {
  if (typeof fields.get === "function") return fields.get(lowerCaseName) ?? undefined;
  const value = (fields as Readonly<Record<string, string | readonly string[] | undefined>>)[lowerCaseName];
  return typeof value === "object" ? value.join(", ") : value;
}

/**
 * Reads one header field of a request.
 *
 * @param name The field's name, in whatever case.
 * @returns Its value, several lines joined by `", "`; `undefined` where there is none.
 *
 * @example
 * ```ts
 * import { field } from "@sluice/http";
 *
 * field({ headers: { "x-api-key": "ada" } }, "X-API-Key"); // => "ada"
 * field({ headers: new Headers({ "X-API-Key": "ada" }) }, "x-api-key"); // => "ada"
 * ```
 */
export function field(request: HttpRequest, name: string): string | undefined {
  return fieldOf(request.headers, name.toLowerCase());
}
