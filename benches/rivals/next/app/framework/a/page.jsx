import { Grid } from "../../../../pages/grid.jsx";

/** Rendered for each request. */
export const dynamic = "force-dynamic";

export default Grid;
