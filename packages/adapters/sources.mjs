// Which files of this machine may become part of a bundle.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** Whether a folder is the top of a repository or of a workspace of packages. */
function isTop(folder) {
  if ([".git", "pnpm-workspace.yaml"].some((name) => existsSync(path.join(folder, name)))) return true;
  try {
    return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")).workspaces !== undefined;
  } catch {
    return false;
  }
}

/** The folder that sources may come from: the project, or the repository or workspace that it is a part of. */
function sourcesFolder(given) {
  const project = realpathSync(given);
  for (let folder = project; folder !== homedir() && folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (isTop(folder)) return folder;
  }
  return project;
}

/**
 * Refuses a file that an import has outside of it, packages excepted: a cloned repository may name private files of this user.
 *
 * @param {string} project
 * @returns {(file: string) => void}
 */
export function refusingOutside(project) {
  const sources = sourcesFolder(project);
  return (file) => {
    if (!path.isAbsolute(file) || !existsSync(file)) return;
    const target = realpathSync(file);
    if (!target.startsWith(`${sources}${path.sep}`) && !target.includes(`${path.sep}node_modules${path.sep}`)) {
      throw new Error(`${file} is imported and leads to ${target}, outside of ${sources}; copy it into the project`);
    }
  };
}
