import type { FastifyPluginCallback, onRequestHookHandler } from "fastify";

/**
 * A plugin that adds a hook to the instance it is registered with, and not to one of its
 * own: what the package fastify-plugin does, by the same agreement.
 *
 * @param close Called when the instance has answered its last request.
 */
export function plugin(
  onRequest: onRequestHookHandler,
  close: (() => Promise<void>) | undefined,
): FastifyPluginCallback {
  const register: FastifyPluginCallback = (app, _options, done) => {
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
