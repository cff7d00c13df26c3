import { defineHandler } from "nitro/h3";

import { notes } from "../../notes";

export default defineHandler(() => notes);
