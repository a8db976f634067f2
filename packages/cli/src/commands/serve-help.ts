/** What `sluice serve --help` says below the options. */
export const SERVE_HELP = `
Durations are written as 500ms, 30s or 5m. The options can also stand in sluice.config.json, .ts or .mjs in the
working directory, under the same names (maxConcurrent for --max-concurrent); those on the command line come first.

A client that asks too much gets 429, one that finds the queue full or waits too long 503, both with Retry-After.
/healthz tells that the proxy serves, /metrics its numbers for Prometheus.

SIGTERM or SIGINT ends it when what runs is done; a second one at once.
Exit codes: 0 done, 1 the time for the end was over, or a defect, 2 wrong usage.

Examples:
  $ sluice serve --demo
  $ sluice serve --upstream http://127.0.0.1:3000 --rate 100/s --burst 200
  $ sluice serve --upstream http://127.0.0.1:3000 --rate 100/s --burst 200 --key ip --trusted 10.0.0.0/8
      --store sqlite:./sluice.db --max-concurrent 64 --queue-depth 1000 --port 8080
`;
