/** Runs a function in the context that this module was loaded in. */
type Runner = <T>(run: () => T) => T;
interface AsyncHooks {
  readonly AsyncLocalStorage?: { snapshot?(): Runner };
}
declare const process: undefined | { getBuiltinModule?(name: string): AsyncHooks | undefined };

/**
 * Runs a function outside the context of whoever happens to call, where the runtime has
 * such contexts: what serves many must not keep one request's context alive, nor be counted to it.
 */
export const outside: Runner =
  (typeof process === "undefined"
    ? undefined
    : process.getBuiltinModule?.("node:async_hooks")
  )?.AsyncLocalStorage?.snapshot?.() ?? ((run) => run());
