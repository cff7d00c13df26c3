import { createMemo, createSignal, createResource, Suspense } from "solid-js";
import { createComponent, escape, renderToStringAsync, ssr } from "solid-js/web";

export default async function () {
  const View = () => {
    const [n] = createSignal(2);
    const double = createMemo(() => n() * 2);
    const [late] = createResource(async () => "late <text>");
    return createComponent(Suspense, {
      fallback: "wait",
      get children() {
        return ssr(["<p>", " ", "</p>"], double(), () => escape(late()));
      },
    });
  };
  return renderToStringAsync(() => createComponent(View, {}));
}
