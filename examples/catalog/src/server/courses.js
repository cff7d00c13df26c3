import courses from "../data/courses.json";

/** How many courses the course page suggests. */
const RELATED_COUNT = 3;

/** @typedef {typeof courses[number]} Course */

/** What a card shows: everything else stays on the server. @param {Course} course */
function card({ slug, title, category, level, hours, price, teacher, summary, hue }) {
  return { slug, title, category, level, hours, price, teacher, summary, hue };
}

/** Every category, in the order of the data. */
export const categories = [...new Set(courses.map((course) => course.category))];

/**
 * The courses that hold every word of the query.
 *
 * @param {string} query
 */
export function searchCourses(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return courses
    .filter((course) => {
      const text = `${course.title} ${course.category} ${course.level} ${course.teacher} ${course.summary}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map(card);
}

/** @param {string} slug */
export function findCourse(slug) {
  return courses.find((course) => course.slug === slug);
}

/** Others of the same category, the next ones in the list first. @param {Course} course */
export function relatedCourses(course) {
  const shelf = courses.filter((other) => other.category === course.category);
  const at = shelf.indexOf(course);
  return [...shelf.slice(at + 1), ...shelf.slice(0, at)].slice(0, RELATED_COUNT).map(card);
}
