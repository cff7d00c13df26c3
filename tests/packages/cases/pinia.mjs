import { createPinia, defineStore, setActivePinia } from "pinia";
import { createSSRApp, h } from "vue";
import { renderToString } from "vue/server-renderer";

export default async function () {
  const useNotes = defineStore("notes", {
    state: () => ({ list: ["tea"] }),
    getters: { count: (state) => state.list.length },
    actions: {
      async add(text) {
        this.list.push(text);
      },
    },
  });
  const pinia = createPinia();
  setActivePinia(pinia);
  await useNotes().add("rust");
  const app = createSSRApp({ setup: () => () => h("p", useNotes().count) }).use(pinia);
  return [await renderToString(app), pinia.state.value];
}
