// Debian's Chromium with a profile of its own, silent on the network but for the pages under test.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser: what `CHROMIUM` names, Debian's by default. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Starts the browser. */
export function launchBrowser() {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}

/**
 * Collects everything that a page complains about: console errors, uncaught errors, failed loads.
 *
 * @param {import("playwright-core").Page} page
 * @returns {string[]} Grows while the page lives.
 */
export function complaintsOf(page) {
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      complaints.push(`console.${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  return complaints;
}

/** Waits until React has taken over the document. @param {import("playwright-core").Page} page */
export function hydrated(page) {
  return page.waitForSelector('html[data-hydrated="true"]');
}
