import * as purify from "isomorphic-dompurify";

export default () =>
  (purify.default ?? purify).sanitize('<p onclick="x">a<script>1</script><svg><g/onload=alert(2)></svg><a href="javascript:x">b</a></p>');
