import { createClient } from "honox/client";

await createClient();
document.documentElement.dataset.hydrated = "true";
