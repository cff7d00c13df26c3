import { MetaProvider, Title } from "@solidjs/meta";
import { Router } from "@solidjs/router";
import { FileRoutes } from "@solidjs/start/router";
import { Suspense, onMount } from "solid-js";

export default function App() {
  onMount(() => {
    document.documentElement.dataset.hydrated = "true";
  });
  return (
    <Router
      root={(props) => (
        <MetaProvider>
          <Title>Notes</Title>
          <Suspense>{props.children}</Suspense>
        </MetaProvider>
      )}
    >
      <FileRoutes />
    </Router>
  );
}
