import "./style.css";
import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";

import { App } from "./App";

hydrateRoot(
  document.getElementById("root"),
  <StrictMode>
    <BrowserRouter>
      <App data={window.__DATA__} />
    </BrowserRouter>
  </StrictMode>,
);
