// What an adapter is bundled with: the build, modules that `vitrine deploy` writes, and packages of the project.
declare module "vitrine:build";
declare module "react-router";
declare module "*/cloudflare_build.js";
declare module "*/entry.js";
declare module "*/environment.js";
declare module "*/pages.js";
declare module "*/redirect_rules.js";
declare module "*/site.js";

declare module "stream/web" {
  interface ReadableStreamBYOBReader {
    readAtLeast<View extends ArrayBufferView>(least: number, view: View): Promise<ReadableStreamReadResult<View>>;
  }
}
