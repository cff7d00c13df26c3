import pug from "pug";

export default () => [
  pug.render(
    "doctype html\nhtml\n  body#b.c(data-x=1)\n    each note in notes\n      li= note\n    if yes\n      != html\n    mixin box(t)\n      .box&attributes(attributes)= t\n    +box('x')(title='t')",
    { notes: ["a", "<b>"], yes: true, html: "<i>" },
  ),
  typeof pug.compileClient("p= a"),
];
