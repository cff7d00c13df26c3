import sanitizeHtml from "sanitize-html";

export default () => [
  sanitizeHtml('<p onclick="x">a <script>alert(1)</script><a href="javascript:x">b</a><img src=x onerror=y></p>'),
  sanitizeHtml('<h1 style="color:red;position:fixed">t</h1><iframe src="https://a.example"></iframe>', {
    allowedTags: ["h1", "iframe"],
    allowedAttributes: { h1: ["style"], iframe: ["src"] },
    allowedStyles: { "*": { color: [/^red$/] } },
    allowedIframeHostnames: ["b.example"],
  }),
];
