import { useState } from "react";

/** The most seats that one order takes. */
const SEATS_MAX = 9;

/** Seats are counted in the browser; the form itself is a plain POST and works without scripts. */
export function EnrolForm({ course, enrolled, email, problem }) {
  const [seats, setSeats] = useState(1);

  if (enrolled) {
    return (
      <p className="done" role="status">
        You are in. We would now write to you, if this were not a demo.
      </p>
    );
  }
  return (
    <form className="enrol" method="post" action={`/courses/${course.slug}/enrol`} noValidate>
      <div className="seats">
        <span id="seats-label">Seats</span>
        <button type="button" aria-label="One seat fewer" disabled={seats === 1} onClick={() => setSeats(seats - 1)}>
          −
        </button>
        <output aria-labelledby="seats-label">{seats}</output>
        <button type="button" aria-label="One seat more" disabled={seats === SEATS_MAX} onClick={() => setSeats(seats + 1)}>
          +
        </button>
        <strong className="price">€ {seats * course.price}</strong>
      </div>
      <input type="hidden" name="seats" value={seats} />
      <label>
        E-mail
        <input type="email" name="email" defaultValue={email} autoComplete="email" aria-invalid={problem ? true : undefined} />
      </label>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <button className="primary">Enrol</button>
    </form>
  );
}
