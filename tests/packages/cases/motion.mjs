import { AnimatePresence, motion } from "motion/react";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";

export default () =>
  renderToString(
    h(AnimatePresence, null, h(motion.div, { initial: { opacity: 0, x: 10 }, animate: { opacity: 1 }, className: "a" }, "moves")),
  );
