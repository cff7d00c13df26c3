import { useEffect } from "react";

/** Marks the document once React has taken it over, for tests and for styles that need scripts. */
export function Hydrated() {
  useEffect(() => {
    document.documentElement.dataset.hydrated = "true";
  }, []);
  return null;
}
