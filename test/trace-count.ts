/** How many random histories to try: `usual`, or as many as the environment variable SLUICE_TRACES says for a long run. */
export function traceCount(usual: number): number {
  const { SLUICE_TRACES } = process.env;
  return SLUICE_TRACES === undefined ? usual : Number(SLUICE_TRACES);
}
