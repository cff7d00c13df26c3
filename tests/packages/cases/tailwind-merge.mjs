import { extendTailwindMerge, twJoin, twMerge } from "tailwind-merge";

export default () => [
  twMerge("px-2 py-1 bg-red hover:bg-dark", "p-3 bg-[#B91C1C]", "hover:bg-light"),
  twJoin("a", ["b"]),
  extendTailwindMerge({ prefix: "tw" })("tw:p-1 tw:p-2"),
];
