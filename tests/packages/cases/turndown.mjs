import TurndownService from "turndown";

export default function () {
  const turndown = new TurndownService({ headingStyle: "atx", codeBlockStyle: "fenced" });
  turndown.addRule("s", { filter: ["del"], replacement: (text) => `~${text}~` });
  return turndown.turndown('<h1>A</h1><p>b <a href="c">d</a> <del>x</del></p><ul><li>1</li></ul><pre><code>y\n</code></pre>');
}
