import xss from "xss";

export default () => [
  xss('<a href="javascript:x" onclick=y>b</a><script>1</script><img src="a" style="width:expression(1)">'),
  new xss.FilterXSS({ whiteList: { b: ["class"] }, stripIgnoreTag: true }).process("<b class=a id=c>d</b><i>e</i>"),
];
