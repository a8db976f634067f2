import type { FastifyPluginCallback, onRequestHookHandler } from "fastify";

/** What guards one instance. */
export interface Guard {
  readonly onRequest: onRequestHookHandler;
  /** Called when the instance has answered its last request. */
  readonly close: (() => Promise<void>) | undefined;
}

/**
 * A plugin that adds a hook to the instance it is registered with, and not to one of its
 * own: what the package fastify-plugin does, by the same agreement.
 *
 * @param create Makes the guard of one instance.
 */
export function plugin(create: () => Guard): FastifyPluginCallback {
  // The first is made here, so that options that cannot be are told where they were written.
  let first: Guard | undefined = create();
  const register: FastifyPluginCallback = (app, _options, done) => {
    const { onRequest, close } = first ?? create();
    first = undefined;
    app.addHook("onRequest", onRequest);
    if (close !== undefined) app.addHook("onClose", close);
    done();
  };
  return Object.assign(register, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "@sluice/http",
    [Symbol.for("plugin-meta")]: { fastify: "5.x", name: "@sluice/http" },
  });
}
