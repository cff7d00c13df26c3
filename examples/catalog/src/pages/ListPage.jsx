import { CourseCard } from "../app/CourseCard.jsx";
import { edition } from "../app/edition.js";

/** The catalogue, searched by the query string. */
export function ListPage({ query, categories, courses, lastSeen }) {
  return (
    <>
      <section className="hero">
        <h1>{edition.heading}</h1>
        <p className="lead">{edition.lead}</p>
        <form className="search" role="search" action="/">
          <input
            type="search"
            name="q"
            defaultValue={query}
            placeholder="Search courses and teachers"
            aria-label="Search courses"
          />
          <button>Search</button>
        </form>
        <nav className="chips" aria-label="Categories">
          {["All", ...categories].map((name) => {
            const value = name === "All" ? "" : name.toLowerCase();
            const current = query.toLowerCase() === value ? "page" : undefined;
            return (
              <a key={name} href={value ? `/?q=${value}` : "/"} aria-current={current}>
                {name}
              </a>
            );
          })}
        </nav>
        {lastSeen && (
          <p className="last-seen">
            You looked at <a href={`/courses/${lastSeen.slug}`}>{lastSeen.title}</a> before.
          </p>
        )}
      </section>
      <section aria-label="Courses">
        <p className="count" aria-live="polite">
          {courses.length === 1 ? "1 course" : `${courses.length} courses`}
          {query && ` for “${query}”`}
        </p>
        <div className="grid">
          {courses.map((course) => (
            <CourseCard key={course.slug} course={course} />
          ))}
        </div>
        {courses.length === 0 && (
          <p className="empty">
            Nothing matches. Try fewer words, or <a href="/">see all courses</a>.
          </p>
        )}
      </section>
    </>
  );
}
