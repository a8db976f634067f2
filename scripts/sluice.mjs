/** `npm run -s sluice -- ARGS`: the command, from a checkout. */
import { bootstrap } from "./bootstrap.mjs";
import { runCommand } from "./command.mjs";

bootstrap();
process.exitCode = await runCommand(process.argv.slice(2));
