/** What differs between the two versions of the catalogue; chosen when it is built. */
const EDITIONS = {
  1: {
    version: "1",
    heading: "Learn something well",
    lead: "Sixty short courses by people who do the work. Take one evening a week.",
    news: undefined,
  },
  2: {
    version: "2",
    heading: "What will you make next?",
    lead: "Sixty short courses, now with a project of your own at the end of each.",
    news: "What’s new: every course ends with a project, and you get comments on yours.",
  },
};

export const edition = EDITIONS[__CATALOG_VERSION__];
