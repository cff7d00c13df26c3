import { readFileSync } from "node:fs";
import path from "node:path";

/** What the plugin decides by itself: the file may say the same, and nothing else. */
const OWN = { entry: "server/index.js", assets: "client" };

/**
 * The options of a bundle together with the project's `vitrine.json`, if it has one. Throws an error that names both places when
 * they give a field different values.
 *
 * @param {string} root Of the project.
 * @param {Record<string, any>} options
 * @returns {Record<string, any>}
 */
export function withProjectSettings(root, options) {
  const file = path.join(root, "vitrine.json");
  const settings = read(file);
  for (const [name, value] of Object.entries(OWN)) {
    if (settings[name] !== undefined && settings[name] !== value) {
      throw new TypeError(`vitrine: \`${name}\` in ${file} is ${JSON.stringify(settings[name])}, and the plugin builds ${JSON.stringify(value)}; remove it there`);
    }
    delete settings[name];
  }
  if (settings.shell !== undefined) {
    throw new TypeError(`vitrine: \`shell\` in ${file} has no effect; give the plugin's option \`shell\` instead`);
  }
  return merged(settings, options, "", file);
}

/**
 * @param {string} file
 * @returns {Record<string, any>}
 */
function read(file) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") {
      return {};
    }
    throw error;
  }
  let settings;
  try {
    settings = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`vitrine: ${file} is no JSON (which has no comments and no trailing commas): ${/** @type {Error} */ (error).message}`);
  }
  if (!isObject(settings)) {
    throw new TypeError(`vitrine: ${file} must hold an object, {…}`);
  }
  return settings;
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {Record<string, any>} settings
 * @param {Record<string, any>} options
 * @param {string} prefix
 * @param {string} file
 */
function merged(settings, options, prefix, file) {
  const result = { ...settings };
  for (const [name, value] of Object.entries(options)) {
    const other = settings[name];
    if (value === undefined) {
      continue;
    }
    if (isObject(value) && isObject(other)) {
      result[name] = merged(other, value, `${prefix}${name}.`, file);
    } else if (other !== undefined && JSON.stringify(other) !== JSON.stringify(value)) {
      throw new TypeError(
        `vitrine: \`${prefix}${name}\` is ${JSON.stringify(other)} in ${file} and ${JSON.stringify(value)} in the plugin's options; ` +
          "give it in one place only",
      );
    } else {
      result[name] = value;
    }
  }
  return result;
}
