import { Camera, icons } from "lucide-react";
import { createElement as h } from "react";
import { renderToStaticMarkup } from "react-dom/server";

export default () => [
  renderToStaticMarkup(h(Camera, { size: 12, color: "red", "aria-label": "photo" })),
  renderToStaticMarkup(h(icons.House)),
];
