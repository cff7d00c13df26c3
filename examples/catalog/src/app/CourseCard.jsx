import { Cover } from "./Cover.jsx";
import { Favourite } from "./Favourite.jsx";

/** @param {{ course: ReturnType<typeof import("../server/courses.js").searchCourses>[number] }} props */
export function CourseCard({ course }) {
  return (
    <article className="card">
      <Cover category={course.category} hue={course.hue} />
      <div className="card-body">
        <p className="meta">
          {course.category} · {course.level}
        </p>
        <h3>
          <a href={`/courses/${course.slug}`}>{course.title}</a>
        </h3>
        <p>{course.summary}</p>
        <p className="facts">
          <span>{course.hours} h</span>
          <span>€ {course.price}</span>
        </p>
      </div>
      <Favourite slug={course.slug} title={course.title} />
    </article>
  );
}
