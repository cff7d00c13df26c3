export const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** A page's head and the beginning of its body; what follows may be streamed. */
export const head = (title) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>${title}</title><script type="module" src="/client.js"></script></head>
<body>
`;

export const page = (title, body) => `${head(title)}${body}\n</body>\n</html>\n`;

