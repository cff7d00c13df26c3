/**
 * Makes a server build of react-dom ask an element how it is written before it takes it apart.
 *
 * Both replacements are in the production builds of `react-dom` 19.0 to 19.3, for streams and for strings, once each.
 */
const ELEMENT = /(function retryNode\(request, task\) \{[\s\S]*?switch \(node\.\$\$typeof\) \{\s+case REACT_ELEMENT_TYPE:)/g;
const START = /= pushStartInstance\(\s+([\w$]+)\.chunks,\s+type,\s+props,([^)]*)\);/g;

/**
 * An element whose type or props are not the template's any more is a copy that somebody changed. If its template can't be used, React gets
 * the props in place of what stands for them.
 */
const ASKED = `$1
          var template = node[TEMPLATE];
          if (void 0 !== template && template.props === node.props && template.type === node.type) {
            if (!template.isSeen && writesTemplates(request, task) && writeTemplate(request, task, node, childIndex)) return;
            node = { ...node, props: template.seen() };
          }`.replaceAll(/\s+/g, " ");

/**
 * @param {string} code Source of a production build of react-dom's server.
 * @returns {string} The same; it writes elements that are templates. `code` itself if it is not built as expected.
 */
export function rendersTemplates(code) {
  const elements = code.match(ELEMENT)?.length ?? 0;
  const starts = [...code.matchAll(START)];
  if (elements !== 1 || starts.length !== 1) {
    return code;
  }
  const [, segment, more] = starts[0];
  const start = more.replaceAll(`${segment}.`, "segment.");
  const asked = code.replace(ELEMENT, ASKED);
  return asked + TEMPLATE_WRITER.replace("START_ARGUMENTS", () => start.replace(/\s+/g, " ").trim());
}

/**
 * What a template writes with: "w" in its code. A text goes straight into the HTML; for anything else React's own way is taken, after its task
 * was put where it would be by now: inside the elements around that place, each with its key path, context, and turn among its siblings.
 * Where writing itself fails, on what cannot be made a text, all of the template is taken back and React finds the same failure where it is.
 */
const TEMPLATE_WRITER = `
var TEMPLATE = Symbol.for("vitrine.template");
function writesTemplates(request, task) {
  return task.replay === null && task.blockedSegment !== null && task.formatContext.viewTransition == null && request.renderState.generateStaticMarkup !== true;
}
function writeTemplate(request, task, node, childIndex) {
  var segment = task.blockedSegment, chunks = segment.chunks.length, children = segment.children.length, lastPushedText = segment.lastPushedText;
  var writer = new TemplateWriter(request, task, node, childIndex);
  try {
    writer.template.write(writer, writer.template.values);
  } catch (error) {
    if (writer.isInChild) throw error;
    segment.chunks.length = chunks;
    segment.children.length = children;
    segment.lastPushedText = lastPushedText;
    task.node = node;
    task.childIndex = childIndex;
    return false;
  }
  writer.flush();
  segment.lastPushedText = false;
  return true;
}
class TemplateTarget {
  constructor() {
    this.html = "";
  }
  push(...parts) {
    for (var i = 0; i < parts.length; i++) this.html += parts[i];
  }
}
class TemplateWriter {
  constructor(request, task, node, childIndex) {
    this.html = "";
    this.afterText = false;
    this.isInChild = false;
    this.request = request;
    this.task = task;
    this.segment = task.blockedSegment;
    this.template = node[TEMPLATE];
    this.key = node.key;
    this.childIndex = childIndex;
  }
  flush() {
    if (this.html !== "") {
      this.segment.chunks.push(this.html);
      this.html = "";
    }
  }
  plain(start, name, value) {
    return typeof value === "string" ? start + escapeTextForBrowser(value) + '"' : this.attribute(name, value);
  }
  attribute(name, value) {
    if (value == null) return "";
    var target = new TemplateTarget();
    pushAttribute(target, name, value);
    return target.html;
  }
  flag(start, value) {
    return value && typeof value !== "function" && typeof value !== "symbol" ? start + '"' : "";
  }
  address(start, name, value) {
    return typeof value === "string" && value.charCodeAt(0) === 47 ? start + escapeTextForBrowser(value) + '"' : this.attribute(name, value);
  }
  link(start, name, value) {
    return value === "" ? start + '"' : this.address(start, name, value);
  }
  start(type, props) {
    var request = this.request, task = this.task, segment = this.segment, target = new TemplateTarget();
    pushStartInstance(target, type, props, START_ARGUMENTS);
    return target.html;
  }
  between() {
    return this.afterText ? "<!-- -->" : "";
  }
  child(value, place) {
    if (typeof value === "string") {
      if (value !== "") {
        this.html += this.afterText ? "<!-- -->" + escapeTextForBrowser(value) : escapeTextForBrowser(value);
        this.afterText = true;
      }
    } else if (typeof value === "number" || typeof value === "bigint") {
      this.html += this.afterText ? "<!-- -->" + value : "" + value;
      this.afterText = true;
    } else if (typeof value === "object" && value !== null) this.render(value, place);
  }
  render(value, place) {
    var task = this.task, segment = this.segment;
    this.flush();
    segment.lastPushedText = this.afterText;
    var keyPath = task.keyPath, formatContext = task.formatContext, treeContext = task.treeContext, componentStack = task.componentStack;
    var around = this.template.describe(null, place), index = this.childIndex;
    for (var i = 0; i < around.length; i += 3) {
      var type = around[i], total = around[i + 1];
      task.keyPath = [task.keyPath, type, 0 === i && this.key !== null ? this.key : -1 === index ? 0 : index];
      task.formatContext = getChildFormatContext(task.formatContext, type, null);
      if (0 < i) task.componentStack = { parent: task.componentStack, type: type };
      index = around[i + 2];
      if (0 < total) task.treeContext = pushTreeContext(task.treeContext, total, index);
    }
    this.isInChild = true;
    renderNode(this.request, task, value, index);
    this.isInChild = false;
    task.keyPath = keyPath;
    task.formatContext = formatContext;
    task.treeContext = treeContext;
    task.componentStack = componentStack;
    this.afterText = segment.lastPushedText;
  }
}
`;
