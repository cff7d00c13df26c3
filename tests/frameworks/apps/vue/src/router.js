import { createMemoryHistory, createRouter, createWebHistory } from "vue-router";

import { notes } from "./notes";
import Home from "./pages/Home.vue";
import Missing from "./pages/Missing.vue";
import Note from "./pages/Note.vue";

const isKnown = ({ params }) => notes.some(({ slug }) => slug === params.slug) || { name: "missing", params: { path: ["notes", params.slug] } };

export function createAppRouter() {
  return createRouter({
    history: import.meta.env.SSR ? createMemoryHistory() : createWebHistory(),
    routes: [
      { path: "/", component: Home },
      { path: "/notes/:slug", component: Note, beforeEnter: isKnown },
      { path: "/:path(.*)*", name: "missing", component: Missing, meta: { status: 404 } },
    ],
  });
}
