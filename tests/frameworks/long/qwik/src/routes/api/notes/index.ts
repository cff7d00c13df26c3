import type { RequestHandler } from "@builder.io/qwik-city";

import { notes } from "~/notes";

export const onGet: RequestHandler = ({ json }) => {
  json(200, notes);
};
