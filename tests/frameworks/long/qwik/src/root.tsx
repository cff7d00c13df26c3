import { component$, useVisibleTask$ } from "@builder.io/qwik";
import { QwikCityProvider, RouterOutlet, useDocumentHead } from "@builder.io/qwik-city";

const Head = component$(() => {
  const head = useDocumentHead();
  return <title>{head.title}</title>;
});

export default component$(() => {
  useVisibleTask$(
    () => {
      document.documentElement.dataset.hydrated = "true";
    },
    { strategy: "document-ready" },
  );
  return (
    <QwikCityProvider>
      <head>
        <meta charset="utf-8" />
        <link rel="icon" href="data:," />
        <Head />
      </head>
      <body>
        <RouterOutlet />
      </body>
    </QwikCityProvider>
  );
});
