"use client";

export default function ErrorPage() {
  return <h1>500: something broke</h1>;
}
