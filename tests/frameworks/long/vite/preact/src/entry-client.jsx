import "./style.css";
import { LocationProvider, hydrate } from "preact-iso";

import { App } from "./app";

hydrate(
  <LocationProvider>
    <App data={window.__DATA__} />
  </LocationProvider>,
  document.getElementById("app"),
);
