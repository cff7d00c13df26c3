/** A page's head and the beginning of its body; what follows may be streamed. */
export const head = (title: string) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>${title}</title><script type="module" src="/client.js"></script></head>
<body>
`;

export const HTML = { "content-type": "text/html; charset=utf-8" };

export const page = (title: string, body: string) =>
  new Response(`${head(title)}${body}\n</body>\n</html>\n`, { headers: HTML });

export const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
