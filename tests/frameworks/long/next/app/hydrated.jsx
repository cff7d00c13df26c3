"use client";

import { useEffect } from "react";

/** Tells a test that scripts have taken the page over. */
export function Hydrated() {
  useEffect(() => {
    document.documentElement.dataset.hydrated = "true";
  }, []);
  return null;
}
