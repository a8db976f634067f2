/** `npm run docs`: the guides and the API, as one site in docs/site. */
import { join } from "node:path";
import { bootstrap, root, run, say } from "./bootstrap.mjs";

bootstrap();
run(process.execPath, [join(root, "node_modules", "typedoc", "bin", "typedoc")]);
say("The site is in docs/site: open docs/site/index.html.");
