import { Tiny } from "../../../../pages/tiny.jsx";

/** Rendered for each request. */
export const dynamic = "force-dynamic";

export default Tiny;
