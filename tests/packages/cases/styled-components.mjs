import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { createGlobalStyle, ServerStyleSheet, styled, ThemeProvider } from "styled-components";

const Title = styled.h1`
  color: ${(props) => props.theme.color};
  &:hover {
    color: blue;
  }
`;
const Global = createGlobalStyle`body { margin: 0; }`;

export default function () {
  const sheet = new ServerStyleSheet();
  const html = renderToString(sheet.collectStyles(h(ThemeProvider, { theme: { color: "red" } }, h(Global), h(Title, null, "Notes"))));
  const tags = sheet.getStyleTags();
  sheet.seal();
  return [html, tags];
}
