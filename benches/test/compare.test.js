import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";

import { createElement as h, Suspense, use } from "react";
import { renderToPipeableStream } from "react-dom/server";

import { content, firstDifference, sameBytes, settled } from "../compare.mjs";

function Card({ loading }) {
  return h("b", null, use(loading));
}

/** Two cards that are ready in the order of `readyMs`, as React streams them. */
async function streamed(...readyMs) {
  const cards = readyMs.map((ms, index) => {
    const loading = new Promise((resolve) => setTimeout(resolve, ms, `card ${index}`));
    return h(Suspense, { key: index, fallback: h("i", null, "wait") }, h(Card, { loading }));
  });
  const body = new PassThrough();
  const page = h("html", null, h("body", null, h("main", null, cards)));
  const { pipe } = renderToPipeableStream(page, { onShellReady: () => pipe(body) });
  return text(body);
}

test("a streamed page settles to the same whatever part was ready first", async () => {
  const [one, other] = [await streamed(5, 40), await streamed(40, 5)];
  assert.notEqual(one, other);
  assert.equal(settled(one), settled(other));
  assert.match(settled(one), /<main><!--\$--><b>card 0<\/b><!--\/\$--><!--\$--><b>card 1<\/b><!--\/\$--><\/main>/);
  assert.doesNotMatch(settled(one), /<script|<template|hidden|wait/);
});

test("a part that never came is not settled away", async () => {
  const whole = await streamed(5, 40);
  const cut = whole.slice(0, whole.indexOf('<div hidden id="S:1"'));
  assert.notEqual(settled(cut), settled(whole));
  assert.match(settled(cut), /<i>wait<\/i>/);
});

test("parts in each other's places are another page", async () => {
  const whole = await streamed(5, 40);
  const swapped = whole.replaceAll("card 0", "card x").replaceAll("card 1", "card 0").replaceAll("card x", "card 1");
  assert.throws(() => sameBytes([{ name: "Node", html: whole }, { name: "Ours", html: swapped }]), /Ours sends another page than Node/);
});

test("says how large the page is that all send", () => {
  assert.equal(sameBytes([{ name: "Node", html: "<p>é</p>" }, { name: "Ours", html: "<p>é</p>" }]), 9);
});

test("names who sends another page, and where it begins to differ", () => {
  const pages = [
    { name: "Node", html: "<p>same</p>" },
    { name: "Bun", html: "<p>same</p>" },
    { name: "Ours", html: "<p>sane</p>" },
  ];
  assert.throws(() => sameBytes(pages), { message: 'Ours sends another page than Node, from character 5 on: "<p>sane</p>" for "<p>same</p>"' });
});

test("a page that ends too early differs at its end", () => {
  assert.equal(firstDifference("abc", "abcd"), 3);
  assert.equal(firstDifference("abcd", "abc"), 3);
  assert.equal(firstDifference("abc", "abc"), -1);
});

test("of a framework's page the content is compared", () => {
  const own = "<html><main><p>a</p></main><script>self.data=1</script></html>";
  assert.equal(content(own), "<main><p>a</p></main>");
  assert.equal(content("<p>no such element</p>"), "<p>no such element</p>");
});
