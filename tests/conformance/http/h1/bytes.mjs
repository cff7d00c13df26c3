// How the corpus of HTTP/1.1 writes requests. `{host}` is the app's host name, `{smuggled}` and `{smuggled:x}` the
// length of what must not become a request, in decimal and hexadecimal digits.

export const CRLF = "\r\n";
export const HOST = "Host: {host}";

/** A head: the request line, and fields. @param {string} line @param {string[]} fields */
export const head = (line, ...fields) => [line, ...fields, "", ""].join(CRLF);

/** @param {string[]} fields Besides `Host`. */
export const get = (...fields) => head("GET / HTTP/1.1", HOST, ...fields);

/** @param {string[]} fields Besides `Host`. @param {string} body As it is sent. */
export const post = (fields, body) => head("POST /p HTTP/1.1", HOST, ...fields) + body;

/** A chunked POST. @param {string} chunks With the last one. */
export const chunked = (chunks) => post(["Transfer-Encoding: chunked"], chunks);

/** What must never become a request of its own; a case that sends it fails if the app sees it. */
export const SMUGGLED = head("GET /smuggled HTTP/1.1", HOST);

/** What is a request of its own, behind another. */
export const NEXT = head("GET /next HTTP/1.1", HOST);

export const HELLO_IN_CHUNKS = "5\r\nhello\r\n0\r\n\r\n";

export const SMUGGLED_IN_CHUNKS = `{smuggled:x}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
