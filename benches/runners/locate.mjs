// Where a rival's binary is, if npm has one for this machine.
import { createRequire } from "node:module";

const require = createRequire(new URL("../rivals/", import.meta.url));

/** A rival that this machine can't run: a row that says so, not a failure. */
export class NotHere extends Error {}

/** @param {string} file Package and path in it. @returns {string} Throws `NotHere` when it is not installed. */
export function locate(file) {
  try {
    return require.resolve(file);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") {
      throw error;
    }
    const name = file.split("/").slice(0, file.startsWith("@") ? 2 : 1).join("/");
    throw new NotHere(`npm's ${name} is not installed; for ${process.platform} on ${process.arch} there may be none`);
  }
}
