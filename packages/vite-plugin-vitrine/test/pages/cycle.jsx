// Imports a module that calls it before it has run.
import { early } from "./early.jsx";

export function Late() {
  return <p>{"late"}</p>;
}

export const cycle = () => <div>{early}</div>;
