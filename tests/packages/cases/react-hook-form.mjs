import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { useForm } from "react-hook-form";

function Form() {
  const { register, formState, getValues } = useForm({ defaultValues: { title: "Tea" } });
  return h(
    "form",
    null,
    h("input", { ...register("title", { required: true, maxLength: 5 }), ref: undefined }),
    String(formState.isDirty),
    getValues("title"),
  );
}

export default () => renderToString(h(Form));
