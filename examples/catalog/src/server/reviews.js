/**
 * Asks the review service. A page without reviews is still a page, so a failure is logged and becomes a value.
 *
 * @param {string} slug
 * @param {Record<string, string | undefined>} env
 * @param {AbortSignal} signal Ends the wait when the visitor has left.
 * @returns {Promise<{ reviews?: { author: string, stars: number, text: string }[], unavailable?: true }>}
 */
export async function loadReviews(slug, env, signal) {
  const origin = env?.REVIEWS_URL || __REVIEWS_ORIGIN__;
  try {
    const response = await fetch(`${origin}/reviews/${slug}`, { headers: { accept: "application/json" }, signal });
    if (!response.ok) {
      throw new Error(`the review service answered ${response.status}`);
    }
    const { reviews } = await response.json();
    return { reviews };
  } catch (error) {
    if (!signal?.aborted) {
      console.warn(`reviews of ${slug} are missing: ${error.message}`);
    }
    return { unavailable: true };
  }
}
