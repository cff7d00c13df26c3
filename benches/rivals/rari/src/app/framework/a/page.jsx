import { Grid } from "../../../../../pages/grid.jsx";

export default Grid;
