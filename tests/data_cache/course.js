// An app whose page is for one visitor, and made of three slow queries, one after the other.
const escaped = (text) => text.replace(/[<&"]/g, (found) => `&#${found.charCodeAt(0)};`);

/** The bundle's files. @param {string} origin */
export const filesOf = (origin) => ({
  "vitrine.json": JSON.stringify({ egress: [origin] }),
  "server/index.js": `
const escaped = ${escaped};
export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const course = searchParams.get("course");
    if (course === null) return new Response("which course?");
    const revisions = [];
    for (const part of ["outline", "sections", "reviews"]) {
      const answer = await fetch("${origin}/" + course + "/" + part);
      revisions.push((await answer.json()).revision);
    }
    const page = "<!doctype html><title>course</title><p>" + escaped(searchParams.get("user") ?? "") + "<p>" + revisions.join(" ");
    return new Response(page, { headers: { "content-type": "text/html", "cache-control": "private, no-store" } });
  },
};
`,
});

/** What each query of a page said. @param {string} page */
export const revisionsOf = (page) => /<p>(\d+ \d+ \d+)$/.exec(page)[1].split(" ").map(Number);
