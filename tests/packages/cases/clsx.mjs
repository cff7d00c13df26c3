import clsx from "clsx";

export default () => clsx("a", { b: true, c: 0 }, ["d", ["e", { f: 1 }]], null, 7);
