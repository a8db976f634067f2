/**
 * Loads the package of a store, which is installed only where it is used.
 *
 * @param name The package.
 * @param driver The driver that goes with it.
 * @throws Error that says what to install.
 */
export async function loadStore<T>(name: string, driver: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause;
    const command = `npm install ${name} ${driver}`;
    throw new Error(`Cannot open the store: the package ${name} is not installed. Run: ${command}`, { cause });
  }
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" && typeof message === "string" && message.includes(`'${name}'`);
}
