import { hydrateRoot } from "react-dom/client";

import { App } from "./app/App.jsx";

const { page, assets } = window.__CATALOG__;

hydrateRoot(document, <App page={page} assets={assets} />);
