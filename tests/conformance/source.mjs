// Where the web platform tests come from: a checkout that `WPT_DIR` names, or one that is made below target/ at a pinned commit.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";

import { ROOT } from "../browser/host.js";

const REPOSITORY = "https://github.com/web-platform-tests/wpt.git";
/** Of 2026-01-20. A newer one changes the expectations. */
const COMMIT = "c75ce3e8116468006ac01060f68919bc875f5e40";
/** What the files of `suite.mjs` are, and what they load. */
const FOLDERS = [
  ..."FileAPI WebCryptoAPI common compression console dom encoding fetch hr-time html/webappapis html/infrastructure".split(" "),
  ..."interfaces mimesniff performance-timeline resources streams url urlpattern user-timing wasm webidl webmessaging xhr".split(" "),
  // Its server.
  ..."tools/wptserve tools/third_party".split(" "),
];

/** The suite's folder. It is brought here if it has to be, which takes minutes. @returns {string} */
export function suiteFolder() {
  if (process.env.WPT_DIR !== undefined) {
    return process.env.WPT_DIR;
  }
  const folder = path.join(ROOT, "target/conformance/wpt");
  if (!existsSync(path.join(folder, ".complete"))) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const git = (...args) => execFileSync("git", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    git("init", "--quiet");
    git("sparse-checkout", "set", ...FOLDERS);
    try {
      git("fetch", "--quiet", "--depth=1", "--filter=blob:none", REPOSITORY, COMMIT);
      git("checkout", "--quiet", "FETCH_HEAD");
    } catch {
      throw new Error(`the web platform tests can't be fetched; name a checkout of them: WPT_DIR=FOLDER (commit ${COMMIT})`);
    }
    mkdirSync(path.join(folder, ".complete"));
  }
  return folder;
}
