// The programs that are compared: as npm has them.
import { createRequire } from "node:module";

const { resolve } = createRequire(import.meta.url);
const ARCH = { x64: "x64", arm64: "arm64" }[process.arch];

export const NODE = () => resolve(`node-linux-${ARCH}/bin/node`);
export const DENO = () => resolve(`@deno/linux-${ARCH}-glibc/deno`);
