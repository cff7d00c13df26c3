import ejs from "ejs";

export default async () => [
  ejs.render("<% for (const x of list) { %><li><%= x %></li><% } %><%- html %>", { list: ["<a>", "b"], html: "<p>" }),
  await ejs.render("<%= await late() %>", { late: async () => "late" }, { async: true }),
  ejs.compile("<%= locals.x ?? 'none' %>")({}),
];
