import { createRoute } from "honox/factory";

import { notes } from "../../lib/notes";

export default createRoute((c) => c.json(notes));
