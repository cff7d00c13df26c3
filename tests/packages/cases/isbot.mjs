import { isbot, isbotMatch } from "isbot";

export default () => [
  isbot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
  isbot("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"),
  isbotMatch("curl/8.0"),
  isbot(undefined),
];
