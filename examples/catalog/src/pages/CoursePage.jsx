import { Suspense } from "react";

import { CourseCard } from "../app/CourseCard.jsx";
import { Cover } from "../app/Cover.jsx";
import { EnrolForm } from "./EnrolForm.jsx";
import { Reviews, ReviewsFallback } from "./Reviews.jsx";

/** One course. Its reviews come from another service and stream in when they are there. */
export function CoursePage({ course, related, enrolled, email, problem, reviews }) {
  return (
    <>
      <section className="course">
        <div className="course-text">
          <p className="meta">
            <a href={`/?q=${course.category.toLowerCase()}`}>{course.category}</a> · {course.level}
          </p>
          <h1>{course.title}</h1>
          <p className="lead">{course.summary}</p>
          <dl className="numbers">
            <div>
              <dt>Teacher</dt>
              <dd>{course.teacher}</dd>
            </div>
            <div>
              <dt>Length</dt>
              <dd>
                {course.lessons} lessons, {course.hours} hours
              </dd>
            </div>
            <div>
              <dt>Learners</dt>
              <dd>{course.learners.toLocaleString("en")}</dd>
            </div>
          </dl>
          <h2>What you will be able to do</h2>
          <ul className="outcomes">
            {course.outcomes.map((outcome) => (
              <li key={outcome}>{outcome}</li>
            ))}
          </ul>
        </div>
        <aside className="panel">
          <Cover category={course.category} hue={course.hue} size="large" />
          <EnrolForm course={course} enrolled={enrolled} email={email} problem={problem} />
        </aside>
      </section>
      <section className="reviews" aria-labelledby="reviews-title">
        <h2 id="reviews-title">What learners say</h2>
        <Suspense fallback={<ReviewsFallback />}>
          <Reviews reviews={reviews} />
        </Suspense>
      </section>
      <section aria-labelledby="related-title">
        <h2 id="related-title">More in {course.category}</h2>
        <div className="grid">
          {related.map((other) => (
            <CourseCard key={other.slug} course={other} />
          ))}
        </div>
      </section>
    </>
  );
}
