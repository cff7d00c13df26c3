import { Late } from "./cycle.jsx";

export const early = Late();
