import { component$ } from "@builder.io/qwik";
import type { RequestHandler } from "@builder.io/qwik-city";

export const onGet: RequestHandler = ({ error }) => {
  throw error(500, "the shelf is empty");
};

export default component$(() => <h1>Never seen</h1>);
