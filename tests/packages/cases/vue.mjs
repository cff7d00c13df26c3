import { computed, createSSRApp, defineAsyncComponent, h, provide, inject, ref, Suspense } from "vue";
import { renderToString, renderToWebStream } from "vue/server-renderer";

const Child = {
  props: ["text"],
  async setup(props) {
    const color = inject("color");
    return () => h("li", { style: { color }, onClick() {} }, props.text);
  },
};

export default async function () {
  const app = () =>
    createSSRApp({
      setup() {
        const n = ref(2);
        const double = computed(() => n.value * 2);
        provide("color", "red");
        return () =>
          h(Suspense, null, {
            default: () =>
              h("ul", { class: ["a", { b: true }] }, [
                h(Child, { text: `<${double.value}>` }),
                h(
                  defineAsyncComponent(async () => Child),
                  { text: "late" },
                ),
              ]),
          });
      },
    });
  return [await renderToString(app()), await new Response(renderToWebStream(app())).text()];
}
