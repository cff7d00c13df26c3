// CommonJS may return, and name what it does not import.
var runtime = require("react/jsx-runtime");
exports.plain = function () {
  return runtime.jsx("b", { children: 'from "react/jsx-runtime"' });
};
if (runtime) return;
exports.never = true;
