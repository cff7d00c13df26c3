import { Button, createTheme, Stack, ThemeProvider, Typography } from "@mui/material";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";

export default function () {
  const theme = createTheme({ palette: { primary: { main: "#334455" } } });
  const html = renderToString(
    h(
      ThemeProvider,
      { theme },
      h(Stack, { spacing: 2 }, h(Typography, { variant: "h1" }, "Notes"), h(Button, { variant: "contained", disabled: true }, "Add")),
    ),
  );
  return [html.length > 500, html, theme.palette.primary];
}
