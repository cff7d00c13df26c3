import { Tiny } from "../../../../../pages/tiny.jsx";

export default Tiny;
