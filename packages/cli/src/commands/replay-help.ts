import { IP_NAMES, NESTED_NAMES, PATH_NAMES, TIME_NAMES, USER_NAMES } from "../log/json-fields.js";

/** What `sluice replay --help` says below the options. */
export const REPLAY_HELP = `
Reads the Common and the Combined Log Format and JSON lines, gzipped or not, mixed at will.
Lines that cannot be read are counted and passed over. Several files are merged by time.

JSON lines, the first name that is there:
  time  ${TIME_NAMES.join(", ")}
        (an ISO date, or seconds or milliseconds since 1970)
  ip    ${IP_NAMES.join(", ")}, host
  path  ${PATH_NAMES.join(", ")}, or request as "GET /x HTTP/1.1"
  user  ${USER_NAMES.join(", ")}
  ip, path and user also inside ${NESTED_NAMES.join(", ")}

Exit codes: 0 done, 2 wrong usage or nothing to read, 1 a defect.

Examples:
  $ sluice replay access.log --rate 10/min
  $ sluice replay access.log access.log.1.gz --rate 10/s --rate 1000/h --key ip+path
  $ sluice replay access.log --rate 10/min --algorithm token-bucket --burst 20
  $ journalctl -u caddy -o cat | sluice replay - --rate 100/min --key user --json
`;
