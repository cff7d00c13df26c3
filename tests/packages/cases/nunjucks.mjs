import nunjucks from "nunjucks";

export default async function () {
  const templates = {
    "base.html": "<h1>{% block title %}none{% endblock %}</h1>",
    "page.html":
      "{% extends 'base.html' %}{% block title %}{{ t | upper }}{% for x in list %}{{ loop.index }}{{ x }}{% endfor %}{% endblock %}",
  };
  const Loader = nunjucks.Loader.extend({ getSource: (name) => ({ src: templates[name], path: name, noCache: true }) });
  const env = new nunjucks.Environment(new Loader(), { autoescape: true });
  env.addFilter("late", (text, done) => setTimeout(done, 1, null, `late ${text}`), true);
  const late = await new Promise((done, failed) =>
    env.renderString("{{ x | late }}", { x: 1 }, (error, text) => (error ? failed(error) : done(text))),
  );
  return [env.render("page.html", { t: "tea", list: ["<a>", "b"] }), late];
}
