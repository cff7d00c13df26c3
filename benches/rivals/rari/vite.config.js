import react from "@vitejs/plugin-react";
import { rari } from "rari/vite";

export default { plugins: [rari(), react()] };
