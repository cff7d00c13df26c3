import { use } from "react";

/** What stands there until the reviews arrive. */
export function ReviewsFallback() {
  return (
    <div className="review-grid" aria-busy="true">
      <p className="waiting">Asking our learners…</p>
      {[0, 1, 2].map((index) => (
        <div key={index} className="review ghost" />
      ))}
    </div>
  );
}

/**
 * On the server this waits for the review service. What came back goes into the page as data beside the markup, and by the time
 * the browser hydrates this section it is there.
 *
 * @param {{ reviews?: Promise<object> }} props
 */
export function Reviews({ reviews }) {
  const result = reviews ? use(reviews) : (globalThis.__CATALOG__?.reviews ?? { unavailable: true });
  const json = JSON.stringify(result).replaceAll("<", "\\u003c");
  return (
    <>
      {result.unavailable ? (
        <p className="waiting">Reviews can’t be shown just now.</p>
      ) : (
        <div className="review-grid">
          {result.reviews.map((review) => (
            <Review key={review.author} review={review} />
          ))}
        </div>
      )}
      <script dangerouslySetInnerHTML={{ __html: `window.__CATALOG__.reviews=${json}` }} />
    </>
  );
}

function Review({ review }) {
  return (
    <figure className="review">
      <p className="stars" role="img" aria-label={`${review.stars} of 5 stars`}>
        {"★".repeat(review.stars)}
        <span>{"★".repeat(5 - review.stars)}</span>
      </p>
      <blockquote>{review.text}</blockquote>
      <figcaption>{review.author}</figcaption>
    </figure>
  );
}
