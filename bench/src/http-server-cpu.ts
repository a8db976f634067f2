/**
 * Loaded into a server before all else: tells its parent what processor time it took, and ends with it.
 */
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.on("disconnect", () => process.exit());
